"""Suites from every format: what they mean, what is refused and in which words; and the bundled ones."""

import dataclasses
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dominance.errors import InputError, SuiteError
from dominance.miniature.captions import PAIR_TEMPLATES, SINGLE_TEMPLATES, with_article
from dominance.miniature.concepts import BY_NAME, ENTITIES, OBJECTS
from dominance.miniature.world import HELD_OUT_PAIRS
from dominance.records import Concept, Gate, Prompt, Suite
from dominance.suites import bundled_suites, find_suite, load_suite
from golden import one_a_case

TOWER, MUG, LAMP = Concept("tower", "landmark"), Concept("mug"), Concept("lamp")
OFFICIAL = "case_num,content_type,content,nm_word,prompt\n"


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write_and_load(name: str, data: str | bytes) -> Suite:
        Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return load_suite(name)

    return write_and_load


@pytest.fixture
def refusal(load):
    def refuse(name: str, data: str | bytes) -> str:
        with pytest.raises(InputError) as caught:
            load(name, data)
        message = str(caught.value)
        assert message.startswith(f"{name}: ")
        assert message.isprintable(), "an error is one line"
        assert len(message) < 500
        return message.removeprefix(f"{name}: ")

    return refuse


# What a suite may be


def test_one_bracketed_prompt_is_a_suite():
    suite = load_suite("a [tower:landmark] and a [mug]")
    assert suite == Suite("a-tower-and-a-mug", (Prompt("a-tower-and-a-mug", "a tower and a mug", (TOWER, MUG)),))
    with pytest.raises(SuiteError, match=r"^prompt a-mug: the \[ at character 3 of 'a \[mug' is never closed"):
        load_suite("a [mug")


def test_an_unknown_suite_lists_the_bundled_ones_and_what_else_there_is(golden):
    messages = {}
    for spec in ("miniatur", "a tower and a mug", "suite", "", "x" * 10_000):
        with pytest.raises(SuiteError) as caught:
            load_suite(spec)
        messages[spec] = str(caught.value)
        assert all(name in messages[spec] for name in bundled_suites())
    golden("suites/unknown", one_a_case(messages))


@pytest.mark.parametrize(
    "spec", ["no.yaml", "no.YML", "no.csv", "no.jsonl", "a[1].csv", "no.json", "no.txt", "no.tsv", "no.parquet"]
)
def test_a_missing_file_is_not_taken_for_a_prompt(spec):
    with pytest.raises(InputError) as caught:
        load_suite(spec)
    assert str(caught.value) == f"{spec}: no such file; check the path"


# YAML


def test_a_yaml_suite_in_full(load):
    suite = load("mine.yaml", """
name: my suite
description: >
  What we
  ship.
gate: {max_collapse: 0.2, min_presence: 1, max_unscored: 0.05}
prompts:
  - "a [tower:landmark] and a [mug]"
  - {id: Case_1.b, prompt: "a [lamp]", group: single}
  - prompt: two Lamps beside the TOWER
    concepts: [lamp, {name: Tower, kind: landmark}]
  - {id: null, prompt: "a lamp: a [mug]", group: null, concepts: null}
""")  # fmt: skip
    assert suite == Suite(
        "my suite",
        (
            Prompt("a-tower-and-a-mug", "a tower and a mug", (TOWER, MUG)),
            Prompt("Case_1.b", "a lamp", (LAMP,), "single"),
            Prompt("two-lamps-beside-the-tower", "two Lamps beside the TOWER", (LAMP, Concept("Tower", "landmark"))),
            Prompt("a-lamp-a-mug", "a lamp: a mug", (MUG,)),
        ),
        "What we ship.",
        Gate(0.2, 1.0, 0.05),
    )


