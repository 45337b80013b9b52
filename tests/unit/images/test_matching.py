"""Texts and names that stand for a prompt: forgiving, and never a guess."""

import pytest

from dominance.images.matching import Matcher, folder_case, words
from dominance.records import Concept, Prompt, Suite

TEXTS = {
    "wizard": "a wizard beside a lamp",
    "castle": "A castle, with a painter's chair!",
    "cafe": "a café at night",
    "two": "two lamps 2",
    "lamps": "two lamps",
    "00007": "a mug",
    "long": "a very long prompt about a wizard who sits beside a lamp and reads a book in the night",
}


def suite(texts: dict[str, str] = TEXTS) -> Suite:
    return Suite("s", tuple(Prompt(id, text, (Concept("x"),)) for id, text in texts.items()))


def ids(found: frozenset[Prompt]) -> set[str]:
    return {prompt.id for prompt in found}


def test_the_case_of_a_folder_is_its_number_however_it_is_written() -> None:
    names = ("case002_a castle", "Case2_a", "case0002", "case2", "case2a", "case_2", "acase2_x", "case²_x", "castle")
    assert [folder_case(name) for name in names] == [2, 2, 2, 2, None, None, None, None, None]


@pytest.mark.parametrize(
    "text",
    [
        "a wizard beside a lamp",
        " A  Wizard\nbeside a lamp. ",
        "a [wizard:character] beside a [lamp]",
        "(a wizard:1.3) beside a ((lamp)) <lora:style:0.7>",
        "a_wizard_beside_a_lamp",
    ],
)
def test_texts_are_compared_by_their_words(text: str) -> None:
    assert ids(Matcher(suite()).by_text(text)) == {"wizard"}


@pytest.mark.parametrize("text", ["", "a wizard", "a wizard beside a lamp, at night", "wizard beside lamp", "!!", "7"])
def test_other_texts_are_no_prompts(text: str) -> None:
    assert Matcher(suite()).by_text(text) == frozenset()


def test_texts_that_differ_in_what_is_not_compared_are_told_apart_if_exact() -> None:
    matcher = Matcher(suite({"a": "a mug", "b": "A mug!", "c": "a lamp", "d": "a lamp"}))
    assert ids(matcher.by_text("A mug!")) == {"b"}
    assert ids(matcher.by_text("A MUG")) == {"a", "b"}
    assert ids(matcher.by_text("a lamp")) == {"c", "d"}


@pytest.mark.parametrize(
    ("stem", "found"),
    [
        ("a wizard beside a lamp_000000", {"wizard"}),
        ("a wizard beside a lamp (3)", {"wizard"}),
        ("00012-998877-a wizard beside a lamp", {"wizard"}),
        ("A_castle__with_a_painter_s_chair_-1", {"castle"}),
        ("a castle with a painters chair", {"castle"}),
        ("a caf_ at night", {"cafe"}),
        ("a-cafe-at-night_2", {"cafe"}),
        ("wizard_3", {"wizard"}),
        ("WIZARD", {"wizard"}),
        ("two lamps 2", {"two", "lamps"}),
        ("a very long prompt about a wizard who sits beside a la_0001", {"long"}),
        ("00007", {"00007"}),
        ("00007_3", set()),
        ("00007-123456", set()),
        ("7", set()),
        ("a", set()),
        ("wizard beside", set()),
        ("IMG_1234", set()),
        ("_", set()),
    ],
)
def test_files_named_by_a_prompt(stem: str, found: set[str]) -> None:
    assert ids(Matcher(suite()).by_file(stem, alone=True)) == found


def test_a_number_is_an_id_only_in_a_folder_of_all_images() -> None:
    assert Matcher(suite()).by_file("00007", alone=False) == frozenset()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Wizard", {"wizard"}),
        ("a wizard beside a lamp", {"wizard"}),
        ("003_a wizard beside a lamp", {"wizard"}),
        ("00007", {"00007"}),
        ("samples", set()),
        ("2024-05-01", set()),
    ],
)
def test_folders_named_by_a_prompt(name: str, found: set[str]) -> None:
    assert ids(Matcher(suite()).by_folder(name)) == found


def test_what_a_name_might_be() -> None:
    matcher = Matcher(suite())
    assert matcher.near("wizard_with_lamp") == "wizard"
    assert matcher.near("wizzard") == "wizard"
    assert matcher.near("entirely other") is None
    assert matcher.near("") is None


def test_scripts_without_ascii_are_told_apart() -> None:
    matcher = Matcher(suite({"a": "ランプと城", "b": "城とランプ"}))
    assert ids(matcher.by_file("ランプと城_0001", alone=True)) == {"a"}
    assert words("Ωμέγα") == "ωμεγα"
