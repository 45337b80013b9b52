"""Draws scenes, and says exactly what can be seen in them."""

import colorsys
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from dominance.miniature.concepts import BY_NAME, INK, PAPER, Colour, Pen
from dominance.miniature.scene import Backdrop, Placement, Scene

SIDE: int = 64
"""Pixels a side."""
_OVERSAMPLING = 4
_SHARED_COLOURS: dict[int, Colour] = {INK: (0.65, 0.3, 0.14), PAPER: (0.12, 0.06, 0.97)}


@dataclass(frozen=True)
class Truth:
    """What is true of one concept in one picture.

    Attributes:
        concept: its name.
        visible: share of the concept's own drawing that is in the frame, uncovered and solid, 0 to 1.
        area: share of the picture that it visibly covers, 0 to 1.
        box: left, top, right, bottom of what is visible, in pixels; None when nothing is.
        main: whether no other concept covers more of the picture.
        intact: 1 for a clean drawing, towards 0 the more it was garbled afterwards.
    """

    concept: str
    visible: float
    area: float
    box: tuple[int, int, int, int] | None
    main: bool
    intact: float = 1.0


@dataclass(frozen=True)
class Picture:
    """A drawn scene: ``pixels`` is uint8 of shape (64, 64, 3); ``truths`` has one entry a concept drawn."""

    pixels: np.ndarray
    scene: Scene
    truths: tuple[Truth, ...]


class _PlacedPen:
    """A pen that draws one placement on an oversampled layer."""

    def __init__(self, placement: Placement, side: int) -> None:
        self._layer = Image.new("RGBA", (side, side))
        self._draw = ImageDraw.Draw(self._layer)
        self._place = placement
        self._scale = placement.size * side
        self._side = side
        angle = math.radians(placement.rotation)
        self._cos, self._sin = math.cos(angle), math.sin(angle)

    def _pixels(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        placed = []
        for px, py in points:
            u, v = px * self._place.stretch * self._scale, py * self._scale
            x = self._place.x * self._side + u * self._cos - v * self._sin
            y = self._place.y * self._side + u * self._sin + v * self._cos
            placed.append((x, y))
        return placed

    def _fill(self, colour: int) -> tuple[int, int, int, int]:
        chosen = _SHARED_COLOURS[colour] if colour < 0 else self._place.palette[colour]
        return (*_rgb(chosen), 255)

    def polygon(self, points: list[tuple[float, float]], colour: int) -> None:
        self._draw.polygon(self._pixels(points), fill=self._fill(colour))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: int) -> None:
        self.polygon(_circle(x, y, rx, ry), colour)

    def ring(self, x: float, y: float, outer: float, inner: float, colour: int) -> None:
        self._draw.polygon(self._pixels(_circle(x, y, outer, outer)), fill=self._fill(colour))
        self._draw.polygon(self._pixels(_circle(x, y, inner, inner)), fill=(0, 0, 0, 0))

    def layer(self) -> np.ndarray:
        """The layer at picture size: float32 (side, side, 4), colour not premultiplied, all 0 to 1."""
        reduced = self._layer.reduce(_OVERSAMPLING)
        return np.asarray(reduced, dtype=np.float32) / 255.0


def _circle(x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
    turns = [2 * math.pi * k / 28 for k in range(28)]
    return [(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns]


def _rgb(colour: Colour) -> tuple[int, int, int]:
    hue, saturation, value = colour
    rgb = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return (round(rgb[0] * 255), round(rgb[1] * 255), round(rgb[2] * 255))


def _layer(placement: Placement, side: int = SIDE) -> np.ndarray:
    pen = _PlacedPen(placement, side * _OVERSAMPLING)
    _drawing(placement)(pen)
    return pen.layer()


def _drawing(placement: Placement) -> Callable[[Pen], None]:
    return placement.drawing or BY_NAME[placement.concept].draw


@cache
def _unit_area(drawing: Callable[[Pen], None]) -> float:
    """Area of a drawing as a share of its unit square."""
    black = (0.0, 0.0, 0.0)
    whole = Placement("", 0.5, 0.5, 0.9, (black, black, black), drawing=drawing)
    return float(_layer(whole)[..., 3].mean()) / 0.9**2


def _draw_backdrop(backdrop: Backdrop) -> np.ndarray:
    """Float32 (64, 64, 3), 0 to 1."""
    centres = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    x, y = centres[None, :], centres[:, None]
    sky = np.asarray(_rgb(backdrop.sky), dtype=np.float32) / 255.0
    ground = np.asarray(_rgb(backdrop.ground), dtype=np.float32) / 255.0
    edge = backdrop.horizon - backdrop.hill * np.cos((x - 0.5) * math.pi)
    below = np.clip((y - edge) * SIDE + 0.5, 0.0, 1.0) if backdrop.horizon < 1 else np.zeros((SIDE, SIDE), np.float32)
    canvas = np.broadcast_to(sky, (SIDE, SIDE, 3))
    if backdrop.sun is not None:
        sun_x, sun_y, radius = backdrop.sun
        inside = np.clip((radius - np.hypot(x - sun_x, y - sun_y)) * SIDE + 0.5, 0.0, 1.0)[..., None]
        canvas = canvas * (1 - inside) + np.asarray((1.0, 0.95, 0.72), np.float32) * inside
    canvas = canvas * (1 - below[..., None]) + ground * below[..., None]
    if backdrop.fog > 0:
        veil = (backdrop.fog * np.clip(1.2 - np.abs(y - 0.6) * 2, 0.0, 1.0))[..., None]
        canvas = canvas * (1 - veil) + np.asarray((0.94, 0.94, 0.95), np.float32) * veil
    return canvas.astype(np.float32)


def _truths(scene: Scene, coverages: list[np.ndarray]) -> tuple[Truth, ...]:
    areas = [float(coverage.mean()) for coverage in coverages]
    truths = []
    for placement, coverage, area in zip(scene.placements, coverages, areas, strict=True):
        whole = _unit_area(_drawing(placement)) * placement.size**2 * placement.stretch
        rows, columns = np.nonzero(coverage > 0.25)
        box = None
        if rows.size:
            box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        truths.append(Truth(placement.concept, min(area / whole, 1.0), area, box, area > 0 and area == max(areas)))
    return tuple(truths)


def render(scene: Scene) -> Picture:
    """Draws a scene at 64×64 and measures what of each concept can be seen.

    Placements are drawn from back to front; a later one covers an earlier one. ``Truth.visible``
    counts what is left of a concept after covering, cropping by the frame and fading.
    """
    canvas = _draw_backdrop(scene.backdrop)
    coverages: list[np.ndarray] = []
    for placement in scene.placements:
        layer = _layer(placement)
        alpha = layer[..., 3] * placement.opacity
        canvas = canvas * (1 - alpha[..., None]) + layer[..., :3] * alpha[..., None]
        coverages = [coverage * (1 - alpha) for coverage in coverages]
        coverages.append(alpha)
    pixels = np.rint(np.clip(canvas, 0.0, 1.0) * 255).astype(np.uint8)
    return Picture(pixels, scene, _truths(scene, coverages))
