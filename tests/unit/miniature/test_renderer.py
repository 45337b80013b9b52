from dataclasses import replace

import numpy as np
import pytest

from dominance.miniature.concepts import BY_NAME, CONCEPTS, ENTITIES, OBJECTS
from dominance.miniature.renderer import SIDE, render
from dominance.miniature.scene import Backdrop, Placement, Scene
from dominance.miniature.truth import true_answers
from dominance.miniature.world import single_scene

PLAIN = Backdrop((0.5, 0.2, 0.9), (0.1, 0.3, 0.6))


def placed(concept: str, **changes: float) -> Placement:
    return replace(Placement(concept, 0.5, 0.5, 0.6, BY_NAME[concept].palette), **changes)


def truth_of(*placements: Placement, concept: str | None = None):
    picture = render(Scene(PLAIN, placements))
    wanted = concept or placements[0].concept
    return next(truth for truth in picture.truths if truth.concept == wanted)


def test_the_world_has_the_concepts_that_it_must() -> None:
    kinds = [concept.kind for concept in CONCEPTS]
    assert kinds.count("landmark") >= 3
    assert kinds.count("character") >= 3
    assert kinds.count("object") >= 8
    assert len({concept.name for concept in CONCEPTS}) == len(CONCEPTS) == len(ENTITIES) + len(OBJECTS)


@pytest.mark.parametrize("name", [concept.name for concept in CONCEPTS])
def test_a_whole_concept_is_wholly_visible_and_its_box_holds_it(name: str) -> None:
    truth = truth_of(placed(name))
    assert truth.visible == pytest.approx(1.0, abs=0.02)
    assert truth.main
    left, top, right, bottom = truth.box
    bare, drawn = render(Scene(PLAIN, ())).pixels.astype(int), render(Scene(PLAIN, (placed(name),))).pixels.astype(int)
    changed = np.abs(drawn - bare).sum(-1) > 150  # antialiased edges may fall outside
    changed[top:bottom, left:right] = False
    assert changed.sum() == 0


def test_fading_covering_and_cropping_lower_what_is_visible() -> None:
    assert truth_of(placed("mug", opacity=0.4)).visible == pytest.approx(0.4, abs=0.02)
    assert truth_of(placed("mug", opacity=0.0)).box is None
    assert 0.3 < truth_of(placed("mug", x=1.0)).visible < 0.7
    half_covered = truth_of(placed("book"), placed("clock", x=0.75, size=0.7), concept="book")
    assert 0.2 < half_covered.visible < 0.8
    assert not half_covered.main


def test_drawing_is_the_same_every_time_and_within_bytes() -> None:
    scene = single_scene("castle", 1.0, np.random.default_rng(3))
    assert np.array_equal(render(scene).pixels, render(scene).pixels)
    assert render(scene).pixels.shape == (SIDE, SIDE, 3)
    assert render(scene).pixels.dtype == np.uint8


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        ({}, (True, True, True, True, True)),
        ({"opacity": 0.7}, (True, True, True, False, True)),
        ({"opacity": 0.45}, (True, True, False, False, False)),
        ({"opacity": 0.3}, (True, False, False, False, False)),
        ({"opacity": 0.2}, (False, False, False, False, False)),
        ({"opacity": 0.1}, (False, False, False, False, False)),
        ({"size": 0.2}, (True, True, False, False, False)),
        ({"size": 0.12}, (True, False, False, False, False)),
    ],
)
def test_true_answers_by_grade(changes: dict[str, float], answers: tuple[bool, ...]) -> None:
    picture = render(Scene(PLAIN, (placed("book", **changes),)))
    assert true_answers("book", picture.truths) == answers
    assert true_answers("mug", picture.truths) == (False,) * 5


def test_a_small_thing_beside_a_large_one_is_no_main_subject_and_a_garbled_one_is_nothing() -> None:
    pair = render(Scene(PLAIN, (placed("book", x=0.25, y=0.4, size=0.3), placed("clock", x=0.68, size=0.65))))
    assert true_answers("book", pair.truths) == (True, True, True, True, False)
    garbled = tuple(replace(truth, intact=0.0) for truth in pair.truths)
    assert true_answers("clock", garbled) == (False,) * 5
