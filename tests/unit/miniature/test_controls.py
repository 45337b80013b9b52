"""Pictures that do not show what they are asked about."""

import numpy as np
import pytest

from dominance.miniature.controls import garbled_picture, hidden_concept
from dominance.miniature.renderer import render
from dominance.miniature.truth import true_answers
from dominance.miniature.world import pair_scene, single_scene


def test_of_a_hidden_concept_nothing_is_to_be_seen() -> None:
    hidden = hidden_concept("mug", 0)
    assert not any(true_answers("mug", hidden.truths))
    assert np.ptp(hidden.pixels) > 0
    assert (hidden_concept("mug", 0).pixels == hidden.pixels).all()


@pytest.mark.parametrize("seed", range(12))
def test_garbling_changes_one_concept_within_its_box_and_says_so(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = render(single_scene("clown", float(seed % 2), rng))
    garbled = garbled_picture(picture, rng)
    assert [truth.intact for truth in garbled.truths] == [0.0]
    assert not any(true_answers("clown", garbled.truths))
    assert picture.truths[0].box is not None
    left, top, right, bottom = picture.truths[0].box
    changed = (garbled.pixels != picture.pixels).any(axis=-1)
    assert changed.any()
    changed[top:bottom, left:right] = False
    assert not changed.any()


def test_of_two_concepts_one_stays_as_it_is() -> None:
    picture = render(pair_scene(("mug", "lamp"), {"mug": 0.0, "lamp": 0.0}, np.random.default_rng(0)))
    garbled = garbled_picture(picture, np.random.default_rng(0))
    assert sorted(truth.intact for truth in garbled.truths) == [0.0, 1.0]
