"""Where texts mention concepts, in characters of the text itself."""

import pytest

from dominance.mentions import mention, mention_spans


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("a mug and a Mug", "mug", ["mug", "Mug"]),
        ("three torches", "torch", ["torches"]),
        ("ein STRASSENSCHILD, ein straßenschild", "Straßenschild", ["STRASSENSCHILD", "straßenschild"]),
        ("a cafe\u0301 and a caf\u00e9", "caf\u00e9", ["cafe\u0301", "caf\u00e9"]),
        ("\u1112\u1161\u11ab \u1112\u1161\u11ab", "\ud55c", ["\u1112\u1161\u11ab", "\u1112\u1161\u11ab"]),
        ("一只猫和一个杯子", "杯子", ["杯子"]),
        ("a smug mugger", "mug", []),
        ("a mug", " ", []),
    ],
)
def test_spans_are_places_in_the_text_as_it_is(text: str, name: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in mention_spans(text, name)] == found
    assert (mention(text, name) is not None) == bool(found)
