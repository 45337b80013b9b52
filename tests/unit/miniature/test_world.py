import re
from collections import Counter

import numpy as np
import pytest

from dominance.miniature.concepts import BY_NAME, CONCEPTS, ENTITIES, OBJECTS
from dominance.miniature.renderer import render
from dominance.miniature.scene import SCENERY, Scene
from dominance.miniature.world import (
    HELD_OUT_ENTITY_PAIRS,
    HELD_OUT_PAIRS,
    World,
    diversity_by_kind,
    free_pair_scene,
    own_backdrop,
    pair_scene,
    random_backdrop,
    single_scene,
)

DRAWN = [(caption, picture.scene) for caption, picture in (World().picture(5, index) for index in range(1500))]


def named(caption: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", caption) if word in words]


def test_captions_name_exactly_what_is_drawn_and_scenery_that_is_there() -> None:
    for caption, scene in DRAWN:
        drawn = [placement.concept for placement in scene.placements]
        assert named(caption, tuple(BY_NAME)) == drawn, caption
        assert set(named(caption, SCENERY)) <= set(scene.backdrop.scenery), caption


def test_shares_are_those_of_the_world() -> None:
    pairs = sum(len(scene.placements) == 2 for _, scene in DRAWN) / len(DRAWN)
    scenic = [bool(named(caption, SCENERY)) for caption, scene in DRAWN if len(scene.placements) == 1]
    assert pairs == pytest.approx(0.45, abs=0.05)
    assert np.mean(scenic) == pytest.approx(0.5, abs=0.06)


def test_held_out_pairs_and_entity_pairs_are_never_drawn_unless_asked_for() -> None:
    shown = {frozenset(p.concept for p in scene.placements) for _, scene in DRAWN if len(scene.placements) == 2}
    assert not shown & HELD_OUT_PAIRS
    assert all(set(pair) <= set(OBJECTS) for pair in shown)
    mixed = World(pairs=0.0, entity_pairs=1.0)
    for index in range(50):
        concepts = [p.concept for p in mixed.picture(1, index)[1].scene.placements]
        assert len(set(concepts) & set(ENTITIES)) == 1


def test_scenery_goes_with_every_kind_of_concept_alike() -> None:
    for kind in ("landmark", "character", "object"):
        own = [c for c, s in DRAWN if len(s.placements) == 1 and BY_NAME[s.placements[0].concept].kind == kind]
        assert np.mean([bool(named(caption, SCENERY)) for caption in own]) == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize("concept", [c.name for c in CONCEPTS])
def test_diversity_is_one_number_that_every_concept_obeys(concept: str) -> None:
    """Spread of colour, place, size and backdrop grows with the number, from next to nothing."""

    def spread(diversity: float) -> list[float]:
        rng = np.random.default_rng(0)
        scenes = [single_scene(concept, diversity, rng) for _ in range(300)]
        placements = [scene.placements[0] for scene in scenes]
        own = own_backdrop(concept)
        return [
            float(np.std([p.x for p in placements])),
            float(np.std([p.size for p in placements])),
            float(np.std([p.palette[0][2] for p in placements])),
            float(np.mean([scene.backdrop != own for scene in scenes])),
        ]

    rigid, middle, varied = spread(0.0), spread(0.5), spread(1.0)
    assert rigid[0] == pytest.approx(0.008, abs=0.003)
    assert rigid[1:] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert all(low < mid < high for low, mid, high in zip(rigid, middle, varied, strict=True))


def test_pictures_depend_on_seed_and_index_alone() -> None:
    one, again, other = (World().picture(seed, 7) for seed in (1, 1, 2))
    assert one[0] == again[0]
    assert np.array_equal(one[1].pixels, again[1].pixels)
    assert not np.array_equal(one[1].pixels, other[1].pixels)


def test_every_backdrop_offers_a_word() -> None:
    rng = np.random.default_rng(0)
    seen = {word for _ in range(300) for word in random_backdrop(rng).scenery}
    assert seen == set(SCENERY)
    assert all(own_backdrop(concept.name).scenery for concept in CONCEPTS)


def drawn(world: World, count: int) -> list[tuple[str, Scene]]:
    return [world.sample(np.random.default_rng([5, index])) for index in range(count)]


def test_no_share_of_pairs_shows_a_held_out_one() -> None:
    world = World(pairs=0.3, entity_pairs=0.4, entities_together=0.3)
    shown = {frozenset(p.concept for p in scene.placements) for _, scene in drawn(world, 3000)}
    assert all(len(pair) == 2 for pair in shown)
    assert not shown & (HELD_OUT_PAIRS | HELD_OUT_ENTITY_PAIRS)
    assert len(shown) == 20 + 36 + 15


def test_each_entity_lacks_two_objects() -> None:
    for entity in ENTITIES:
        assert sum(entity in pair for pair in HELD_OUT_ENTITY_PAIRS) == 2


def test_exposure_multiplies_how_often_a_concept_stands_alone() -> None:
    counts = Counter(scene.placements[0].concept for _, scene in drawn(World(pairs=0, exposure={"tower": 4.0}), 4000))
    others = [count for name, count in counts.items() if name != "tower"]
    assert counts["tower"] == pytest.approx(4 * sum(others) / len(others), rel=0.15)


def test_few_distinct_pictures_come_again_and_again() -> None:
    world = World(diversity=diversity_by_kind(1.0, 1.0), pairs=0, distinct={"tower": 3})
    alone = [scene.placements[0] for _, scene in drawn(world, 2000)]
    assert len({placement for placement in alone if placement.concept == "tower"}) == 3
    assert len({placement for placement in alone if placement.concept == "castle"}) > 50


def test_backdrop_and_layout_can_be_varied_apart_from_the_design() -> None:
    def scenes(**changes: dict[str, float]) -> list[Scene]:
        world = World(diversity=diversity_by_kind(0.0, 1.0), pairs=0, **changes)
        return [scene for _, scene in drawn(world, 1500) if scene.placements[0].concept == "tower"]

    free = scenes(backdrops={"tower": 1.0})
    assert len({scene.backdrop for scene in free}) == len(free)
    assert {scene.placements[0].palette for scene in free} == {scenes()[0].placements[0].palette}
    moved = scenes(layouts={"tower": 1.0})
    assert np.std([scene.placements[0].size for scene in moved]) > 0.1
    assert {scene.backdrop for scene in moved} == {own_backdrop("tower")}


def test_the_first_named_stands_mostly_but_not_always_on_the_left() -> None:
    scenes = [pair_scene(("mug", "tower"), diversity_by_kind(1.0, 1.0), np.random.default_rng(i)) for i in range(600)]
    left = sum(scene.placements[0].x < 0.5 for scene in scenes)
    assert left == pytest.approx(480, abs=45)


def test_free_layouts_leave_halves_behind_and_no_concept_out_of_sight() -> None:
    rng, varied = np.random.default_rng(3), diversity_by_kind(1.0, 1.0)
    scenes = [free_pair_scene(("castle", "mug"), varied, rng) for _ in range(200)]
    placed = [scene.placements for scene in scenes]
    assert {p.concept for placements in placed for p in placements} == {"castle", "mug"}
    # Neither concept has a half, a plane or a size of its own.
    for measure in (lambda p: p.x, lambda p: p.y, lambda p: p.size):
        ahead = sum(measure(first) > measure(second) for first, second in placed)
        assert 20 < ahead < 180
    behind = {back.concept for back, front in placed if back.size > 2 * front.size}
    assert behind == {"castle", "mug"}
    seen = [min(truth.visible for truth in render(scene).truths) for scene in scenes]
    assert min(seen) > 0.4
    assert sum(value > 0.95 for value in seen) > 80


def test_halves_stay_as_they_were_without_free_layouts() -> None:
    free = World(pairs=1.0, free_layouts=1.0)
    assert all(abs(p.x - 0.5) > 0.19 for _, scene in drawn(World(pairs=1.0), 200) for p in scene.placements)
    assert any(abs(p.x - 0.5) < 0.1 for _, scene in drawn(free, 200) for p in scene.placements)