def test_a_suite_is_named_like_its_file_and_has_no_gate_unless_it_says_so(load):
    for name in ("my file.yaml", "my file.YML"):
        suite = load(name, "prompts: ['a [mug]']")
        assert (suite.name, suite.gate, suite.description) == ("my file", None, "")
    assert load("s.yaml", "gate: {max_collapse: 0}\nprompts: ['a [mug]']").gate == Gate(max_collapse=0.0)


def test_listed_concepts_stand_in_the_order_of_the_text(load):
    suite = load("s.yaml", "prompts: [{prompt: a mug near a tower, concepts: ['tower:landmark', mug]}]")
    assert suite.prompts[0].concepts == (MUG, TOWER)


@pytest.mark.parametrize(
    ("prompt", "concept"),
    [
        ("A MUG", "mug"),
        ("two mugs", "mug"),
        ("two buses", "bus"),
        ("the mug's handle", "mug"),
        ("an eiffel  tower.", "Eiffel Tower"),
        ("Café", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("杯子和铁塔", "铁塔"),
        ("smug mug", "mug"),
    ],
)
def test_a_listed_concept_is_found_as_whole_words_or_their_plural(load, prompt, concept):
    listed = json.dumps({"prompt": prompt, "concepts": [concept]}, ensure_ascii=False)
    assert len(load("s.jsonl", listed).prompts[0].concepts) == 1


def test_a_listed_concept_that_is_not_in_its_prompt_is_refused(refusal, golden):
    prompts = ("a smug face", "a muggle", "a lamp", "a m ug", "mugses", "mug_1")
    text = "prompts: ['a [lamp]', {{id: x, prompt: {}, concepts: [mug]}}]"
    golden("suites/absent", one_a_case({prompt: refusal("s.yaml", text.format(prompt)) for prompt in prompts}))


REFUSED_YAML = (
    "",
    "- a mug",
    "hello",
    "name: x",
    "prompts: a [mug]",
    "prompts: []",
    "promts: []",
    "prompts: []\nextra: 1",
    "prompts: []\n1: 1",
    "prompts: ['[a]', {promt: '[b]'}]",
    "prompts: [{id: a}]",
    "prompts: [[mug]]",
    "prompts: [null]",
    "prompts: &p [*p]",
    "prompts: ['']",
    "prompts: ['a mug']",
    "prompts: [{prompt: a mug, concepts: []}]",
    "prompts: [{prompt: 'a [mug]', concepts: [mug]}]",
    "prompts: [{prompt: a mug, concepts: 3}]",
    "prompts: [{prompt: a mug, concepts: [mug, 3]}]",
    "prompts: [{prompt: a mug, concepts: [{nme: mug}]}]",
    "prompts: [{prompt: a mug, concepts: [{kind: object}]}]",
    "prompts: [{prompt: a mug, concepts: [{name: mug, kind: thing}]}]",
    "prompts: [{prompt: a mug, concepts: [mug, MUG]}]",
    "prompts: [{prompt: 3}]",
    "prompts: [{id: 7.5, prompt: '[a]'}]",
    "prompts: [{group: yes, prompt: '[a]'}, {group: true, prompt: '[b]'}]",
    'prompts: [{group: "a\\nb", prompt: "[a]"}]',
    "prompts: [{id: a, prompt: '[a]'}, '[b]', {id: a, prompt: '[c]'}]",
    "prompts: [{id: a, prompt: '[a]'}, {id: A, prompt: '[c]'}]",
    "name: ''\nprompts: ['[a]']",
    "name: 3\nprompts: ['[a]']",
    "description: [x]\nprompts: ['[a]']",
    "gate: {max_colapse: 0}\nprompts: ['[a]']",
    "gate:\nprompts: ['[a]']",
    "gate: {}\nprompts: ['[a]']",
    "gate: {max_collapse: true}\nprompts: ['[a]']",
    "gate: {max_collapse: 20}\nprompts: ['[a]']",
    "gate: {min_presence: -0.1}\nprompts: ['[a]']",
    "gate: {max_collapse: 20%}\nprompts: ['[a]']",
    "gate: {max_unscored: .nan}\nprompts: ['[a]']",
    "gate: {max_unscored: null}\nprompts: ['[a]']",
)


def test_what_a_yaml_suite_is_refused_for(refusal, golden):
    golden("suites/yaml", one_a_case({text: refusal("suite.yaml", text) for text in REFUSED_YAML}))


@pytest.mark.parametrize("name", ["a/b", "a\\\\b", "..", "a\\nb", "x" * 81])
def test_a_suites_name_must_be_fit_for_a_folder(refusal, name):
    assert "name" in refusal("s.yaml", f'name: "{name}"\nprompts: ["a [mug]"]')


def test_an_unclosed_bracket_is_refused_in_every_format(refusal):
    reason = "prompt x: the [ at character 3 of 'a [mug' is never closed;"
    assert refusal("s.yaml", "prompts: [{id: x, prompt: 'a [mug'}]").startswith(f"prompts[0]: {reason}")
    assert refusal("s.csv", "id,prompt\nx,a [mug\n").startswith(f"line 2: {reason}")
    assert refusal("s.jsonl", '{"id": "x", "prompt": "a [mug"}').startswith(f"line 1: {reason}")


def test_a_text_that_no_model_could_read_is_refused_in_every_format(refusal):
    text = "a [mug] " + "x" * 100_000
    for name, data in (
        ("s.yaml", f"prompts: ['{text}']"),
        ("s.csv", f"prompt\n{text}\n"),
        ("s.jsonl", json.dumps({"prompt": text})),
    ):
        assert refusal(name, data).endswith("has 100008 characters, but at most 100000 are read; shorten it")


def test_another_programs_syntax_is_refused_in_every_format_and_counted(refusal):
    weight = "'(castle:1.3)' (a weight) is another program's prompt syntax, which the model would read as letters; "
    texts = ("a [mug]", "a (castle:1.3) and a [mug]", "a [castle|mug]", "a <lora:x:1> [mug]")
    for name, data, where in (
        ("s.yaml", "prompts:\n" + "".join(f"- {json.dumps(text)}\n" for text in texts), "prompts[1]"),
        ("s.csv", "prompt\n" + "".join(f"{text}\n" for text in texts), "line 3"),
        ("s.jsonl", "".join(json.dumps({"prompt": text}) + "\n" for text in texts), "line 2"),
        ("s.jsonl", "".join(json.dumps({"prompt": t.replace("[", "").replace("]", ""), "concepts": ["mug"]}) + "\n"
                            for t in texts), "line 2"),
    ):  # fmt: skip
        message = refusal(name, data)
        assert message.startswith(f"{where}: prompt ")
        assert weight in message
        if "concepts" not in data:
            assert message.endswith("; 2 more prompts have such syntax")


def test_another_programs_syntax_is_refused_in_official_files_suites_made_by_hand_and_negative_prompts(refusal):
    official = "case_num,content_type,content,nm_word,prompt\n1,landmark,castle,mug,a castle AND a mug\n"
    assert "line 2: prompt case001: 'AND' (joined prompts) is another program's" in refusal("o.csv", official)
    with pytest.raises(SuiteError, match=r"^prompt p: 'mug\+\+' \(a weight\)"):
        find_suite(Suite("s", (Prompt("p", "a mug++ and a castle", (Concept("mug"),)),)))
    avoided = json.dumps({"id": "p", "prompt": "a [mug]", "negative_prompt": "(blurry:1.4)"})
    assert "line 1: the negative prompt of p: '(blurry:1.4)' (a weight)" in refusal("n.jsonl", avoided)


@pytest.mark.parametrize("id", ["a", "A1", "_x", "case007", "a.b-c_d", "x" * 80])
def test_ids_that_can_name_a_folder(load, id):
    assert load("s.csv", f"id,prompt\n{id},a [mug]\n").prompts[0].id == id


def test_ids_that_cannot(refusal, golden):
    ids = (".", "..", ".a", "-a", "a/b", "a b", "é", "a\\", "x" * 81, "a:b", "ａ")
    golden("suites/ids", one_a_case({id: refusal("s.csv", f"id,prompt\n{id},a [mug]\n") for id in ids}))


def test_default_ids_are_slugs_made_unique_without_taking_a_given_one(load):
    suite = load("s.yaml", """
prompts: ["a [mug]", "A [Mug]!", {id: A-mug-2, prompt: "[b]"}, "a [mug]", "[杯子]", "[铁塔]", "[Café] Ünder"]
""")  # fmt: skip
    ids = [prompt.id for prompt in suite.prompts]
    assert ids == ["a-mug", "a-mug-3", "A-mug-2", "a-mug-4", "prompt-95f9e8", "prompt-54211e", "cafe-under"]


def test_a_long_default_id_ends_with_a_whole_word(load):
    text = " ".join(["[mug]", *("word" for _ in range(100))])
    assert load("s.jsonl", json.dumps({"prompt": text})).prompts[0].id == "mug" + "-word" * 11
    assert load("s.jsonl", json.dumps({"prompt": "[" + "x" * 200 + "]"})).prompts[0].id == "x" * 60


# CSV


def test_a_csv_suite_with_a_byte_order_mark_quotes_commas_and_crlf(load):
    suite = load("mine.csv", (
        '\ufeffid, prompt ,group,concepts\r\n'
        'x,"a tower, ""tall"", and a mug",g,tower:landmark;mug\r\n'
        '\r\n'
        ',"a [lamp], lit",,\r\n'
    ))  # fmt: skip
    assert suite == Suite(
        "mine",
        (
            Prompt("x", 'a tower, "tall", and a mug', (TOWER, MUG), "g"),
            Prompt("a-lamp-lit", "a lamp, lit", (LAMP,)),
        ),
    )


def test_a_spreadsheet_of_a_country_with_decimal_commas_separates_by_semicolons(load):
    text = '\ufeffid;prompt;concepts\r\nx;a tower, and a mug;"tower:landmark;mug"\r\n;;\r\n'
    assert load("s.csv", text).prompts == (Prompt("x", "a tower, and a mug", (TOWER, MUG)),)


def test_only_the_prompt_column_is_needed(load):
    assert load("s.csv", "prompt\na [mug]").prompts == (Prompt("a-mug", "a mug", (MUG,)),)


def test_official_columns_are_read_as_they_are_in_any_order(load):
    suite = load("official.csv", (
        "\ufeffPrompt,nm_word,case_num,content,content_type\n"
        '"A coaster [x] of a castle, seen",coaster,7,Neuschwanstein Castle,Landmarks\n'
        '"A coaster [x] of a castle, seen",coaster,008,Neuschwanstein Castle,LANDMARK\n'
        "a plate by monet,plate,1234,claude monet,artists\n"
        "a mario mug,mug,12,mario,Character\n"
    ))  # fmt: skip
    castle, text = Concept("Neuschwanstein Castle", "landmark"), "A coaster [x] of a castle, seen"
    assert suite.name == "official"
    assert suite.prompts == (
        Prompt("case007", text, (castle, Concept("coaster")), "dominance"),
        Prompt("case008", text, (castle, Concept("coaster")), "dominance"),
        Prompt("case1234", "a plate by monet", (Concept("claude monet", "artist"), Concept("plate")), "dominance"),
        Prompt("case012", "a mario mug", (Concept("mario", "character"), MUG), "dominance"),
    )


REFUSED_CSV = (
    "",
    "\r\n\r\n",
    "prompt\n",
    OFFICIAL,
    "id,group\na,b",
    "promt\na",
    "id|prompt\n1|a",
    "id;prompt\n1;a;b",
    "prompt,seed\n1,a",
    "prompt,Prompt\na,b",
    "prompt,id\na [mug]",
    "prompt,id\n[a],b\n[a], b, c",
    'prompt\n[a]\n"a [mug]\n[b]',
    'prompt\n"a" [mug]',
    'prompt\n"[a]\n"\n\n"b\n[c]"',
    "prompt,concepts\na mug,mug;",
    "prompt,concepts\na mug,lamp",
    "prompt,id\n[a],x\n[b],y\n[c],x",
    "prompt,case_num\na,1",
    OFFICIAL + "1,landmark,tower,mug,x\n001,landmark,tower,mug,x\n",
    OFFICIAL + "one,landmark,tower,mug,x\n",
    OFFICIAL + "-1,landmark,tower,mug,x\n",
    OFFICIAL + "1,building,tower,mug,x\n",
    OFFICIAL + "1,landmark,tower,,x\n",
    OFFICIAL + "1,object,mug,Mug,x\n",
    OFFICIAL + "1,landmark,tower,mug,\n",
)


def test_what_a_csv_suite_is_refused_for(refusal, golden):
    golden("suites/csv", one_a_case({text: refusal("suite.csv", text) for text in REFUSED_CSV}))


def test_files_that_are_not_utf8_text_are_refused(refusal):
    latin1 = refusal("s.csv", "prompt\na [café]\n".encode("latin1"))
    assert latin1 == (
        "is not UTF-8: byte 0xe9 at offset 13 (line 2); convert it, for example from Latin-1 with: "
        "iconv -f latin1 -t utf-8 s.csv > s.utf8.csv"
    )
    binary = refusal("s.csv", b"\x7fELF\r\n\x1a\0\0")
    assert binary == "is a binary file (a NUL byte at offset 7); give a text file in UTF-8"


# JSON lines


def test_a_jsonl_suite(load):
    lines = [
        {"prompt": "a [tower:landmark] and a [mug]"},
        {"id": "x", "prompt": "a mug", "concepts": [{"name": "mug"}], "group": "single"},
        {"prompt": "a [杯子]", "id": None, "group": None, "concepts": None},
    ]
    text = "\ufeff" + "\r\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    assert load("mine.jsonl", text) == Suite(
        "mine",
        (
            Prompt("a-tower-and-a-mug", "a tower and a mug", (TOWER, MUG)),
            Prompt("x", "a mug", (MUG,), "single"),
            Prompt("a-432b41", "a 杯子", (Concept("杯子"),)),
        ),
    )


