"""What is measured on images beside the judge's verdicts."""

from dataclasses import dataclass


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
