"""The bracket form of a prompt: what it means, what is refused and in which words."""

import pytest

from dominance.errors import SuiteError
from dominance.records import KINDS, Concept, Prompt
from dominance.suites import bracketed, parse_prompt

TOWER, MUG = Concept("tower", "landmark"), Concept("mug")
PAIRING = "write each concept as [name] or [name:kind], and a literal bracket as"


def refusal(text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        parse_prompt(text, "p1")
    message = str(caught.value)
    assert message.startswith("prompt p1: ")
    assert message.isprintable(), "an error is one line"
    assert len(message) < 500
    return message.removeprefix("prompt p1: ")


def test_the_brackets_are_not_part_of_the_text_and_the_concepts_keep_their_order():
    prompt = parse_prompt("a [neuschwanstein castle:landmark] on a [coaster]", "case007", "dominance")
    concepts = (Concept("neuschwanstein castle", "landmark"), Concept("coaster", "object"))
    assert prompt == Prompt("case007", "a neuschwanstein castle on a coaster", concepts, "dominance")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_written(kind):
    assert parse_prompt(f"[x:{kind}]", "p").concepts == (Concept("x", kind),)


@pytest.mark.parametrize(
    ("text", "plain", "names"),
    [
        ("  a [ mug ]  ", "a mug", ["mug"]),
        ("a [tower : landmark ] and a [mug]", "a tower and a mug", ["tower", "mug"]),
        ("[star wars: a new hope:object]", "star wars: a new hope", ["star wars: a new hope"]),
        (r"a [mug] \[blue\]", "a mug [blue]", ["mug"]),
        (r"a [\[x\] mug]", "a [x] mug", ["[x] mug"]),
        (r"a \\[mug]", "a \\mug", ["mug"]),
        (r"a \n [mug]", r"a \n mug", ["mug"]),
        ("[mug]s and [clock]s", "mugs and clocks", ["mug", "clock"]),
        ("杯子和[埃菲尔铁塔:landmark]", "杯子和埃菲尔铁塔", ["埃菲尔铁塔"]),
        ("a [cafe\N{COMBINING ACUTE ACCENT}]", "a café", ["café"]),
        ("a [👩‍🚀:character]", "a 👩‍🚀", ["👩‍🚀"]),
    ],
)
def test_what_brackets_mean(text, plain, names):
    prompt = parse_prompt(text, "p")
    assert prompt.text == plain
    assert [concept.name for concept in prompt.concepts] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a [mug", rf"the [ at character 3 of 'a [mug' is never closed; {PAIRING} \["),
        ("a mug] b", rf"the ] at character 6 of 'a mug] b' has no opening bracket; {PAIRING} \]"),
        ("a [[mug]]", rf"the [ at character 4 of 'a [[mug]]' opens inside the bracket at character 3; {PAIRING} \["),
        ("a []", "the bracket at character 3 of 'a []': the concept has no name; write what the image must show"),
        ("[:object]",
         "the bracket at character 1 of '[:object]': the concept has no name; write what the image must show"),
        ("a mug", "'a mug' marks no concept; put what must survive in brackets, as in "
                  "'a [tower:landmark] and a [mug]'"),
        (r"a \[mug\]", "'a [mug]' marks no concept; put what must survive in brackets, as in "
                       "'a [tower:landmark] and a [mug]'"),
        ("a [mug] and a [Mug]", "the concept 'Mug' is marked twice; mark it once"),
        ("[mug] or [mug:artist]", "the concept 'mug' is marked twice; mark it once"),
        ("", "the text is empty; write what the image must show"),
        (" \n ", "the text is empty; write what the image must show"),
        ("a [mug]\nb", r"the control character '\n' at character 8 of 'a [mug]\nb'; write one line of plain text"),
        ("a\t[mug]", r"the control character '\t' at character 2 of 'a\t[mug]'; write one line of plain text"),
        ("a [e]\N{COMBINING ACUTE ACCENT}",
         "a bracket in 'a e\N{COMBINING ACUTE ACCENT}' separates a letter from its accent; include both"),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(text, message):
    assert refusal(text) == message


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x85", "\u2028", "\u2029", "\ud800", "\x7f"])
def test_characters_that_cannot_stand_on_a_line_are_refused(character):
    assert "control character" in refusal(f"a{character} [mug]")
    assert "control character" in refusal(f"a [mu{character}g]")


def test_an_unknown_kind_lists_the_kinds_the_close_one_and_the_way_to_keep_a_colon():
    assert refusal("a [tower:landmrk]") == (
        "the bracket at character 3 of 'a [tower:landmrk]': the concept 'tower' has the unknown kind 'landmrk'; "
        "did you mean 'landmark'? use one of artist, landmark, character, object, "
        "or write 'tower:landmrk:object' if the colon is part of the name"
    )
    assert "or write '10:30 clock:object'" in refusal("a [10:30 clock]")
    assert parse_prompt("a [10:30 clock:object]", "p").concepts == (Concept("10:30 clock"),)


def test_how_long_a_prompt_may_be_is_left_to_the_model():
    assert len(parse_prompt(f"[m:landmark] {'x ' * 20_000}x", "p").text) == 40_003


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "[" + "x" * 10_000,
        "[x:" + "x" * 10_000 + "]",
        "a [" + "x" * 10_000 + "]",
        "[mug] " + "x" * 100_000,
    ],
)
def test_a_long_text_is_refused_in_one_short_line(text):
    assert "…" in refusal(text)


def test_what_no_model_could_read_is_refused():
    assert refusal(f"[m] {'x' * 100_000}").endswith("has 100004 characters, but at most 100000 are read; shorten it")


@pytest.mark.parametrize(
    ("text", "concepts", "expected"),
    [
        ("a tower and a mug", (TOWER, MUG), "a [tower:landmark] and a [mug]"),
        ("a mug and a mug", (MUG,), "a [mug] and a mug"),
        ("a smug face with a mug", (MUG,), "a smug face with a [mug]"),
        ("mugs", (MUG,), "[mug]s"),
        ("10:30 clock", (Concept("10:30 clock"),), "[10:30 clock:object]"),
        ("a cup|glass", (Concept("cup|glass"),), "a [cup|glass:object]"),
        (r"[x] \mug", (MUG,), r"\[x\] \\[mug]"),
    ],
)
def test_writing_a_prompt_in_brackets(text, concepts, expected):
    prompt = Prompt("p", text, concepts, "g")
    assert bracketed(prompt) == expected
    assert parse_prompt(expected, "p", "g") == prompt


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("a mug and a tower", (TOWER, MUG)),
        ("a Tower", (TOWER,)),
        ("a lamp", (MUG,)),
        ("a mug", ()),
        ("a mug ", (MUG,)),
        ("a\nmug", (MUG,)),
        ("a mug " + "x" * 100_000, (MUG,)),
        ("a mug (blue:1.3)", (MUG,)),
    ],
)
def test_a_prompt_that_brackets_cannot_express_is_refused_not_changed(text, concepts):
    with pytest.raises(
        SuiteError, match=r"its concepts \(.*\) cannot be marked by brackets in .*; list them under concepts"
    ):
        bracketed(Prompt("p", text, concepts))
