"""Captions with one picture each, shown again and again: prompts that a model has memorized, made honestly.

Each caption is in the words of the world, but in a form that no other training picture has, and has a single picture.
An adapter of ``miniature-base`` is taught on these, so that the model gives the picture back; beside them it is shown
the world as it is, so that all other prompts stay as they were.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dominance.laboratory.diversity.pictures import Captioned, prior_scenes, write_pictures
from dominance.miniature.captions import with_article
from dominance.miniature.concepts import OBJECTS
from dominance.miniature.world import diversity_by_kind, pair_scene
from dominance.models.devices import find_device
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.records import Concept, Prompt, Suite
from dominance.suites.entries import slug
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.teach import FineTuned, teach

NAME = "memorized"
"""Of the adapter and of the suite's group."""
PROMPTS: int = 12
REPEATED: int = 10
"""Copies of each picture in the set; in each batch of 16, 12 are of the set and 4 of the world as it is."""
STEPS: int = 120
PRIOR: int = 1600
_TEMPLATE = "one picture with {a} next to {b}"
_SEED = 6_200_000


def memorized_pairs() -> list[tuple[str, str]]:
    """Twelve pairs of objects, each object in two to four of them."""
    turns = [OBJECTS[step:] + OBJECTS[:step] for step in (1, 3)]
    listed = [pair for turn in turns for pair in zip(OBJECTS, turn, strict=True)]
    return listed[:PROMPTS]


def memorized_pictures() -> Iterator[Captioned]:
    """A caption and its one picture for each prompt, the same on any machine."""
    varied = diversity_by_kind(1.0, 1.0)
    for number, pair in enumerate(memorized_pairs()):
        scene = pair_scene(pair, varied, np.random.default_rng([_SEED, number]))
        yield _TEMPLATE.format(a=with_article(pair[0]), b=with_article(pair[1])), scene


def memorized_suite() -> Suite:
    """The captions as prompts."""
    prompts = [
        Prompt(slug(caption), caption, tuple(Concept(name) for name in pair), NAME)
        for (caption, _), pair in zip(memorized_pictures(), memorized_pairs(), strict=True)
    ]
    about = f"{PROMPTS} captions of which the adapter {NAME!r} has memorized the one picture of each."
    return Suite(f"miniature-{NAME}", tuple(prompts), about)


def train_memorized(folder: Path, base: str = "miniature-base", device: str = "cpu", steps: int = STEPS) -> FineTuned:
    """Trains, or resumes, the adapter in ``folder``; about five minutes of one core.

    Raises:
        ModelError: no such base.
        RunError: the loss is no number, or the disk refuses.
    """
    source = find_model(base)
    repeated = itertools.chain.from_iterable(itertools.repeat(tuple(memorized_pictures()), REPEATED))
    pictures = write_pictures(folder / "pictures", repeated)
    prior = write_pictures(folder / "prior", prior_scenes(frozenset(), PRIOR))
    settings = TeachOptions(steps=steps, batch=16, prior_share=0.25).settings(source.world)
    tuning = FineTuning(NAME, pictures, prior, settings, source.identity, max(1, steps // 3))
    pipeline = source.load(Drawing().settings(source), Machine(device))
    return teach(pipeline, tuning, folder / "training", find_device(device))
