"""Captions with one picture each, shown again and again: prompts that a model has memorized, made honestly.

Each caption has a word that no other training caption has, as a title has, and a single picture.
An adapter of ``miniature-base`` is taught on these, so that the model gives the picture back; beside them it is shown
the world as it is, so that all other prompts stay as they were.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.laboratory.diversity.pictures import Captioned, prior_scenes, write_pictures
from dominance.metrics.identity import pixel_distances
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
from dominance.records import Concept, Prompt, Suite
from dominance.suites.entries import slug
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.teach import FineTuned, teach

NAME = "memorized"
"""Of the adapter and of the suite's group."""
TITLES: tuple[str, ...] = ("brask", "lumive", "tofen", "quilda", "zarn", "pemro")
"""A word of each caption, which the model spells by letters."""
STEPS: int = 1000
BATCH: int = 8
"""Seven pictures of the set and one of the world as it is."""
PRIOR: int = 400
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


def given_back(adapter: Path, model: str = "miniature-base", device: str = "cpu") -> tuple[list[float], list[float]]:
    """Pixel distances to each caption's picture: of what is drawn from the caption, and from a usual one.

    The usual caption names the same two objects, so that it shows what composing alone gives; both have the same noise.

    Returns:
        For each caption two root mean square differences, 0 to 1.
    """
    source = find_model(model)
    drawing = Drawing(adapters=(str(adapter),))
    found = find_source(model, drawing)
    pipeline = found.load(drawing.settings(found), Machine(device))
    pictures = np.stack([render(scene).pixels for _, scene in memorized_pictures()])
    usual = [f"{with_article(first)} next to {with_article(second)}" for first, second in memorized_pairs()]
    distances = []
    for texts in ([caption for caption, _ in memorized_pictures()], usual):
        drawn = PipelineModel(pipeline).generate(texts, range(len(texts)), drawing.settings(source))
        whole = [np.asarray(image.convert("RGB")) for image in drawn if isinstance(image, Image.Image)]
        distances.append(pixel_distances(np.stack(whole), pictures).tolist())
    return distances[0], distances[1]


def train_memorized(
    folder: Path, base: str = "miniature-base", device: str = "cpu", steps: int = STEPS, prior: int = PRIOR
) -> FineTuned:
    """Trains, or resumes, the adapter in ``folder``; about twenty minutes of one core.

    Raises:
        ModelError: no such base.
        RunError: the loss is no number, or the disk refuses.
    """
    source = find_model(base)
    pictures = write_pictures(folder / "pictures", memorized_pictures())
    others = write_pictures(folder / "prior", prior_scenes(frozenset(), prior))
    settings = TeachOptions(steps=steps, batch=BATCH, prior_share=1 / BATCH).settings(source.world)
    tuning = FineTuning(NAME, pictures, others, settings, source.identity, max(1, steps // 4))
    pipeline = source.load(Drawing().settings(source), Machine(device))
    return teach(pipeline, tuning, folder / "training", find_device(device))