REFUSED_JSONL = (
    "",
    "\n \n",
    '{"prompt": "[a]"}\n{',
    '["a mug"]',
    '\n"a [mug]"',
    '{"prompt": "[a]", "prompt": "[b]"}',
    '{"prompt": "[a]", "concept": []}',
    '{"prompt": "\\ud800 [a]"}',
    '{"prompt": "a\u2028[a]"}',
)


def test_what_a_jsonl_suite_is_refused_for(refusal, golden):
    golden("suites/jsonl", one_a_case({text: refusal("suite.jsonl", text) for text in REFUSED_JSONL}))


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000])
def test_json_that_python_gives_up_on_is_refused(refusal, text):
    assert refusal("s.jsonl", text).startswith("line 1: this JSON cannot be read (")


def test_more_than_a_hundred_thousand_prompts_are_refused_before_they_are_read(refusal):
    wanted = "has 100001 prompts, but a suite may have at most 100000; split it into several suites"
    assert refusal("s.csv", "prompt\n" + "x\n" * 100_001) == wanted
    assert refusal("s.jsonl", "x\n" * 100_001) == wanted


# The bundled suites


def groups(suite: Suite) -> dict[str | None, list[Prompt]]:
    ordered = sorted(suite.prompts, key=lambda prompt: str(prompt.group))
    return {group: list(prompts) for group, prompts in itertools.groupby(ordered, key=lambda prompt: prompt.group)}


