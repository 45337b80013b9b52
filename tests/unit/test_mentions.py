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
        ("two knives, a knife's edge", "knife", ["knives", "knife"]),
        ("three mice", "mouse", ["mice"]),
        ("two men and a man, no women", "man", ["men", "man"]),
        ("cherries and a cherry", "cherry", ["cherries", "cherry"]),
        ("two leaves", "leaf", ["leaves"]),
        ("two people, one person", "person", ["people", "person"]),
        ("a row of cacti", "cactus", ["cacti"]),
        ("two cups of coffee", "cup of coffee", ["cups of coffee"]),
        ("a castle's mug, the mugs\u2019 handles", "mug", ["mug", "mugs"]),
        ("St. Basil\u2019s Cathedral", "St. Basil's Cathedral", ["St. Basil\u2019s Cathedral"]),
        ("St. Basil's Cathedral", "St. Basil\u2019s Cathedral", ["St. Basil's Cathedral"]),
        ("a T\u2011shirt, a t-shirt", "t-shirt", ["T\u2011shirt", "t-shirt"]),
        ("a coffee-mug, a coffee\u00a0mug", "coffee mug", ["coffee-mug", "coffee\u00a0mug"]),
        ("two coffee mugs", "coffee-mug", ["coffee mugs"]),
        ("a neu\u00adschwan\u00adstein castle", "neuschwanstein castle", ["neu\u00adschwan\u00adstein castle"]),
        ("a coffee - mug", "coffee mug", []),
        ("a bus, some lenses", "bu", []),
        ("a skyscraper, women, capes", "scraper", []),
        ("women and humans", "man", []),
        ("two capes", "cap", []),
        ("mug_holder", "mug", []),
        ("a cafe and a caf\u00e9", "cafe", ["cafe"]),
        ("子猫", "猫", ["猫"]),
        ("a mug", " ", []),
    ],
)
def test_spans_are_places_in_the_text_as_it_is(text: str, name: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in mention_spans(text, name)] == found
    assert (mention(text, name) is not None) == bool(found)
