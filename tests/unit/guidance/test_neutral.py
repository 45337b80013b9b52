"""Prompts whose rivals are neutralised: whole phrases, the right article, no word of the prompt itself."""

import pytest

from dominance.errors import InputError
from dominance.guidance.neutral import STAND_INS, alone, in_words, stand_ins
from dominance.records import Concept, Prompt


def prompt(text: str, *names: str, kind: str = "object") -> Prompt:
    return Prompt("p", text, tuple(Concept(name, kind) for name in names))


@pytest.mark.parametrize(
    ("text", "names", "kept", "starts", "ends"),
    [
        ("a tower beside a blue clock", ("tower", "clock"), "tower", "a tower beside a", ""),
        ("a tower beside a blue clock", ("tower", "clock"), "clock", "", " beside a blue clock"),
        ("a neuschwanstein castle coaster", ("neuschwanstein castle", "coaster"), "coaster", "", " coaster"),
        ("the old red mug on the table and a hat", ("mug", "hat"), "hat", "a", " on the table and a hat"),
        ("Two mugs, a robot", ("mugs", "robot"), "mugs", "Two mugs, a", ""),
        ("mug and hat", ("mug", "hat"), "mug", "mug and ", ""),
    ],
)
def test_a_rival_goes_with_its_phrase(text: str, names: tuple[str, ...], kept: str, starts: str, ends: str) -> None:
    given = prompt(text, *names)
    found = alone(given, next(concept for concept in given.concepts if concept.name == kept))
    assert len(set(found)) == len(found) >= 10
    nouns = {noun for listed in stand_ins().values() for noun in listed}
    for each in found:
        assert each.startswith(starts)
        assert each.endswith(ends)
        assert kept in each
        middle = each[len(starts) : len(each) - len(ends) or None].split()
        assert middle[-1] in nouns
        assert each.split()[0] != "a" or each.split()[1][0] not in "aeiou", each


def test_articles_follow_the_noun() -> None:
    found = alone(prompt("a tower and a clock", "tower", "clock"), Concept("tower"))
    assert "a tower and an umbrella" in found
    assert not any(each.endswith((" a umbrella", " an mug")) for each in found)


def test_words_of_the_prompt_are_not_stand_ins() -> None:
    found = alone(prompt("a tower and a clock beside a lamp", "tower", "clock"), Concept("tower"), STAND_INS)
    assert len(found) == len({*found}) <= STAND_INS
    assert all(each.count("lamp") == 1 and each.count("tower") == 1 for each in found)


def test_of_three_concepts_two_are_replaced_by_different_nouns() -> None:
    given = prompt("a tower, a clock and a mug", "tower", "clock", "mug")
    for each in alone(given, given.concepts[1]):
        first, middle, last = each.replace(" and ", ", ").split(", ")
        assert middle == "a clock"
        assert first != last


def test_an_artist_is_replaced_by_artists() -> None:
    given = prompt("a mug by van gogh", "mug")
    given = Prompt("p", given.text, (Concept("mug"), Concept("van gogh", "artist")))
    assert set(alone(given, given.concepts[0])) == {f"a mug by {noun}" for noun in stand_ins()["artist"]}


def test_each_rival_is_replaced_by_its_own_kind() -> None:
    concepts = (Concept("castle", "landmark"), Concept("mug"), Concept("van gogh", "artist"))
    artists = set(stand_ins()["artist"])
    for each in alone(Prompt("p", "a castle and a mug by van gogh", concepts), concepts[0]):
        thing, artist = each.removeprefix("a castle and ").split(" by ")
        assert artist in artists
        assert thing.split()[-1] not in artists


@pytest.mark.parametrize(
    ("text", "names", "made"),
    [
        ("a tower and two mugs", ("tower", "mug"), "a tower and two clowns"),
        ("a tower and two old blue mugs", ("tower", "mug"), "a tower and two clowns"),
        ("a castle and 3 mugs on a table", ("castle", "mugs"), "a castle and 3 towers on a table"),
        ("a castle above many mugs", ("castle", "mug"), "a castle above many towers"),
        ("a castle beside two sheep", ("castle", "sheep"), "a castle beside two towers"),
        ("a castle and the mugs", ("castle", "mug"), "a castle and towers"),
        ("a castle beside scissors", ("castle", "scissors"), "a castle beside towers"),
        ("a castle beside a pair of mugs", ("castle", "mugs"), "a castle beside a pair of towers"),
        ("a castle beside some black coffee", ("castle", "coffee"), "a castle beside a tower"),
        ("a coaster and two castle mugs", ("coaster", "castle"), "a coaster and two tower mugs"),
        ("two mugs and a castle", ("mugs", "castle"), "two mugs and a tower"),
        ("a coaster and castle", ("coaster", "castle"), "a coaster and tower"),
    ],
)
def test_several_stay_several(text: str, names: tuple[str, ...], made: str) -> None:
    given = prompt(text, *names)
    assert made in alone(given, given.concepts[0])


def test_a_name_in_s_is_one() -> None:
    concepts = (Concept("mug"), Concept("Edgar Degas", "artist"), Concept("Niagara Falls", "landmark"))
    given = Prompt("p", "a mug and Edgar Degas by Niagara Falls", concepts)
    assert in_words(given, {"Edgar Degas": "artist"}) == "a mug and artist by Niagara Falls"
    assert "a mug and painter by clown" in alone(given, concepts[0])


def test_every_mention_goes() -> None:
    given = prompt("a clock and a tower, another clock", "clock", "tower")
    assert all("clock" not in each for each in alone(given, given.concepts[1]))


def test_category_words_take_their_article() -> None:
    given = prompt("an owl and a mug", "owl", "mug")
    assert in_words(given, {"owl": "bird"}) == "a bird and a mug"
    assert in_words(given, {}) == given.text
    given = prompt("two castles and a mug", "castle", "mug")
    assert in_words(given, {"castle": "building"}) == "two buildings and a mug"
    assert in_words(given, {"castle": "work of art", "mug": "person"}) == "two works of art and a person"


@pytest.mark.parametrize(
    ("names", "match"), [(("tower", "hat"), "'hat' is not in the prompt"), (("blue clock", "clock"), "share words")]
)
def test_what_cannot_be_replaced_is_named(names: tuple[str, ...], match: str) -> None:
    given = prompt("a tower and a blue clock", *names)
    with pytest.raises(InputError, match=match):
        alone(given, given.concepts[0])
