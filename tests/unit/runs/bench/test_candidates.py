"""Candidates and which of them are kept: order, spread, duplicates, caps."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.records import Prompt
from dominance.runs.bench.candidates import (
    BALANCED,
    Candidate,
    candidate_streams,
    category_candidates,
    content_words,
    object_candidates,
)
from dominance.runs.bench.selection import Caps, Shelf, caps_of, needed, rounds
from dominance.suites.brackets import bracketed, parse_prompt
from dominance.suites.pools import CATEGORIES, load_pools


@pytest.fixture(scope="module")
def pools():
    return load_pools("default")


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_pair_comes_once_before_any_comes_again(pools, category):
    candidates = category_candidates(pools, category, 0)
    pairs = len(pools.nouns[category]) * len(pools.nouns["object"])
    first = Counter((c.concept, c.object) for c in candidates[:pairs])
    assert (len(first), set(first.values())) == (pairs, {1})
    assert len(candidates) == pairs * len(pools.template_names(category))
    assert {c.style for c in candidates[:200]} == set(pools.template_names(category))


def test_concepts_and_objects_take_turns(pools):
    stretch = category_candidates(pools, "artist", 3)[: len(pools.nouns["artist"])]
    assert len({c.concept for c in stretch}) == len({c.object for c in stretch}) == len(stretch)


def test_objects_are_paired_once_in_one_order(pools):
    count = len(pools.nouns["object"])
    pairs = count * (count - 1) // 2
    first = [frozenset((c.concept, c.object)) for c in object_candidates(pools, 0)[:pairs]]
    assert len(set(first)) == len(first) == pairs
    assert all(len(pair) == 2 for pair in first)


def test_the_seed_decides_the_order_and_nothing_else(pools):
    one, same, other = (category_candidates(pools, "landmark", seed) for seed in (0, 0, 1))
    assert one == same
    assert one != other
    assert {c.prompt.text for c in one} == {c.prompt.text for c in other}


def test_captions_name_their_concepts_in_the_order_of_the_text(pools):
    for stream in candidate_streams(pools, pools.categories, 0).values():
        assert len({c.prompt.id for c in stream}) == len(stream)
        for c in stream[:500]:
            assert parse_prompt(bracketed(c.prompt), c.prompt.id) == c.prompt
            assert {concept.name for concept in c.prompt.concepts} == {c.concept, c.object}
            assert len(c.prompt.id) <= 80


def test_titles_are_terse_and_articles_right(pools):
    texts = {c.prompt.text for c in category_candidates(pools, "landmark", 0)}
    assert {"Neuschwanstein Castle coaster", "an umbrella in front of the Eiffel Tower"} <= texts
    assert not any(" a a" in text or " the the " in text or "  " in text for text in texts)


def test_the_control_set_tries_the_other_streams_own_candidates_by_turns(pools):
    streams = candidate_streams(pools, ("artist", "landmark"), 0)
    assert list(streams) == ["artist", "landmark", BALANCED]
    kinds = [c.category for c in streams[BALANCED][:8]]
    assert kinds == ["object", "artist", "object", "landmark", "object", "artist", "object", "landmark"]
    assert [c for c in streams[BALANCED] if c.category == "artist"] == streams["artist"]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("a tower and a mug", "A mug next to the Tower!", True),
        ("Paul Cézanne mug", "mug by Paul Cezanne", True),
        ("two mugs, one tower", "Two mug one towers", True),
        ("Frankenstein's monster rug", "a rug with Frankenstein’s monster on it", True),
        ("a glass and a mug", "a glas and a mug", False),
        ("a photo of a tower and a mug", "a tower and a mug", False),
        ("城 と 傘", "傘 と 城", True),
        ("the and of", "an and of", False),
    ],
)
def test_near_duplicates_share_their_content_words(one, other, near):
    assert (content_words(one) == content_words(other)) is near


def candidate(number: int, concept: str = "", thing: str = "", category: str = "landmark") -> Candidate:
    text = f"word{number}"
    return Candidate(
        Prompt(text, text, ()), category, "style", concept or f"c{number}", thing or f"o{number}", content_words(text)
    )


def test_a_shelf_heeds_target_caps_and_near_duplicates():
    shelf = Shelf("landmark", 3, Caps(concept=2, object=1))
    first = candidate(1, "tower", "mug")
    shelf.keep(first)
    assert not shelf.has_room(first)
    assert not shelf.has_room(candidate(2, "castle", "mug"))
    shelf.keep(candidate(3, "tower", "lamp"))
    assert not shelf.has_room(candidate(4, "tower", "book"))
    assert shelf.missing == 1
    assert shelf.has_room(candidate(5, "castle", "book"))
    shelf.keep(candidate(5, "castle", "book"))
    assert not shelf.has_room(candidate(6))


def test_an_object_counts_wherever_it_stands():
    shelf = Shelf(BALANCED, 9, Caps(concept=9, object=1))
    shelf.keep(candidate(1, "mug", "lamp", "object"))
    assert not shelf.has_room(candidate(2, "book", "mug", "object"))
    assert not shelf.has_room(candidate(3, "lamp", "book", "object"))
    assert not shelf.has_room(candidate(4, "tower", "mug"))
    assert shelf.has_room(candidate(5, "tower", "book"))


def test_caps_are_twice_the_even_share_unless_given():
    assert caps_of(100, 36, 48, None) == Caps(6, 5)
    assert caps_of(100, 36, 48, 4) == Caps(4, 4)


@settings(deadline=None)
@given(st.integers(1, 300))
def test_rounds_cover_every_image_once_and_a_first_round_without_success_is_final(images):
    portions = rounds(images)
    assert [place for portion in portions for place in portion] == list(range(images))
    assert all(portions)
    left = images - portions[0].stop
    assert left < needed(images) <= left + 1 or len(portions) == 1


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 5))
def test_what_a_shelf_keeps_does_not_depend_on_how_many_are_tried_at_once(seed, at_once, cap):
    rng = random.Random(seed)
    stream = [candidate(n, f"c{rng.randrange(6)}", f"o{rng.randrange(8)}") for n in range(60)]
    good = {c.prompt.id for c in stream if rng.random() < 0.5}

    def fill(width: int) -> list[Candidate]:
        shelf, place = Shelf("landmark", 12, Caps(cap, cap)), 0
        while shelf.missing and place < len(stream):
            wave = [c for c in stream[place : place + width] if shelf.has_room(c)]
            place += width
            for c in wave:
                if c.prompt.id in good and shelf.has_room(c):
                    shelf.keep(c)
        return shelf.kept

    assert fill(at_once) == fill(1)
