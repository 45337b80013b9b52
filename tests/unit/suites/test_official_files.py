"""The official prompt and result files, and suites written as YAML: what is read comes out again, byte for byte."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.errors import InputError, SuiteError
from dominance.records import Concept, Prompt, Suite
from dominance.suites import load_suite
from dominance.suites.official_prompts import content_and_object, official_prompts_csv
from dominance.suites.official_results import official_results_csv, read_official_results
from dominance.suites.suite_files import suite_yaml

PROMPTS = (
    "case_num,content_type,content,nm_word,prompt\n"
    "1,artist,rembrandt,notebook,notebook windmill rembrandt\n"
    '2,landmark,"Château, le ""Grand""",mug,"a mug, with ""Château"" – 城 🏰"\n'
    "300,character,l'ogre,T-shirt,l'ogre T-shirt\n"
)
RESULTS = (
    "case_num,content_type,content,nm_word,prompt,image_path,image_name,content_answers,nm_answers,content_score,"
    "nm_score,dvd_score,dvd_mean_case\r\n"
    "7,artist,rembrandt,mug,mug by rembrandt,out/case007_mug/0.png,0.png,"
    '"[1, 1, 1, 1, 1]","[0, 0, 0, 0, 0]",5,0,100.0,68.0\r\n'
    "7,artist,rembrandt,mug,mug by rembrandt,out/case007_mug/1.png,1.png,"
    '"[1, 1, 1, 0, 0]","[1, 1, 0, 0, 0]",3,2,36.0,68.0\r\n'
    '8,character,"ogre, old",mug,"ogre, old, mug",a.png,a.png,[1],[0],1,0,100.0,100.0\r\n'
)

texts = st.text("aZ7 ,;\"'[]\\é城🏰#", min_size=1, max_size=12).filter(str.strip)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_official_prompt_file_comes_out_byte_for_byte(tmp_path, line_end):
    path = tmp_path / "official.csv"
    content = PROMPTS.replace("\n", line_end).encode()
    path.write_bytes(content)
    suite = load_suite(str(path))
    assert [prompt.id for prompt in suite.prompts] == ["case001", "case002", "case300"]
    assert official_prompts_csv(suite.prompts, line_end) == content


