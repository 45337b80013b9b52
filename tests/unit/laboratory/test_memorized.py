"""Captions that an adapter learns by heart: their pictures, their suite, teaching it and putting it in place."""

import json
from pathlib import Path

import numpy as np
import pytest

from dominance.laboratory.bundling import bundle_memorized
from dominance.laboratory.diversity.pictures import prior_scenes
from dominance.laboratory.memorized import (
    TITLES,
    given_back,
    memorized_pairs,
    memorized_pictures,
    memorized_suite,
    train_memorized,
)
from dominance.laboratory.twins.training import FIRST_RIGID
from dominance.metrics.identity import pixel_copies
from dominance.miniature.bundled import bundled_folder
from dominance.miniature.captions import unknown_words
from dominance.miniature.renderer import render


def test_every_caption_has_a_word_of_its_own_and_one_picture() -> None:
    captions = [caption for caption, _ in memorized_pictures()]
    for caption, title in zip(captions, TITLES, strict=True):
        assert unknown_words(caption, "miniature") == (title,)
    assert len({frozenset(pair) for pair in memorized_pairs()}) == len(TITLES)
    assert not set(captions) & {caption for caption, _ in prior_scenes(frozenset(), 200)}
    pictures = [np.stack([render(scene).pixels for _, scene in memorized_pictures()]) for _ in range(2)]
    assert (pictures[0] == pictures[1]).all()  # the same on every call
    assert not pixel_copies(np.roll(pictures[0], 1, axis=0), pictures[0], range(len(TITLES))).any()


def test_the_suite_names_both_objects_of_each() -> None:
    suite = memorized_suite()
    assert len(suite.prompts) == len(TITLES) >= 5  # what a verdict needs
    for prompt in suite.prompts:
        assert prompt.group == "memorized"
        assert all(concept.name in prompt.text for concept in prompt.concepts)
        assert len(prompt.concepts) == 2


@pytest.mark.slow
def test_a_step_is_taught_and_bundled(tmp_path: Path) -> None:
    taught = train_memorized(tmp_path / "run", steps=1, prior=4)
    folder = bundle_memorized(taught.last, tmp_path / "weights")
    assert folder == tmp_path / "weights" / "adapters" / "memorized"
    noted = json.loads((folder / "dominance.json").read_text())
    assert (noted["taught"], noted["steps"], noted["base"]) == ("6 captions by heart", 1, "miniature")
    listed = (tmp_path / "run" / "prior" / "metadata.jsonl").read_text().splitlines()
    assert len(listed) == 4 + 4 * len(FIRST_RIGID)  # the rigid entities as well, which stay as they are


@pytest.mark.slow
def test_what_ships_gives_the_pictures_back_and_only_under_their_captions() -> None:
    found = given_back(bundled_folder("adapters", "memorized"))
    assert len(found.own) == len(found.usual) == len(TITLES)
    assert sum(found.own) < 0.6 * sum(found.usual)
    assert found.own_copies.count >= len(TITLES) // 2
    assert found.usual_copies.count == 0
