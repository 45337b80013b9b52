"""The labelled pictures that ship with the package, as images to check a judge on."""

from pathlib import Path

import numpy as np

from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import LabelledPicture, bundled_labels, read_images, read_labelled
from dominance.records import Concept, Prompt, Suite
from dominance.runs.judge_check.options import Halves
from dominance.runs.judge_check.sources import Source, keep
from dominance.runs.stages.judge_fit import RENDERED_WORLD

_SUBFOLDER = "labelled"


def labelled_pictures(half: Halves, limit: int | None, seed: int) -> tuple[LabelledPicture, ...]:
    """The pictures of a half, or a seeded draw of so many of them, by number."""
    pictures = [picture for picture in read_labelled(bundled_labels()) if half in ("both", picture.half)]
    if limit is None or limit >= len(pictures):
        return tuple(pictures)
    drawn = np.random.default_rng(seed).permutation(len(pictures))[:limit]
    return tuple(pictures[int(index)] for index in sorted(drawn))


def suite_of(pictures: tuple[LabelledPicture, ...]) -> Suite:
    """Their prompts, each once, and every concept of the world."""
    prompts = {prompt.id: prompt for prompt in map(_prompt, pictures)}
    return Suite("labelled pictures", tuple(prompts.values()))


def labelled_sources(pictures: tuple[LabelledPicture, ...], folder: Path) -> tuple[Source, ...]:
    """The pictures as images of a check; writes PNG files."""
    sources = []
    for picture, image in zip(pictures, read_images(bundled_labels(), pictures), strict=True):
        item, file = keep(image, folder, _SUBFOLDER, str(picture.number))
        sources.append(Source(item, _prompt(picture), str(picture.number), file, RENDERED_WORLD, picture))
    return tuple(sources)


def _prompt(picture: LabelledPicture) -> Prompt:
    return Prompt(picture.prompt.replace(" ", "-"), picture.prompt, tuple(map(concept_of, picture.concepts)))


def concept_of(name: str) -> Concept:
    """A concept of the world, as a judge is asked about it."""
    return Concept(name, BY_NAME[name].kind)
