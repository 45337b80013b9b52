"""What is measured on images beside the judge's verdicts."""

from dataclasses import dataclass
from typing import Literal

from dominance.verdicts import Interval

Measure = Literal["soft_presence", "harsh_presence", "image_text", "least_concept", "caption_text", "quality"]
"""Presence is the judge's, soft (mean P(yes)) and harsh (1 where every concept is present, else 0); for the others see
``PictureScores``."""


@dataclass(frozen=True)
class PictureScores:
    """What models that answer no questions say of an image; None where it was not measured.

    Attributes:
        image_text: cosine of the image and its prompt, -1 to 1.
        least_concept: cosine of the image and the concept of its prompt that it resembles least, -1 to 1.
        caption_text: cosine of its caption and its prompt, -1 to 1.
        quality: how much more it looks like a good photo than like a bad one, 0 to 1.
        caption: what a model wrote about it.
    """

    image_text: float | None = None
    least_concept: float | None = None
    caption_text: float | None = None
    quality: float | None = None
    caption: str | None = None


@dataclass(frozen=True)
class MeasuredMean:
    """One measure over a run.

    Attributes:
        mean: over all images that have it; its interval is clustered by prompt, and None of a single prompt.
        images: how many have it.
        prompts: each prompt's mean, by its id.
    """

    measure: Measure
    mean: float
    interval: Interval | None
    images: int
    prompts: dict[str, float]


@dataclass(frozen=True)
class MeasuredChange:
    """One measure before and after, on pairs of images that both have it.

    Attributes:
        change: mean of the paired differences, after less before; its interval is clustered by prompt.
    """

    measure: Measure
    pairs: int
    before: float
    after: float
    change: float
    interval: Interval | None
