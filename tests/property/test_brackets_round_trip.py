"""Any prompt that can be read from brackets can be written in brackets and read again."""

import unicodedata

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dominance.errors import SuiteError
from dominance.prompt_syntax import foreign_syntax
from dominance.records import KINDS, Concept, Prompt
from dominance.suites import bracketed, parse_prompt


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


TRICKY = st.text(st.sampled_from("[]\\: aAéß杯1'\n"), max_size=30)
PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "M"]), max_size=12).map(composed)
NAMES = PLAIN.map(str.strip).filter(bool)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("[", r"\[").replace("]", r"\]")


@settings(deadline=None)
@given(st.lists(st.tuples(PLAIN, NAMES, st.sampled_from(KINDS)), min_size=1, max_size=5), PLAIN)
@example([("\\", "\\", "object")], "\\")
@example([("a ", "a:b", "object"), ("[", "]", "artist")], "")
def test_every_text_and_concept_can_be_expressed(parts, rest):
    names = [name for _, name, _ in parts]
    plain = "".join(before + name for before, name, _ in parts) + rest
    assume(len({name.casefold() for name in names}) == len(names))
    assume(plain == plain.strip() and plain == composed(plain))
    assume(foreign_syntax(plain) is None)
    written = "".join(f"{escaped(before)}[{escaped(name)}:{kind}]" for before, name, kind in parts) + escaped(rest)
    expected = Prompt("p", plain, tuple(Concept(name, kind) for _, name, kind in parts), "g")
    assert parse_prompt(written, "p", "g") == expected
    assert parse_prompt(bracketed(expected), "p", "g") == expected


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), TRICKY))
@example("a [e]\N{COMBINING ACUTE ACCENT}")
@example("\\[mug]")
@example("[mug:object:artist]")
def test_any_text_is_a_prompt_that_can_be_written_again_or_a_one_line_error(text):
    try:
        prompt = parse_prompt(text, "p")
    except SuiteError as error:
        assert str(error).isprintable()
        assert str(error).startswith("prompt p: ")
        return
    assert prompt.concepts
    assert all(concept.name in prompt.text for concept in prompt.concepts)
    assert prompt.text == composed(prompt.text).strip()
    assert parse_prompt(bracketed(prompt), "p") == prompt