def pair(prompt: Prompt) -> tuple[str, ...]:
    return tuple(concept.name for concept in prompt.concepts)


def templates(prompt: Prompt) -> list[str]:
    """The miniature world's templates that this prompt's text follows."""
    names = dict(zip("ab", map(with_article, pair(prompt)), strict=False))
    fitting = PAIR_TEMPLATES if len(prompt.concepts) == 2 else SINGLE_TEMPLATES
    return [template for template in fitting if template.format(**names) == prompt.text]


def test_the_bundled_suites_are_those_in_the_folder():
    assert bundled_suites() == tuple(sorted(bundled_suites()))
    assert {"miniature", "miniature-balanced", "miniature-dominance"} <= set(bundled_suites())


@pytest.mark.parametrize("name", bundled_suites())
def test_a_bundled_suite_says_what_it_is_and_has_no_prompt_twice(name):
    suite = load_suite(name)
    assert suite.name == name
    assert suite.description
    assert suite.gate is None
    assert len({prompt.text for prompt in suite.prompts}) == len(suite.prompts)


@pytest.mark.parametrize("name", [name for name in bundled_suites() if name.startswith("miniature")])
def test_a_suite_for_the_miniature_world_speaks_its_words(name):
    suite = load_suite(name)
    for prompt in suite.prompts:
        assert all(BY_NAME[concept.name].kind == concept.kind for concept in prompt.concepts), prompt
        assert len(templates(prompt)) == 1 or len(prompt.concepts) == 3, prompt


