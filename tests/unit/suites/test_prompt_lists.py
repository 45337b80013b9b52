"""Prompt lists as the public has them: recognised by their content, and searched where they name no concept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dominance.errors import InputError, SuiteError
from dominance.records import Concept, Prompt, Suite
from dominance.suites import find_suite, load_suite
from dominance.suites.reading import Reading, notes_on
from dominance.suites.suites import read_suite
from golden import one_a_case

TWO = "a castle and a chair"
COCO = {"info": {}, "images": [], "annotations": [{"image_id": 9, "id": 31, "caption": "Two cats \n on a couch.\n"}]}
TIFA = [
    {"id": "t_1", "caption": "A red tower by mugs.", "element_type": kind, "element": element, "question": "?"}
    for kind, element in (("object", "mug"), ("color", "red"), ("object", "tower"), ("object", "mug"), ("food", "pie"))
]
COMFY = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a mug", "clip": ["4", 1]}}}
COMFY_PAGE = {"nodes": [{"type": "KSampler", "widgets_values": [1]},
                        {"type": "CLIPTextEncode", "widgets_values": ["a mug"]}], "links": []}  # fmt: skip

Read = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.chdir(tmp_path)

    def write_and_read(name: str, content: Any, concepts: str | None = None) -> Reading:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_suite(name, concepts)

    return write_and_read


def told(reading: Reading) -> list[tuple[str, str, list[str], str | None]]:
    """Id, text, concepts and group of each prompt."""
    return [(p.id, p.text, [concept.name for concept in p.concepts], p.group) for p in reading.suite.prompts]


# Lists that name their concepts


def test_geneval_gives_its_classes_as_concepts_and_its_tag_as_group(read: Read) -> None:
    rows = [
        {"tag": "counting", "include": [{"class": "mug", "count": 2}], "exclude": [{"class": "mug", "count": 3}],
         "prompt": "a photo of two mugs"},
        {"tag": "color_attr", "include": [{"class": "chair", "color": "red"}, {"class": "castle", "color": "blue"}],
         "prompt": "a photo of a blue castle and a red chair"},
    ]  # fmt: skip
    wanted = [
        ("a-photo-of-two-mugs", "a photo of two mugs", ["mug"], "counting"),
        ("a-photo-of-a-blue-castle-and-a-red-chair", rows[1]["prompt"], ["castle", "chair"], "color_attr"),
    ]
    lines = "\n".join(map(json.dumps, rows))
    for name, content in (("evaluation_metadata.jsonl", lines), ("g.json", rows), ("g.txt", lines), ("g.json", lines)):
        reading = read(name, content)
        assert told(reading) == wanted
        assert reading.understood.form.startswith("GenEval")


def test_tifas_elements_that_are_things_are_concepts_if_the_caption_names_them(read: Read) -> None:
    reading = read("tifa.json", TIFA)
    assert told(reading) == [("t_1", "A red tower by mugs.", ["tower", "mug"], None)]
    assert [(left.what, left.text) for left in reading.left_out] == [("concept", "pie")]


def test_the_official_file_may_have_more_columns(read: Read) -> None:
    text = "case_num,content_type,content,nm_word,prompt,dvd_score\n1,landmarks,Tower,Mug,A tower-shaped mug,80\n"
    reading = read("o.csv", text)
    assert reading.suite.prompts[0].concepts == (Concept("Tower", "landmark"), Concept("Mug"))
    assert reading.understood.unused == ("dvd_score",)


@pytest.mark.parametrize(
    "written",
    ["tower:landmark;mug", "tower:landmark, mug", "['tower:landmark', 'mug']", '["tower:landmark", "mug"]'],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_concepts_in_a_cell_are_split_however_they_are_written(read: Read, written: str, mark: str) -> None:
    cell = '"' + written.replace('"', '""') + '"'
    text = f"{mark}prompt{mark}concepts\n0{mark}a tower and a mug{mark}{cell}\n"
    assert read("s.csv", text).suite.prompts[0].concepts == (Concept("tower", "landmark"), Concept("mug"))


def test_a_concept_with_a_comma_in_its_name_stays_whole(read: Read) -> None:
    text = 'prompt,concepts\n"the ogre, old, and a mug","ogre, old:character"\n'
    assert read("s.csv", text).suite.prompts[0].concepts == (Concept("ogre, old", "character"),)


def test_ids_and_groups_may_be_numbers_and_seed_is_one_seed(read: Read) -> None:
    row = {"id": 7, "group": 3, "prompt": "a [mug]", "seed": 5}
    for name, content in (
        ("s.jsonl", row), ("s.json", [row]), ("s.yaml", {"prompts": [row]}),
        ("s.csv", "id,group,prompt,seed\n7,3,a [mug],5"),
    ):  # fmt: skip
        (prompt,) = read(name, content).suite.prompts
        assert (prompt.id, prompt.group, prompt.seeds) == ("7", "3", (5,))
    assert read("s.csv", "prompt,seed\na [mug],7.0\n").suite.prompts[0].seeds == (7,), "as pandas writes it"
    by_id = read("s.json", {"00001": {"prompt": "a [mug]"}, "b c": {"prompt": "a [lamp]"}})
    assert [row[0] for row in told(by_id)] == ["00001", "b-c"]
    with pytest.raises(SuiteError, match="both seed and seeds are given"):
        read("s.json", [{**row, "seeds": 2}])


def test_attend_and_excites_indices_are_words_where_that_is_certain(read: Read) -> None:
    text = "prompts:\n - prompt: a cat and a frog\n   token_indices: [2, 5]\n   seeds: [1]\n"
    assert told(read("ae.yaml", text))[0][2] == ["cat", "frog"]
    with pytest.raises(SuiteError, match="'grizzly' may be several of them; list the words under concepts"):
        read("ae.yaml", text.replace("cat", "grizzly bear"))
    with pytest.raises(SuiteError, match="has words 1 to 5"):
        read("ae.yaml", text.replace("[2, 5]", "[2, 9]"))


# Lists that name none

BARE = {
    "T2I-CompBench": ("t2i.txt", f"a tower in front of a mug.\n\n{TWO}\n"),
    "PartiPrompts": ("parti.tsv", f"Prompt\tCategory\tChallenge\tNote\n{TWO}\tArts\tBasic\t\n"),
    "DrawBench": ("draw.csv", f"Prompts,Category\n{TWO},Positional\n"),
    "HPSv2": ("hps.json", ["a tower [1] and a mug", TWO]),
    "HPSv2, by id": ("by_id.json", {"0": "a tower", "1": TWO}),
    "imagefolder": ("metadata.jsonl", {"file_name": "1.png", "text": TWO}),
    "imagefolder, CSV": ("metadata.csv", f"file_name,text\n1.png,{TWO}\n"),
    "COCO": ("captions_val.json", COCO),
    "LAION": ("laion.csv", f"SAMPLE_ID,URL,TEXT\n1,http://x,{TWO}\n"),
    "LAION, lines": ("laion.jsonl", {"url": "http://x", "caption": TWO, "width": 3}),
    "a table named .txt": ("table.txt", f"id\tprompt\nx\t{TWO}\n"),
    "JSON named .csv": ("json.csv", [TWO]),
    "a list in YAML": ("list.yaml", f"- {TWO}\n"),
    "without an ending": ("prompts", f"{TWO}\n"),
}


def test_without_concepts_one_line_says_so_and_how_to_give_them(read: Read, golden: Any) -> None:
    messages = {}
    for case, (name, content) in BARE.items():
        with pytest.raises(SuiteError) as caught:
            read(name, content)
        messages[case] = str(caught.value)
        assert "--concepts coco" in messages[case]
        assert len(messages[case]) < 500
    golden("suites/bare", one_a_case(messages))


def test_a_word_list_finds_them(read: Read) -> None:
    Path("words.txt").write_text("# mine\n\ntower:landmark\nmug\ncastle\nchair\ncat\ncouch\n")
    found = {case: told(read(name, content, "words.txt")) for case, (name, content) in BARE.items()}
    assert all(rows[-1][2] in (["castle", "chair"], ["cat", "couch"]) for rows in found.values())
    assert found["COCO"] == [("31", "Two cats on a couch.", ["cat", "couch"], None)]
    assert found["HPSv2"][0][1] == "a tower [1] and a mug" or found["HPSv2"][0][2] == ["1"]
    groups = {case: rows[-1][3] for case, rows in found.items() if rows[-1][3]}
    assert groups == {"PartiPrompts": "Arts", "DrawBench": "Positional"}


def test_prompts_without_a_word_of_the_list_are_left_out_counted_and_named(read: Read, capsys: Any) -> None:
    reading = read("s.txt", "a sunset\ntwo dogs on a couch\nthe void\na lone dog\n", "coco")
    assert [row[2] for row in told(reading)] == [["dog", "couch"], ["dog"]]
    assert [(left.where, left.text) for left in reading.left_out] == [("line 1", "a sunset"), ("line 3", "the void")]
    find_suite("s.txt", "coco")
    assert capsys.readouterr().err.splitlines() == [
        "note: s.txt: read as list of prompts (text, one a line): 2 prompts, concepts found by the words of coco",
        "note: s.txt: left out: 2 prompts: line 1, 'a sunset': no concept found, and so on; `dominance suite check`"
        " lists them",
        "note: s.txt: only one concept is found in 1 prompt: it can be lost, but nothing else can take over",
    ]
    with pytest.raises(
        SuiteError, match=r"no prompt names one of the 80 words of 'coco' \(1 prompt, such as 'a sunset'"
    ):
        read("s.txt", "a sunset", "coco")


def test_own_concepts_count_and_only_the_others_are_searched(read: Read) -> None:
    reading = read("s.txt", "a [tower:landmark] by a dog\na dog on a couch\n", "coco")
    assert [row[2] for row in told(reading)] == [["tower"], ["dog", "couch"]]
    with pytest.raises(SuiteError, match="1 of 2 prompts without concepts, such as 'a dog on a couch'"):
        read("s.txt", "a [tower:landmark] by a dog\na dog on a couch\n")
    assert notes_on(read("s.txt", "a [dog]", "coco")) == [
        "s.txt: every prompt names its concepts; --concepts coco is not needed"
    ]


def test_a_prompt_that_cannot_be_used_does_not_stop_a_public_list(read: Read) -> None:
    reading = read("l.jsonl", '{"url": "u", "text": null}\n{"url": "u", "text": "a [dog] \\n on a couch"}\n', "coco")
    assert told(reading)[0][1] == "a [dog] on a couch"
    assert [left.where for left in reading.left_out] == ["line 1"]


def test_a_suite_made_in_python_and_a_plain_prompt_are_searched_too() -> None:
    suite = Suite("s", (Prompt("p", "two dogs on a couch", ()),))
    wanted = (Concept("dog"), Concept("couch"))
    assert find_suite(suite, "coco").prompts[0].concepts == wanted
    assert load_suite("two dogs on a couch", "coco").prompts[0].concepts == wanted


def test_parquet_is_read_where_pyarrow_is_and_else_says_how(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"URL": ["u"], "TEXT": [TWO], "jpg": [b"\0"]}), "p.parquet")
    assert told(Reading(load_suite("p.parquet", "coco"), None))[0][2] == ["chair"]  # ty: ignore[invalid-argument-type]
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'dominance\[parquet\]'"):
        load_suite("p.parquet", "coco")


# What is no list

FOREIGN = {
    "ComfyUI's API": ("c.json", COMFY),
    "ComfyUI's page": ("c.json", COMFY_PAGE),
    "A1111's parameters": ("i.txt", "a mug\nNegative prompt: blur\nSteps: 20, Sampler: Euler a, Seed: 1\n"),
    "A1111's arguments": ("a.txt", '--prompt "a mug" --seed 1\n'),
    "A1111's arguments among prompts": ("a.txt", 'a mug\n--prompt "a mug" --seed 1\n'),
    "A1111's styles": ("styles.csv", 'name,prompt,negative_prompt\nx,"masterpiece, {prompt}",blur\n'),
    "styles in JSON": ("styles.json", [{"name": "x", "prompt": "{prompt}, film", "negative_prompt": ""}]),
    "COCO's boxes": ("i.json", {"annotations": [{"image_id": 1, "category_id": 2, "bbox": []}]}),
    "a picture": ("p.png", b"\x89PNG\r\n\x1a\n\0"),
    "a spreadsheet": ("p.xlsx", b"PK\x03\x04\0\xff"),
    "a model's settings": ("model_index.json", {"_class_name": "X"}),
    "JSON with a slip": ("s.json", '["a mug",]'),
    "a number": ("s.json", "7"),
    "not Parquet": ("s.parquet", "a mug"),
    "no text": ("s.jsonl", {"file_name": "1.png", "label": 3}),
    "nothing": ("s.txt", "\n"),
}


def test_other_programs_files_are_refused_by_their_name(read: Read, golden: Any) -> None:
    messages = {}
    for case, (name, content) in FOREIGN.items():
        with pytest.raises(InputError) as caught:
            read(name, content)
        messages[case] = str(caught.value)
        assert messages[case].startswith(f"{name}: ")
        assert messages[case].isprintable()
    golden("suites/foreign", one_a_case(messages))


def test_a_folder_is_never_called_missing(tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").write_text("{}")
    with pytest.raises(InputError, match=r"is a folder; give a file of prompts, such as '.*metadata\.jsonl'"):
        load_suite(str(tmp_path))
