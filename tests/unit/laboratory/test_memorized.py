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
from dominance.metrics.identity import pixel_copies
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
def test_a_step_is_taught_bundled_and_measured(tmp_path: Path) -> None:
    taught = train_memorized(tmp_path / "run", steps=1, prior=4)
    folder = bundle_memorized(taught.last, tmp_path / "weights")
    assert folder == tmp_path / "weights" / "adapters" / "memorized"
    assert (folder / "pytorch_lora_weights.safetensors").stat().st_size < 700_000
    noted = json.loads((folder / "dominance.json").read_text())
    assert noted["taught"] == "6 captions by heart"
    assert noted["steps"] == 1
    own, usual = given_back(folder)
    assert len(own) == len(usual) == len(TITLES)
    assert min(own) > 0.1  # a step teaches nothing
