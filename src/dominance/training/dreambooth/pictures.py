"""The pictures that are trained on: read, cut square, and as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from dominance.errors import InputError, ItemError
from dominance.pictures import open_image
from dominance.training.images import as_images
from dominance.wording import on_one_line


@dataclass(frozen=True)
class TrainingPicture:
    """A file and the caption that it is trained under."""

    file: Path
    caption: str


@dataclass(frozen=True)
class View:
    """What of a file is seen in training: its size, and the corner of the cut once it is scaled, in pixels.

    Attributes:
        height, width: of the file.
        top, left: of the square, in the picture whose shorter side is the training resolution.
    """

    height: int
    width: int
    top: int
    left: int


def square(image: Image.Image, side: int) -> tuple[Image.Image, View]:
    """The picture's middle as a square of that side, scaled by Lanczos' filter."""
    scale = side / min(image.size)
    width, height = (max(side, round(length * scale)) for length in image.size)
    left, top = (width - side) // 2, (height - side) // 2
    view = View(image.height, image.width, top, left)
    scaled = image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)
    return scaled.crop((left, top, left + side, top + side)), view


def read_pictures(files: Sequence[Path], side: int) -> tuple[Float[Tensor, "picture 3 side side"], list[View]]:
    """Pictures in [-1, 1], and what of each is seen.

    Raises:
        InputError: a file cannot be read as an image.
    """
    pixels, views = [], []
    for file in files:
        image = open_image(file)
        if isinstance(image, ItemError):
            raise InputError(f"the picture {on_one_line(file, 120)} {image}; replace it, or take it out of the folder")
        cut, view = square(image, side)
        pixels.append(np.asarray(cut))
        views.append(view)
    return as_images(np.stack(pixels)), views
