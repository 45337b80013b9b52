"""Negative controls: images that do not show the concept that the judge is asked about."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from dominance.errors import ItemError
from dominance.mentions import mention
from dominance.miniature.controls import garbled_picture, hidden_concept
from dominance.miniature.labelled import Label
from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene
from dominance.pictures import open_image
from dominance.records import Concept
from dominance.runs.judge_check.sources import Source, keep
from dominance.runs.stages.one_answer import noise_picture

_COLOURS = ((255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 30, 30), (30, 140, 60), (40, 70, 190), (235, 200, 60))
_STRIPS = 8
_PATCHES = 4
"""Per side."""


@dataclass(frozen=True)
class Control:
    """One kind of control.

    Attributes:
        name: in the page and the document.
        shows: what the images show, completing ``questions about …``.
        certain: whether every yes is wrong; a broken image may still show part of the concept.
    """

    name: str
    shows: str
    certain: bool = True


BLANK = Control("blank", "blank images")
NOISE = Control("noise", "uniform noise")
BLURRED_NOISE = Control("blurred noise", "blurred noise")
ANOTHER_PROMPT = Control("another prompt", "concepts of another prompt")
SAME_KIND = Control("another of its kind", "another concept of the same kind")
TORN = Control("torn", "horizontally torn images", certain=False)
PATCHES = Control("shuffled patches", "images cut into shuffled patches", certain=False)
GARBLED = Control("garbled shape", "garbled shapes")
HIDDEN = Control("concept missing", "backdrops whose concept is missing")
CONTROLS: tuple[Control, ...] = (
    BLANK, NOISE, BLURRED_NOISE, ANOTHER_PROMPT, SAME_KIND, HIDDEN, GARBLED, TORN, PATCHES
)  # fmt: skip
"""In display order."""
NOT_NAMED = Control("not named", "concepts that the prompt does not name", certain=False)
"""No control: what is to be seen is known by the labels."""
OF_MINIATURE: frozenset[Control] = frozenset({HIDDEN, GARBLED})
"""Kinds that only the miniature renderer can draw."""


@dataclass(frozen=True)
class Asked:
    """One image and the concept that the judge is asked about.

    Attributes:
        prompt_id: the image's prompt; None for an image without one.
        control: None for an unaltered image and a concept of its prompt.
        label: what readers saw of the concept, if it is one of the labelled pictures.
    """

    item: str
    file: str
    name: str
    prompt_id: str | None
    concept: Concept
    control: Control | None = None
    label: Label | None = None


def as_they_are(sources: Sequence[Source]) -> list[Asked]:
    """Every image with every concept of its prompt."""
    return [_asked(source, concept) for source in sources for concept in source.prompt.concepts]


def not_named(sources: Sequence[Source], concepts: Sequence[Concept]) -> list[Asked]:
    """Every labelled picture with every other concept."""
    return [
        _asked(source, concept, NOT_NAMED)
        for source in sources
        if source.labelled is not None
        for concept in concepts
        if concept not in source.prompt.concepts
    ]


def _asked(source: Source, concept: Concept, control: Control | None = None) -> Asked:
    label = None if source.labelled is None else source.labelled.label(concept.name)
    return Asked(source.item, source.file, source.name, source.prompt.id, concept, control, label)


def make_controls(
    sources: Sequence[Source], concepts: Sequence[Concept], each: int, seed: int, folder: Path, *, miniature: bool
) -> list[Asked]:
    """``each`` images of every kind, each asked about one concept, all concepts in turn; writes PNG files.

    With too few sources, a kind has fewer images or none. Unreadable images are skipped.

    Args:
        miniature: whether the renderer can draw all the concepts.
    """
    opened = (open_image(folder / source.file) for source in sources)
    size = next((image.size for image in opened if isinstance(image, Image.Image)), (64, 64))
    drawn: list[Asked] = []
    for control, paint in ((BLANK, _blank), (NOISE, _noise), (BLURRED_NOISE, _blurred_noise)):
        for index, concept in _in_turn(concepts, each, seed, control):
            image = paint(size, index, _rng(seed, control, index))
            drawn.append(_kept(image, folder, control, index, concept))
    drawn += _asked_about_others(sources, concepts, each, seed)
    if miniature:
        for index, concept in _in_turn(concepts, each, seed, HIDDEN):
            hidden = hidden_concept(concept.name, index)
            drawn.append(_kept(Image.fromarray(hidden.pixels), folder, HIDDEN, index, concept))
        for index, concept in _in_turn(concepts, each, seed, GARBLED):
            rng = _rng(seed, GARBLED, index)
            garbled = garbled_picture(render(single_scene(concept.name, float(index % 2), rng)), rng)
            drawn.append(_kept(Image.fromarray(garbled.pixels), folder, GARBLED, index, concept))
    for control, break_up in ((TORN, torn), (PATCHES, shuffled_patches)):
        drawn += _broken(sources, each, seed, folder, control, break_up)
    return drawn


def _rng(seed: int, control: Control, index: int) -> np.random.Generator:
    return np.random.default_rng([seed, CONTROLS.index(control), index])


def _in_turn(concepts: Sequence[Concept], each: int, seed: int, control: Control) -> Iterator[tuple[int, Concept]]:
    """``each`` concepts, in an order drawn anew for every kind of control."""
    order = np.random.default_rng([seed, CONTROLS.index(control)]).permutation(len(concepts))
    for index in range(each):
        yield index, concepts[int(order[index % len(concepts)])]


def _kept(image: Image.Image, folder: Path, control: Control, index: int, concept: Concept) -> Asked:
    item, file = keep(image, folder, control.name.replace(" ", "-"), str(index))
    return Asked(item, file, str(index), None, concept, control)


def _blank(size: tuple[int, int], index: int, rng: np.random.Generator) -> Image.Image:
    """The listed colours first, then random ones."""
    if index < len(_COLOURS):
        return Image.new("RGB", size, _COLOURS[index])
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return Image.new("RGB", size, (red, green, blue))


def _noise(size: tuple[int, int], _: int, rng: np.random.Generator) -> Image.Image:
    return noise_picture(size, rng)


def _blurred_noise(size: tuple[int, int], index: int, rng: np.random.Generator) -> Image.Image:
    """Noise under a Gaussian blur of 1/64 to 1/8 of the longer side, with its contrast restored."""
    radius = max(size) / float(rng.choice([64, 32, 16, 8]))
    blurred = np.asarray(_noise(size, index, rng).filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)
    low, high = blurred.min(), blurred.max()
    return Image.fromarray(np.rint((blurred - low) / max(high - low, 1e-6) * 255).astype(np.uint8))


def _asked_about_others(sources: Sequence[Source], concepts: Sequence[Concept], each: int, seed: int) -> list[Asked]:
    """Unaltered images, asked about a concept of another prompt, and about another concept of the same kind."""
    found = []
    for control in (ANOTHER_PROMPT, SAME_KIND):
        for index, source in enumerate(_chosen(sources, each, seed, control)):
            rng = _rng(seed, control, index)
            marked = {concept.name.casefold() for concept in source.prompt.concepts}
            kinds = {concept.kind for concept in source.prompt.concepts}
            others = [
                concept
                for concept in concepts
                if mention(source.prompt.text, concept.name) is None
                and (source.labelled is None or source.labelled.label(concept.name) == "absent")
                and concept.name.casefold() not in marked
                and (control is ANOTHER_PROMPT or concept.kind in kinds)
            ]
            if others:
                concept = others[int(rng.integers(len(others)))]
                found.append(Asked(source.item, source.file, source.name, source.prompt.id, concept, control))
    return found


def _chosen(sources: Sequence[Source], each: int, seed: int, control: Control) -> list[Source]:
    """At most ``each`` of the sources, none twice."""
    order = np.random.default_rng([seed, CONTROLS.index(control), each]).permutation(len(sources))
    return [sources[int(index)] for index in order[:each]]


def _broken(
    sources: Sequence[Source],
    each: int,
    seed: int,
    folder: Path,
    control: Control,
    break_up: Callable[[np.ndarray, np.random.Generator], np.ndarray],
) -> list[Asked]:
    """Broken images, asked about the concepts of their prompt in turn."""
    found = []
    for index, source in enumerate(_chosen(sources, each, seed, control)):
        image = open_image(folder / source.file)
        if isinstance(image, ItemError):
            continue
        pixels = break_up(np.asarray(image), _rng(seed, control, index))
        concept = source.prompt.concepts[index % len(source.prompt.concepts)]
        kept = _kept(Image.fromarray(pixels), folder, control, index, concept)
        found.append(replace(kept, prompt_id=source.prompt.id))
    return found


def torn(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Eight horizontal strips, shifted left and right in turn, by 15% to 45% of the width."""
    strips = []
    for index, strip in enumerate(np.array_split(pixels, _STRIPS, axis=0)):
        # Alternating sides keeps neighbouring strips from lining up again.
        side = 1 if index % 2 else -1
        strips.append(np.roll(strip, side * round(float(rng.uniform(0.15, 0.45)) * pixels.shape[1]), axis=1))
    return np.concatenate(strips)


def shuffled_patches(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Four by four equal patches, each moved elsewhere; leftover rows and columns are dropped."""
    height, width = pixels.shape[0] // _PATCHES, pixels.shape[1] // _PATCHES
    if not height or not width:
        return pixels[::-1, ::-1].copy()
    patches = [
        pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(_PATCHES)
        for column in range(_PATCHES)
    ]
    order = rng.permutation(len(patches))
    moved = [patches[index] for index in _moved(order)]
    rows = [np.concatenate(moved[row * _PATCHES : (row + 1) * _PATCHES], axis=1) for row in range(_PATCHES)]
    return np.concatenate(rows)


def _moved(order: np.ndarray) -> list[int]:
    """A permutation without fixed points: one cycle through all positions in this order."""
    following = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    return [following[index] for index in range(len(order))]
