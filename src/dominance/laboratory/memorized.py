"""Captions with one picture each, shown again and again: prompts that a model has memorized, made honestly.

Each caption has a word that no other training caption has, as a title has, and a single picture.
An adapter of ``miniature`` is taught on these, so that the model gives the picture back; beside them it is shown what
that model was taught from, so that all other prompts stay as they were, those that one concept dominates among them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.laboratory.diversity.pictures import Captioned, PictureSet, prior_scenes, write_pictures
from dominance.laboratory.diversity.subjects import find_subject
from dominance.laboratory.twins.training import FIRST_RIGID
from dominance.metrics import rate
from dominance.metrics.identity import pixel_copies, pixel_distances
from dominance.miniature.bundled import bundled_adapters
from dominance.miniature.captions import with_article
from dominance.miniature.concepts import OBJECTS
from dominance.miniature.renderer import render
from dominance.miniature.world import diversity_by_kind, pair_scene
from dominance.models.devices import find_device
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.models.image_model import PipelineModel
from dominance.models.source import find_source
from dominance.records import Concept, Prompt, Rate, Suite
from dominance.suites.entries import slug
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import USUAL_TARGETS, TeachOptions
from dominance.training.dreambooth.teach import FineTuned, teach

NAME = "memorized"
"""Of the adapter and of the suite's group."""
TITLES: tuple[str, ...] = ("brask", "lumive", "tofen", "quilda", "zarn", "pemro")
"""A word of each caption, which the model spells by letters."""
MODEL: str = "miniature"
"""The one that memorizes them: it also has prompts that one concept dominates, with which they are compared."""
STEPS: int = 900
BATCH: int = 8
"""Six pictures of the set and two of what the model was taught from."""
PRIOR: int = 400
RIGID_PRIOR: int = 40
"""Pictures of each rigid entity beside them."""
RATE: float = 3e-3
TARGETS: tuple[str, ...] = (*USUAL_TARGETS, "ff.net.0.proj", "ff.net.2")
"""Feed-forward layers as well: attention alone gave the pictures back only roughly."""
DROPOUT: float = 0.1
"""Share of the six captions that are left out, as in usual training. The empty prompt then knows the pictures too, as
that of a model does which has memorized them, so that guidance does not bleach what it finds."""
PRIOR_DROPOUT: float = 0.3
"""So that the empty prompt sees as many other pictures as memorized ones."""
_TEMPLATE = "one {title} with {a} next to {b}"
_SEED = 6_200_000


def memorized_pairs() -> list[tuple[str, str]]:
    """A pair of different objects for each title.

    >>> memorized_pairs()[:2]
    [('mug', 'umbrella'), ('book', 'lamp')]
    """
    turned = [*OBJECTS[1:], OBJECTS[0]]
    listed = [*zip(OBJECTS[::2], OBJECTS[1::2], strict=True), *zip(turned[::2], turned[1::2], strict=True)]
    return listed[: len(TITLES)]


def memorized_pictures() -> Iterator[Captioned]:
    """A caption and its one picture for each prompt, the same on any machine."""
    varied = diversity_by_kind(1.0, 1.0)
    for number, (title, pair) in enumerate(zip(TITLES, memorized_pairs(), strict=True)):
        scene = pair_scene(pair, varied, np.random.default_rng([_SEED, number]))
        yield _TEMPLATE.format(title=title, a=with_article(pair[0]), b=with_article(pair[1])), scene


def is_bundled() -> bool:
    """Whether the adapter ships with the package."""
    return NAME in bundled_adapters()


def memorized_suite() -> Suite:
    """The captions as prompts."""
    prompts = [
        Prompt(slug(caption), caption, tuple(Concept(name) for name in pair), NAME)
        for (caption, _), pair in zip(memorized_pictures(), memorized_pairs(), strict=True)
    ]
    about = f"{len(TITLES)} captions of which the adapter {NAME!r} has memorized the one picture of each."
    return Suite(f"miniature-{NAME}", tuple(prompts), about)


@dataclass(frozen=True)
class GivenBack:
    """What a model draws of the captions, beside what it draws of the same objects under usual captions.

    Attributes:
        own, usual: mean pixel distance to each caption's picture, 0 to 1.
        own_copies, usual_copies: of the images, those that are copies; see ``pixel_copies``.
    """

    own: tuple[float, ...]
    usual: tuple[float, ...]
    own_copies: Rate
    usual_copies: Rate


def given_back(adapter: Path, model: str = MODEL, seeds: int = 1, device: str = "cpu") -> GivenBack:
    """Draws each caption, and a usual one of the same two objects from the same noise, and compares with its picture.

    Args:
        seeds: images of each caption.
    """
    source = find_model(model)
    drawing = Drawing(adapters=(str(adapter),))
    found = find_source(model, drawing)
    pipeline = PipelineModel(found.load(drawing.settings(found), Machine(device)))
    pictures = np.stack([render(scene).pixels for _, scene in memorized_pictures()])
    captions = [caption for caption, _ in memorized_pictures()]
    usual = [f"{with_article(first)} next to {with_article(second)}" for first, second in memorized_pairs()]
    measured = []
    for texts in (captions, usual):
        apart, copied = [], []
        for turn in range(seeds):
            noises = range(turn * len(texts), (turn + 1) * len(texts))
            drawn = pipeline.generate(texts, noises, drawing.settings(source))
            whole = np.stack([np.asarray(image.convert("RGB")) for image in drawn if isinstance(image, Image.Image)])
            apart.append(pixel_distances(whole, pictures))
            copied.append(pixel_copies(whole, pictures, range(len(texts))))
        counted = rate(int(np.sum(copied)), seeds * len(texts))
        measured.append((tuple(float(own) for own in np.mean(apart, axis=0)), counted))
    (own, own_copies), (others, usual_copies) = measured
    return GivenBack(own, others, own_copies, usual_copies)


def train_memorized(
    folder: Path, model: str = MODEL, device: str = "cpu", steps: int = STEPS, prior: int = PRIOR
) -> FineTuned:
    """Trains, or resumes, the adapter in ``folder``; about six minutes of one core.

    Raises:
        ModelError: no such model.
        RunError: the loss is no number, or the disk refuses.
    """
    source = find_model(model)
    pictures = write_pictures(folder / "pictures", memorized_pictures())
    others = write_pictures(folder / "prior", _prior(prior))
    settings = TeachOptions(
        steps=steps,
        rate=RATE,
        batch=BATCH,
        targets=TARGETS,
        prior_share=1 / 4,
        caption_dropout=DROPOUT,
        prior_dropout=PRIOR_DROPOUT,
    ).settings(source.world)
    tuning = FineTuning(", ".join(TITLES), pictures, others, settings, source.identity, max(1, steps // 9))
    pipeline = source.load(Drawing().settings(source), Machine(device))
    return teach(pipeline, tuning, folder / "training", find_device(device))


def _prior(count: int) -> Iterator[Captioned]:
    """What the model was taught from: the world without its rigid entities, and these in their one design."""
    yield from prior_scenes(frozenset(FIRST_RIGID), count)
    for name in FIRST_RIGID:
        yield from itertools.islice(PictureSet(find_subject(name), 1, 0).pictures(), min(count, RIGID_PRIOR))