def test_the_default_suite_is_a_small_mix():
    grouped = groups(load_suite("miniature"))
    counts = {group: len(prompts) for group, prompts in grouped.items()}
    assert counts == {"entity-object": 12, "object-object": 6, "single": 3, "three": 1}
    firsts = Counter(pair(prompt)[0] for prompt in grouped["entity-object"])
    seconds = Counter(pair(prompt)[1] for prompt in grouped["entity-object"])
    assert all(firsts[entity] == seconds[entity] == 1 for entity in ENTITIES)
    assert {name for prompt in grouped["entity-object"] for name in pair(prompt)} == {*ENTITIES, *OBJECTS}
    held_out = {frozenset(pair(prompt)) for prompt in grouped["object-object"]}
    assert len(held_out) == 6
    assert held_out < HELD_OUT_PAIRS
    assert {len(pair(prompt)) for prompt in grouped["single"]} == {1}
    assert [prompt.text for prompt in grouped["three"]] == ["a castle and a book and a chair"]


def test_the_dominance_suite_pairs_every_entity_with_every_object_in_alternating_order():
    grouped = groups(load_suite("miniature-dominance"))
    assert list(grouped) == ["entity-object"]
    pairs = [pair(prompt) for prompt in load_suite("miniature-dominance").prompts]
    wanted = {frozenset(wanted) for wanted in itertools.product(ENTITIES, OBJECTS)}
    assert len(pairs) == len(wanted) == 48
    assert {frozenset(names) for names in pairs} == wanted
    for name in (*ENTITIES, *OBJECTS):
        assert sum(names[0] == name for names in pairs) == sum(names[1] == name for names in pairs)
    phrasing = Counter((templates(prompt)[0], pair(prompt)[0] in ENTITIES) for prompt in grouped["entity-object"])
    assert set(phrasing.values()) == {6}, "no order is tied to a template"


