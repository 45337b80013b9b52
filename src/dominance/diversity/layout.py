"""Where a set's subject stands, how large, in what poses, and before what."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from dominance.metrics import silhouette_spread

_EDGE = 0.12
"""Width of the border that stands for the backdrop where there is no mask, as a share of each side. Our choice."""
_INSIDE = 128
"""Grey from which a mask's pixel belongs to the subject."""


@dataclass(frozen=True)
class Box:
    """The subject's rectangle, in shares of the picture's width and height, 0 to 1.

    Raises:
        ValueError: it is empty, or leads out of the picture.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1.001 and 0 <= self.top < self.bottom <= 1.001):
            raise ValueError(f"{self} is empty or leads out of the picture")

    @property
    def centre(self) -> tuple[float, float]:
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    @property
    def size(self) -> float:
        """Root of its share of the area."""
        return ((self.right - self.left) * (self.bottom - self.top)) ** 0.5


@dataclass(frozen=True)
class LayoutFindings:
    """Where the subject stands in a set's pictures.

    Attributes:
        n: pictures whose subject's place is known; ``by`` says from what.
        place: median distance of its centre from the median centre, as a share of the side.
        size: its size (the root of its share of the area): smallest, median and largest.
        boxes: left, top, right and bottom in each picture, for a drawing.
    """

    n: int
    by: str
    place: float
    size: tuple[float, float, float]
    boxes: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class PoseFindings:
    """How much the subject's poses differ in a set's pictures.

    Attributes:
        n: pictures with a mask or transparency.
        spread: mean over pairs of 1 - intersection over union of their silhouettes without place and size, 0 (all the
            same) to 1; see ``metrics.silhouettes``.
    """

    n: int
    spread: float


@dataclass(frozen=True)
class BackdropFindings:
    """How much the backdrop differs in a set's pictures.

    Attributes:
        n: pictures.
        by: whether it is what the masks leave, or the border of the picture.
        spread: median distance in RGB of a picture's mean backdrop from the set's median one, 0 (the same) to 1.
    """

    n: int
    by: str
    spread: float


def mask_of(image: Image.Image, size: tuple[int, int]) -> Bool[np.ndarray, "row column"]:
    """Which pixels belong to the subject, by a mask's image.

    Raises:
        ValueError: the mask has another size, or is empty.
    """
    if image.size != size:
        raise ValueError(f"its mask has {image.width}×{image.height} pixels, the image {size[0]}×{size[1]}")
    inside = np.asarray(image.convert("L")) >= _INSIDE
    if not inside.any():
        raise ValueError("its mask is empty")
    return inside


def box_of(inside: Bool[np.ndarray, "row column"]) -> Box:
    """The rectangle around a mask."""
    rows, columns = (np.flatnonzero(inside.any(axis=side)).tolist() for side in (1, 0))
    height, width = inside.shape
    return Box(columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)


def layout_findings(boxes: Sequence[Box], by: str) -> LayoutFindings | None:
    """How place and size differ; None of fewer than two."""
    if len(boxes) < 2:
        return None
    centres = np.array([box.centre for box in boxes])
    sizes = [box.size for box in boxes]
    apart = np.linalg.norm(centres - np.median(centres, axis=0), axis=1)
    return LayoutFindings(
        n=len(boxes),
        by=by,
        place=float(np.median(apart)),
        size=(min(sizes), median(sizes), max(sizes)),
        boxes=tuple((box.left, box.top, box.right, box.bottom) for box in boxes),
    )


def pose_findings(silhouettes: Sequence[Float[np.ndarray, "row column"]]) -> PoseFindings | None:
    """How much the poses differ; None of fewer than two."""
    return PoseFindings(len(silhouettes), silhouette_spread(silhouettes)) if len(silhouettes) > 1 else None


def backdrop_colour(
    image: Image.Image, inside: Bool[np.ndarray, "row column"] | None
) -> Float[np.ndarray, " channel"] | None:
    """Mean RGB, 0 to 1, of what lies outside the mask, or of the border; None where the mask leaves nothing."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    if inside is None:
        height, width = pixels.shape[:2]
        outside = np.ones((height, width), dtype=bool)
        across, down = max(1, round(_EDGE * width)), max(1, round(_EDGE * height))
        outside[down : height - down, across : width - across] = False
    else:
        outside = ~inside
    return pixels[outside].mean(axis=0) if outside.any() else None


def backdrop_findings(colours: Sequence[Float[np.ndarray, " channel"]], by: str) -> BackdropFindings | None:
    """How much the backdrops differ; None of fewer than two."""
    if len(colours) < 2:
        return None
    listed = np.stack(colours)
    apart = np.linalg.norm(listed - np.median(listed, axis=0), axis=1) / 3**0.5
    return BackdropFindings(len(listed), by, float(np.median(apart)))
