"""Augmentation of images as teams apply it to too few pictures: it changes files, and knows nothing of their scenes."""

from collections.abc import Collection
from typing import Literal

import numpy as np
from PIL import Image, ImageEnhance

Change = Literal["geometry", "colour"]

SHIFT: float = 0.2
"""Of the side, the most that a picture is moved each way."""
ZOOM: tuple[float, float] = (0.75, 1.25)
STRENGTH: tuple[float, float] = (0.8, 1.2)
"""What brightness, contrast and saturation are multiplied by."""
HUE: int = 12
"""The most that hue is turned, of 256 steps of the circle: 17 degrees."""


def augmented(image: Image.Image, changes: Collection[Change], rng: np.random.Generator) -> Image.Image:
    """The picture in its own size, as ordinary augmentation changes it; every number is drawn evenly.

    *Geometry*: in half of the draws mirrored, left to right; scaled about its middle by 0.75 to 1.25; shifted by up to
    a fifth of the side, across and down by themselves. Empty parts are filled by reflection, so that a part of the
    thing may appear twice; what leaves the frame is lost.

    *Colour*: brightness, contrast and saturation each times 0.8 to 1.2; hue turned by up to 17 degrees.

    Geometry is drawn first: with one generator it is the same with colour and without.
    """
    mirrored, zoom = rng.random() < 0.5, rng.uniform(*ZOOM)
    across, down = rng.uniform(-SHIFT, SHIFT, 2)
    brightness, contrast, saturation = rng.uniform(*STRENGTH, 3)
    turn = int(rng.integers(-HUE, HUE + 1))
    if "geometry" in changes:
        image = _moved(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image, zoom, across, down)
    if "colour" in changes:
        image = ImageEnhance.Brightness(image).enhance(brightness)
        image = ImageEnhance.Contrast(image).enhance(contrast)
        image = _turned(ImageEnhance.Color(image).enhance(saturation), turn)
    return image


def _moved(image: Image.Image, zoom: float, across: float, down: float) -> Image.Image:
    """Scaled about its middle, then shifted by shares of the side, the rest its own reflection."""
    width, height = image.size
    margins = ((height // 2, height // 2), (width // 2, width // 2), (0, 0))
    around = Image.fromarray(np.pad(np.asarray(image), margins, mode="reflect"))
    left, top = width // 2 + width / 2, height // 2 + height / 2  # the middle, until half of what is seen is taken off
    left -= width * (0.5 + across) / zoom
    top -= height * (0.5 + down) / zoom
    seen = (left, top, left + width / zoom, top + height / zoom)
    return around.resize(image.size, Image.Resampling.BICUBIC, box=seen)


def _turned(image: Image.Image, turn: int) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    hue = Image.fromarray(np.asarray(hue) + np.uint8(turn % 256))  # which goes round
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")
