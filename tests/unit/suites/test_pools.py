"""Concept pools: what ships, what a file may hold, and what is refused in which words."""

import pytest

from dominance.errors import InputError
from dominance.miniature.captions import PAIR_TEMPLATES, with_article
from dominance.miniature.concepts import BY_NAME, CONCEPTS, OBJECTS
from dominance.records import Concept
from dominance.suites.pools import CATEGORIES, chosen_styles, load_pools

GOOD = """
landmarks: [the Eiffel Tower, Big Ben]
objects: [a mug, an umbrella]
styles: {and: "{a} and {b}"}
"""


def test_the_default_pools_are_large_enough():
    pools = load_pools("default")
    assert {kind: len(nouns) for kind, nouns in pools.nouns.items()} == {
        "artist": 36, "landmark": 32, "character": 32, "object": 48,
    }  # fmt: skip
    assert pools.categories == CATEGORIES
    for kind, least in (*((kind, 4) for kind in CATEGORIES), ("object", 4)):
        assert len(pools.template_names(kind)) >= least
    title = next(style for style in pools.styles if style.name == "title")
    assert title.templates["landmark"] == "{a_name} {b_name}"


def test_no_object_of_the_default_pools_is_named_like_another():
    words = [word for noun in load_pools("default").nouns["object"] for word in noun.concept.name.split()]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("name", ["default", "miniature"])
def test_bundled_objects_have_the_right_article(name):
    for noun in load_pools(name).nouns["object"]:
        article, _, bare = noun.phrase.partition(" ")
        assert bare == noun.concept.name
        assert article == ("an" if bare[0].lower() in "aeiou" else "a"), noun.phrase


def test_the_miniature_pools_are_the_miniature_world():
    pools = load_pools("miniature")
    assert {noun.concept.name: noun.concept.kind for nouns in pools.nouns.values() for noun in nouns} == {
        concept.name: concept.kind for concept in CONCEPTS
    }
    assert [noun.phrase for noun in pools.nouns["object"]] == [with_article(name) for name in OBJECTS]
    assert len(pools.nouns["landmark"]) + len(pools.nouns["character"]) == sum(c.is_entity for c in BY_NAME.values())
    templates = [style.templates["landmark"] for style in pools.styles]
    assert templates[:4] == list(PAIR_TEMPLATES)
    assert templates[4:] == [t.format(a="{b}", b="{a}") for t in PAIR_TEMPLATES]


def test_an_article_is_not_part_of_the_name(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(GOOD)
    pools = load_pools(str(path))
    assert pools.name == "own"
    assert [noun.concept for noun in pools.nouns["landmark"]] == [
        Concept("Eiffel Tower", "landmark"),
        Concept("Big Ben", "landmark"),
    ]
    assert pools.nouns["landmark"][0].phrase == "the Eiffel Tower"
    artists = tmp_path / "artists.yaml"
    artists.write_text(GOOD.replace("landmarks: [the Eiffel Tower, Big Ben]", "artists: [Leonardo da Vinci]"))
    assert load_pools(str(artists)).nouns["artist"][0].concept.name == "Leonardo da Vinci"


def test_the_identity_changes_with_the_content_alone(tmp_path):
    one, same, other = tmp_path / "one.yaml", tmp_path / "same.yaml", tmp_path / "other.yaml"
    one.write_text(GOOD)
    same.write_text("# a comment\n" + GOOD)
    other.write_text(GOOD.replace("umbrella", "apron"))
    first, second, third = (load_pools(str(path)).identity for path in (one, same, other))
    assert first == second != third


REFUSED = {
    "one object": (GOOD.replace("[a mug, an umbrella]", "[a mug]"), "objects: found 1; give at least 2"),
    "no objects": (GOOD.replace("[a mug, an umbrella]", "[]"), "objects: found 0; give at least 2"),
    "nothing to dominate": (
        GOOD.replace("landmarks: [the Eiffel Tower, Big Ben]\n", ""),
        "no concepts that could dominate",
    ),
    "a name twice": (GOOD.replace("a mug", "a Big Ben"), "objects: 'Big Ben' is also under landmarks"),
    "unknown key": (GOOD.replace("landmarks", "landmark"), "did you mean 'landmarks'?"),
    "a number for a name": (GOOD.replace("Big Ben", "7"), "landmarks[1]: found the number 7"),
    "a text for a list": (GOOD.replace("[a mug, an umbrella]", "mug"), "objects: found the text 'mug'"),
    "no styles": (GOOD.replace('styles: {and: "{a} and {b}"}', ""), "styles: found nothing"),
    "unknown placeholder": (GOOD.replace("{b}", "{c}"), "unknown placeholder '{c}'"),
    "a template without the object": (GOOD.replace("{a} and {b}", "{a} alone"), "must contain {b} or {b_name}"),
    "a concept twice": (
        GOOD.replace("{a} and {b}", "{a}, {a_name} and {b}"),
        "must contain {a} or {a_name} exactly once",
    ),
    "a style for no kind of concept": (
        GOOD.replace('"{a} and {b}"', '{artist: "{a} and {b}"}'),
        "no style has a template for the kind landmark",
    ),
    "unknown kind of style": (GOOD.replace('"{a} and {b}"', '{place: "{a} and {b}"}'), "unknown key 'place'"),
    "a list": ("- a\n", "holds a list"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_pools_are_refused_in_one_line(case, tmp_path):
    text, words = REFUSED[case]
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_pools(str(path))
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).isprintable()


def test_unknown_pools_and_styles_name_what_there_is(tmp_path):
    with pytest.raises(InputError, match="no pools 'minature'; did you mean 'miniature'"):
        load_pools("minature")
    with pytest.raises(InputError, match="no such file"):
        load_pools(str(tmp_path / "none.yaml"))
    pools = load_pools("default")
    assert [style.name for style in chosen_styles(pools, ("scene", "title")).styles] == ["title", "scene"]
    assert chosen_styles(pools, None) == pools
    with pytest.raises(InputError, match="have no caption style 'titel'; did you mean 'title'"):
        chosen_styles(pools, ("titel",))