def test_a_thousand_prompts_with_commas_quotes_and_unicode_survive_csv_and_yaml(tmp_path):
    names = ['the "Big" one', "a, b", "Łódź", "東京タワー", "d'Orsay", "50% [off]", "back\\slash", "colon: kind"]
    prompts = tuple(
        Prompt(
            f"case{n:03d}",
            f"{names[n % 8]} no. {n}, with “{n}” mugs",
            (Concept(names[n % 8], "landmark"), Concept(f"{n}” mug")),
            "dominance",
        )
        for n in range(1, 1001)
    )
    path = tmp_path / "many.csv"
    path.write_bytes(official_prompts_csv(prompts))
    assert load_suite(str(path)).prompts == prompts
    suite = Suite("many", prompts, 'with "quotes": and #')
    (tmp_path / "many.yaml").write_text(suite_yaml(suite), encoding="utf-8")
    assert load_suite(str(tmp_path / "many.yaml")) == suite


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=3))
def test_any_text_survives_the_official_prompt_file(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "official.csv"
    prompts = [
        Prompt(
            f"case{n:03d}",
            text.strip(),
            (Concept(f"{content.strip()}1", "artist"), Concept(thing.strip())),
            "dominance",
        )
        for n, (content, thing, text) in enumerate(rows, start=1)
        if f"{content.strip()}1" != thing.strip()
    ]
    path.write_bytes(official_prompts_csv(prompts))
    read = load_suite(str(path)).prompts if prompts else ()
    assert read == tuple(prompts)
    assert official_prompts_csv(read) == path.read_bytes()


def test_columns_of_the_independent_prompt_file_are_passed_over(tmp_path):
    path = tmp_path / "independent.csv"
    path.write_text(
        "case_num,content_type,content,nm_word,prompt,object_prompt_phrase,template_id,source\n"
        "1,artist,rembrandt,mug,a mug by rembrandt,a mug,t3,made\n"
    )
    assert load_suite(str(path)).prompts[0].concepts == (Concept("rembrandt", "artist"), Concept("mug"))
    path.write_text("case_num,content_type,content,nm_word,prompt,source2\n1,artist,r,mug,a mug by r,x\n")
    assert load_suite(str(path)).prompts[0].id == "case001"


def test_of_the_official_results_every_prompt_is_taken_once(tmp_path):
    path = tmp_path / "results.csv"
    path.write_bytes(RESULTS.encode())
    assert [prompt.id for prompt in load_suite(str(path)).prompts] == ["case007", "case008"]


def test_the_concept_that_is_no_object_is_the_content():
    tower, mug, lamp = Concept("tower", "landmark"), Concept("mug"), Concept("lamp")
    assert content_and_object(Prompt("p", "a mug and a tower", (mug, tower))) == (tower, mug)
    assert content_and_object(Prompt("p", "a mug and a lamp", (mug, lamp))) == (mug, lamp)
    with pytest.raises(InputError, match="prompt 'p' has 3 concepts but the official columns hold two"):
        content_and_object(Prompt("p", "all", (mug, lamp, tower)))


def test_case_numbers_come_from_the_ids_or_from_the_order():
    pair = (Concept("tower", "landmark"), Concept("mug"))
    cases = [Prompt("case012", "a tower and a mug", pair), Prompt("case003", "a tower, a mug", pair)]
    assert [line[:2] for line in official_prompts_csv(cases).decode().splitlines()[1:]] == ["12", "3,"]
    mixed = [cases[0], Prompt("other", "a mug", pair)]
    assert [line[:2] for line in official_prompts_csv(mixed).decode().splitlines()[1:]] == ["1,", "2,"]
    with pytest.raises(InputError, match="have the same case number"):
        official_prompts_csv([cases[0], dataclasses.replace(cases[0], id="case12")])


def test_official_results_come_out_byte_for_byte(tmp_path):
    path = tmp_path / "results.csv"
    path.write_bytes(RESULTS.encode())
    images = read_official_results(path)
    assert (images[0].case, images[0].dvd, images[0].content_answers) == (7, 100.0, (True,) * 5)
    assert images[2].prompt == Prompt(
        "case008", "ogre, old, mug", (Concept("ogre, old", "character"), Concept("mug")), "dominance"
    )
    assert official_results_csv(images) == RESULTS.encode()


@pytest.mark.parametrize(
    ("change", "to", "words"),
    [
        ("nm_score,", "", "the column 'nm_score' is missing"),
        (",[1],", ',"[1, 0]",', "line 4: 2 answers about content but 1 about nm_word"),
        (",[1],", ",[yes],", "line 4: content_answers is '[yes]'; give a list of 0 and 1"),
        (",5,0,100.0", ",4,0,100.0", "line 2: content_score is 4 but its answers have 5 yes"),
        (",36.0,", ",high,", "line 3: dvd_score is 'high'; give a number"),
        ("7,artist", "seven,artist", "line 2: case_num is 'seven'; give a whole number"),
        ("7,artist,", "7,painter,", "line 2: content: the concept 'rembrandt' has the unknown kind 'painter'"),
        ("rembrandt,mug,", "mug,mug,", "line 2: prompt case007: the concept 'mug' is marked twice"),
        (RESULTS.partition("\r\n")[2], "", "results.csv: contains only column names, no images"),
    ],
)
def test_results_that_contradict_themselves_are_refused(tmp_path, change, to, words):
    path = tmp_path / "results.csv"
    path.write_bytes(RESULTS.replace(change, to, 1).encode())
    with pytest.raises(InputError) as caught:
        read_official_results(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(("to", "fields"), [(",36.0", 12), (",36.0,68.0,1", 14)])
def test_results_with_more_or_fewer_fields_than_columns_are_refused(tmp_path, to, fields):
    path = tmp_path / "results.csv"
    path.write_bytes(RESULTS.replace(",36.0,68.0", to, 1).encode())
    with pytest.raises(InputError, match=rf"results\.csv: line 3: {fields} fields for 13 columns"):
        read_official_results(path)


def test_a_prompt_that_no_brackets_can_mark_is_written_with_its_concepts(tmp_path):
    prompt = Prompt("p", "Mugs in [a] Tower", (Concept("mug"), Concept("tower", "landmark")), None)
    path = tmp_path / "s.yaml"
    path.write_text(suite_yaml(Suite("s", (prompt,))))
    assert load_suite(str(path)).prompts == (prompt,)
    with pytest.raises(SuiteError, match="has no prompts"):
        suite_yaml(Suite("s", ()))