def test_the_balanced_suite_is_exactly_the_held_out_pairs_in_both_orders():
    suite = load_suite("miniature-balanced")
    assert list(groups(suite)) == ["object-object"]
    assert len(suite.prompts) == 16
    pairs = {pair(prompt) for prompt in suite.prompts}
    assert pairs == {order for names in HELD_OUT_PAIRS for order in itertools.permutations(names)}


def test_the_miniatures_bench_ships_with_its_balanced_twin():
    bench, twin = load_suite("miniature-bench"), load_suite("miniature-bench-balanced")
    assert bench.prompts and twin.prompts
    assert ({p.group for p in bench.prompts}, {p.group for p in twin.prompts}) == ({"dominance"}, {"balanced"})


# Suites made by hand

PLAIN_MUG = Prompt("mug", "a mug", (Concept("mug"),))


@pytest.mark.parametrize(
    ("prompts", "found"),
    [
        ((), "no prompts"),
        ((PLAIN_MUG, dataclasses.replace(PLAIN_MUG, id="MUG")), "same id"),
        ((dataclasses.replace(PLAIN_MUG, id="../../etc"),), "cannot name a folder"),
        ((dataclasses.replace(PLAIN_MUG, text=""),), "text is empty"),
        ((dataclasses.replace(PLAIN_MUG, text="a\nmug"),), "control character"),
        ((dataclasses.replace(PLAIN_MUG, concepts=()),), "marks no concept"),
        ((dataclasses.replace(PLAIN_MUG, concepts=(Concept("mug"), Concept("Mug"))),), "marked twice"),
        ((dataclasses.replace(PLAIN_MUG, concepts=(Concept("mug", "animal"),)),), "unknown kind"),
        ((dataclasses.replace(PLAIN_MUG, seeds=()),), "prompt mug: 0 seeds"),
        ((dataclasses.replace(PLAIN_MUG, seeds=(1, 1)),), "prompt mug: the seed 1 is given twice"),
        ((dataclasses.replace(PLAIN_MUG, negative_prompt="a\nlamp"),), "negative_prompt: the control character"),
    ],
)
def test_a_suite_built_by_hand_must_be_one_that_a_file_could_hold(prompts: Any, found: str) -> None:
    with pytest.raises(SuiteError, match=found):
        find_suite(Suite("by-hand", prompts))


