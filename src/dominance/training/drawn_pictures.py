"""Pictures that models drew, with what readers saw on them: what a judge learns by when its training goes on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from dominance.errors import InputError
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.labelled import ATLAS, TABLE, LabelledPicture, read_images, read_labelled
from dominance.miniature.renderer import SIDE
from dominance.miniature.truth import GRADES
from dominance.progress import Progress
from dominance.records import Answer, Concept, Question
from dominance.training.judge_pictures import filmed

EarlierAnswers = Callable[[Sequence[Image.Image]], Float[Tensor, "picture question"]]

DOUBTFUL_YES: tuple[float, ...] = (0.65, 0.5, 0.4, 0.3, 0.4)
"""P(yes) by grade of what its readers hesitate about."""
_DOUBTFUL_WEIGHT = 0.5
_LIKELY = 0.25
_STRICT = 3
"""Grades after this one ask whether a thing is whole and a main subject, which readers do not say."""
_MOST_MOVED = 6
_AT_ONCE = 32


class Answering(Protocol):
    """A judge, as far as it is needed here."""

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> Sequence[tuple[Answer, ...]]: ...


@dataclass(frozen=True)
class DrawnPictures:
    """Drawn pictures and what each of the seventy questions is to be answered.

    Attributes:
        pixels: uint8 (picture, 64, 64, 3).
        yes: (picture, question), P(yes) from 0 to 1, in the order of the catechism.
        weight: (picture, question), how much an answer counts; 0 where the truth is unknown.
        named: (picture, question), whether it is about a concept that the picture's prompt names.
    """

    pixels: UInt8[np.ndarray, "picture 64 64 3"]
    yes: Float[Tensor, "picture question"]
    weight: Float[Tensor, "picture question"]
    named: Bool[Tensor, "picture question"]

    def draw(self, count: int, rng: np.random.Generator) -> "DrawnPictures":
        """Some of them, each changed in ways that change no answer."""
        chosen = rng.choice(len(self.pixels), count)
        pixels = np.stack([varied(self.pixels[number], rng) for number in chosen])
        return DrawnPictures(pixels, self.yes[chosen], self.weight[chosen], self.named[chosen])

    def asked(self, count: int, rng: np.random.Generator) -> Tensor:
        """Int64 (picture, count): which questions each picture is asked.

        Fewer than half are about what it shows, and up to as many about what its prompt names and it does not show:
        there a model comes closest to drawing what is not there.
        """
        rows = []
        for yes, named in zip(self.yes.numpy(), self.named.numpy(), strict=True):
            row: list[int] = []
            for some in (np.flatnonzero(yes > 0), np.flatnonzero((yes == 0) & named)):
                row += rng.choice(some, min(count * 3 // 7, len(some)), replace=False).tolist()
            others = np.flatnonzero((yes == 0) & ~named)
            rows.append([*row, *rng.choice(others, count - len(row), replace=False)])
        return torch.tensor(np.array(rows))


def read_drawn(folders: Sequence[Path], earlier: EarlierAnswers) -> tuple[DrawnPictures, str]:
    """What labelled pictures teach, and an identity of them all; those of a kept half are left out.

    What is plain gets yes to the first three questions, and to the strict ones unless the judge whose training goes on
    denies them: a reader says that a thing is plain, not whether it is whole. What is doubtful gets an answer in
    between, what is absent no.

    Args:
        folders: as ``dominance train labels`` writes them.
        earlier: P(yes) of the earlier judge to all questions about images, in the order of the catechism.

    Raises:
        InputError: a folder has no such pictures, or its table is broken.
    """
    found: list[LabelledPicture] = []
    images: list[Image.Image] = []
    digest = hashlib.sha256()
    for folder in folders:
        own = [picture for picture in read_labelled(folder) if picture.half != "kept"]
        if not own:
            raise InputError(f"{folder / TABLE} has no pictures outside its kept half; give another folder")
        found += own
        images += read_images(folder, own)
        for file in (folder / TABLE, folder / ATLAS):
            digest.update(file.read_bytes())
    labels = [[picture.label(concept.name) for concept in CONCEPTS] for picture in found]
    plain = torch.tensor([[label == "plain" for label in row] for row in labels])[..., None]
    doubtful = torch.tensor([[label == "doubtful" for label in row] for row in labels])[..., None]
    yes = plain * torch.ones(GRADES) + doubtful * torch.tensor(DOUBTFUL_YES)
    weight = 1 - (1 - _DOUBTFUL_WEIGHT) * doubtful * torch.ones(GRADES)
    denied = earlier(images).view(yes.shape) < _LIKELY
    weight = weight.masked_fill(plain & (torch.arange(GRADES) >= _STRICT) & denied, 0.0)
    named = torch.tensor([[concept.name in picture.concepts for concept in CONCEPTS] for picture in found])
    pixels = np.stack([np.asarray(image.convert("RGB")) for image in images])
    drawn = DrawnPictures(pixels, yes.flatten(1), weight.flatten(1), named.repeat_interleave(GRADES, dim=1))
    return drawn, f"sha256:{digest.hexdigest()[:24]}"


def all_answers(
    judge: Answering, ask: Callable[[Concept], tuple[Question, ...]], images: Sequence[Image.Image]
) -> Float[Tensor, "picture question"]:
    """P(yes) of a judge to all questions about all concepts of the world, in the order of the catechism."""
    questions = [question for concept in CONCEPTS for question in ask(Concept(concept.name, concept.kind))]
    rows = []
    with Progress("earlier judge", total=len(images)) as progress:
        for first in range(0, len(images), _AT_ONCE):
            some = images[first : first + _AT_ONCE]
            asked = judge.answer(some, [questions] * len(some))
            rows += [[answer.p_yes or 0.0 for answer in answers] for answers in asked]
            progress.advance(len(some))
    return torch.tensor(rows)


def varied(pixels: UInt8[np.ndarray, "64 64 3"], rng: np.random.Generator) -> UInt8[np.ndarray, "64 64 3"]:
    """The picture moved by a few pixels, larger or smaller, in other hues, or worn as any file may be."""
    if rng.random() < 0.25:
        pixels = _resized(pixels, round(SIDE * float(rng.uniform(0.85, 1.15))))
    if rng.random() < 0.7:
        right, down = rng.integers(-_MOST_MOVED, _MOST_MOVED + 1, 2)
        around = np.pad(pixels, ((_MOST_MOVED, _MOST_MOVED), (_MOST_MOVED, _MOST_MOVED), (0, 0)), mode="edge")
        top, left = _MOST_MOVED + down, _MOST_MOVED + right
        pixels = around[top : top + SIDE, left : left + SIDE]
    if rng.random() < 0.5:
        hsv = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("HSV")).copy()
        hsv[..., 0] += np.uint8(rng.integers(256))
        pixels = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
    return filmed(pixels, rng) if rng.random() < 0.3 else np.ascontiguousarray(pixels)


def _resized(pixels: np.ndarray, side: int) -> np.ndarray:
    """The picture at another size, cut or filled up at its borders to 64 pixels."""
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.BICUBIC))
    if side >= SIDE:
        start = (side - SIDE) // 2
        return resized[start : start + SIDE, start : start + SIDE]
    before = (SIDE - side) // 2
    after = SIDE - side - before
    return np.pad(resized, ((before, after), (before, after), (0, 0)), mode="edge")