def test_a_good_suite_is_given_back_and_a_bad_name_refused() -> None:
    suite = Suite("by-hand", (PLAIN_MUG,))
    assert find_suite(suite) is suite
    with pytest.raises(SuiteError, match="name"):
        find_suite(Suite("../up", (PLAIN_MUG,)))


# A prompt's own negative prompt and seeds


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.yaml", 'prompts: [{prompt: "a [mug]", negative_prompt: " dark, blurred", seeds: [7, 8]}, "a [lamp]"]'),
        ("s.csv", 'prompt,negative_prompt,seeds\na [mug],"dark, blurred",7;8\na [lamp],,\n'),
        (
            "s.jsonl",
            '{"prompt": "a [mug]", "negative_prompt": "dark, blurred", "seeds": "7,8"}\n{"prompt": "a [lamp]"}',
        ),
    ],
)
def test_a_prompt_may_bring_its_negative_prompt_and_seeds(load, name, text):
    own, plain = load(name, text).prompts
    assert (own.negative_prompt, own.seeds) == ("dark, blurred", (7, 8))
    assert (plain.negative_prompt, plain.seeds) == (None, None)


@pytest.mark.parametrize(("written", "seeds"), [("3", (0, 1, 2)), ("'3'", (0, 1, 2)), ("[3]", (3,)), ("'3,'", (3,))])
def test_seeds_of_a_prompt_are_a_count_or_a_list(load, written, seeds):
    assert load("s.yaml", f"prompts: [{{prompt: '[a]', seeds: {written}}}]").prompts[0].seeds == seeds


def test_what_a_prompts_own_settings_are_refused_for(refusal, golden):
    settings = (
        "seeds: []", "seeds: [1, 1]", "seeds: [-1]", "seeds: [true]", "seeds: 0", "seeds: many", "seeds: true",
        "seeds: 1.5", "negative_prompt: 7",
    )  # fmt: skip
    found = {key: refusal("s.yaml", f"prompts: [{{prompt: '[a]', {key}}}]") for key in settings}
    golden("suites/settings", one_a_case(found))
