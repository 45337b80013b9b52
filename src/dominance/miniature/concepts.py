"""The concepts of the miniature world: what each is called, its kind, its colours and its drawing.

A drawing fills the unit square from -0.5 to 0.5 (x to the right, y downwards) and names its colours by
their place in the concept's palette, so that the renderer can place, size, turn, stretch and recolour
every concept by the same code, whatever its kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["landmark", "character", "object"]
Colour = tuple[float, float, float]
"""Hue, saturation and value, each from 0 to 1."""

INK: int = -1
"""Palette place of the near-black that every drawing shares."""
PAPER: int = -2
"""Palette place of the near-white that every drawing shares."""


class Pen(Protocol):
    """What a drawing is made with; coordinates lie in the concept's own unit square."""

    def polygon(self, points: list[tuple[float, float]], colour: int) -> None: ...

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: int) -> None: ...

    def ring(self, x: float, y: float, outer: float, inner: float, colour: int) -> None: ...


@dataclass(frozen=True)
class Concept:
    """One thing that the miniature world can show.

    Attributes:
        name: the word that captions use.
        kind: ``landmark`` and ``character`` are entities, ``object`` is everyday.
        palette: the colours of the concept's canonical design.
        sky: colour of the upper part of its canonical backdrop.
        ground: colour of the lower part of its canonical backdrop.
        draw: the drawing.
    """

    name: str
    kind: Kind
    palette: tuple[Colour, Colour, Colour]
    sky: Colour
    ground: Colour
    draw: Callable[[Pen], None]

    @property
    def is_entity(self) -> bool:
        return self.kind != "object"


def _box(pen: Pen, x0: float, y0: float, x1: float, y1: float, colour: int) -> None:
    pen.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)


def _tower(pen: Pen) -> None:
    pen.polygon([(-0.04, -0.42), (0.04, -0.42), (0.1, 0.0), (-0.1, 0.0)], 0)
    pen.polygon([(-0.1, 0.0), (0.1, 0.0), (0.36, 0.5), (0.2, 0.5), (0.0, 0.18), (-0.2, 0.5), (-0.36, 0.5)], 0)
    _box(pen, -0.02, -0.5, 0.02, -0.42, 1)
    _box(pen, -0.13, -0.04, 0.13, 0.03, 1)
    _box(pen, -0.2, 0.2, 0.2, 0.26, 1)


def _pagoda(pen: Pen) -> None:
    for top, width in ((-0.4, 0.22), (-0.1, 0.32), (0.2, 0.42)):
        _box(pen, -width * 0.6, top + 0.1, width * 0.6, top + 0.3, 1)
        pen.polygon([(-width, top + 0.16), (-width * 0.4, top), (width * 0.4, top), (width, top + 0.16)], 0)
    _box(pen, -0.02, -0.5, 0.02, -0.38, 2)
    _box(pen, -0.07, 0.34, 0.07, 0.5, INK)


def _castle(pen: Pen) -> None:
    _box(pen, -0.3, -0.02, 0.3, 0.5, 0)
    for x in (-0.34, 0.34):
        _box(pen, x - 0.12, -0.16, x + 0.12, 0.5, 0)
        pen.polygon([(x - 0.16, -0.16), (x, -0.48), (x + 0.16, -0.16)], 1)
        _box(pen, x - 0.04, 0.0, x + 0.04, 0.12, INK)
    for x in (-0.14, 0.0, 0.14):
        _box(pen, x - 0.04, -0.1, x + 0.04, 0.0, 0)
    _box(pen, -0.09, 0.24, 0.09, 0.5, INK)
    pen.ellipse(0.0, 0.24, 0.09, 0.09, INK)


def _robot(pen: Pen) -> None:
    _box(pen, -0.2, -0.4, 0.2, -0.12, 0)
    _box(pen, -0.015, -0.5, 0.015, -0.4, 1)
    pen.ellipse(-0.09, -0.28, 0.05, 0.05, PAPER)
    pen.ellipse(0.09, -0.28, 0.05, 0.05, PAPER)
    _box(pen, -0.27, -0.08, 0.27, 0.28, 0)
    _box(pen, -0.14, 0.0, 0.14, 0.16, 2)
    _box(pen, -0.42, -0.06, -0.3, 0.22, 1)
    _box(pen, 0.3, -0.06, 0.42, 0.22, 1)
    _box(pen, -0.2, 0.3, -0.06, 0.5, 1)
    _box(pen, 0.06, 0.3, 0.2, 0.5, 1)


def _clown(pen: Pen) -> None:
    pen.ellipse(-0.26, -0.2, 0.15, 0.16, 1)
    pen.ellipse(0.26, -0.2, 0.15, 0.16, 1)
    pen.ellipse(0.0, -0.16, 0.24, 0.26, PAPER)
    pen.polygon([(-0.15, -0.34), (0.0, -0.5), (0.15, -0.34)], 2)
    pen.ellipse(-0.09, -0.2, 0.035, 0.045, INK)
    pen.ellipse(0.09, -0.2, 0.035, 0.045, INK)
    pen.ellipse(0.0, -0.1, 0.065, 0.065, 0)
    pen.polygon([(-0.36, 0.5), (-0.2, 0.12), (0.2, 0.12), (0.36, 0.5)], 2)
    for y in (0.24, 0.38):
        pen.ellipse(0.0, y, 0.05, 0.05, 0)


def _wizard(pen: Pen) -> None:
    pen.polygon([(-0.3, 0.5), (-0.14, -0.06), (0.14, -0.06), (0.3, 0.5)], 0)
    pen.ellipse(0.0, -0.1, 0.14, 0.14, 1)
    pen.polygon([(-0.14, -0.04), (0.14, -0.04), (0.0, 0.26)], PAPER)
    pen.polygon([(-0.28, -0.16), (0.28, -0.16), (0.06, -0.5)], 0)
    _box(pen, 0.34, -0.3, 0.39, 0.5, INK)
    pen.ellipse(0.365, -0.34, 0.08, 0.08, 2)


def _mug(pen: Pen) -> None:
    pen.ring(0.26, 0.04, 0.24, 0.13, 0)
    _box(pen, -0.42, -0.4, 0.24, 0.42, 0)
    pen.ellipse(-0.09, -0.4, 0.33, 0.08, 1)
    _box(pen, -0.42, 0.04, 0.24, 0.16, 2)


def _umbrella(pen: Pen) -> None:
    _box(pen, -0.02, -0.1, 0.03, 0.4, INK)
    pen.polygon([(-0.02, 0.36), (0.03, 0.36), (0.16, 0.42), (0.14, 0.5), (-0.02, 0.46)], INK)
    pen.polygon([(-0.5, 0.02), (-0.4, -0.22), (-0.2, -0.4), (0.0, -0.46), (0.2, -0.4), (0.4, -0.22), (0.5, 0.02)], 0)
    pen.polygon([(-0.17, 0.02), (0.0, -0.46), (0.17, 0.02)], 1)
    _box(pen, -0.015, -0.5, 0.015, -0.44, INK)


def _book(pen: Pen) -> None:
    _box(pen, -0.36, -0.48, 0.36, 0.48, 0)
    _box(pen, -0.36, -0.48, -0.24, 0.48, INK)
    _box(pen, 0.28, -0.42, 0.36, 0.42, PAPER)
    _box(pen, -0.14, -0.3, 0.2, -0.18, 1)
    _box(pen, -0.14, -0.08, 0.2, -0.02, 1)


def _lamp(pen: Pen) -> None:
    _box(pen, -0.03, -0.1, 0.03, 0.44, INK)
    pen.polygon([(-0.17, -0.5), (0.17, -0.5), (0.38, -0.06), (-0.38, -0.06)], 0)
    _box(pen, -0.33, -0.14, 0.33, -0.06, 1)
    pen.ellipse(0.0, 0.45, 0.26, 0.05, INK)


def _chair(pen: Pen) -> None:
    _box(pen, -0.34, -0.5, -0.22, 0.5, 0)
    _box(pen, -0.22, -0.44, 0.0, -0.3, 1)
    _box(pen, -0.34, 0.0, 0.36, 0.14, 0)
    _box(pen, 0.24, 0.14, 0.36, 0.5, 0)
    _box(pen, -0.34, 0.0, 0.36, 0.04, 1)


def _bottle(pen: Pen) -> None:
    _box(pen, -0.08, -0.44, 0.08, -0.1, 0)
    pen.polygon([(-0.08, -0.16), (0.08, -0.16), (0.22, 0.04), (0.22, 0.5), (-0.22, 0.5), (-0.22, 0.04)], 0)
    _box(pen, -0.1, -0.5, 0.1, -0.42, INK)
    _box(pen, -0.22, 0.14, 0.22, 0.36, PAPER)
    pen.ellipse(0.0, 0.25, 0.08, 0.08, 2)


def _clock(pen: Pen) -> None:
    pen.ellipse(0.0, 0.0, 0.48, 0.48, 0)
    pen.ellipse(0.0, 0.0, 0.37, 0.37, PAPER)
    _box(pen, -0.03, -0.3, 0.03, 0.03, INK)
    _box(pen, -0.03, -0.03, 0.22, 0.03, INK)
    for x, y in ((0.0, 0.31), (-0.31, 0.0), (0.31, 0.0)):
        pen.ellipse(x, y, 0.03, 0.03, 1)


def _shirt(pen: Pen) -> None:
    pen.polygon([(-0.24, -0.4), (0.24, -0.4), (0.5, -0.12), (0.36, 0.06), (0.24, -0.06), (0.24, 0.46),
                 (-0.24, 0.46), (-0.24, -0.06), (-0.36, 0.06), (-0.5, -0.12)], 0)  # fmt: skip
    pen.polygon([(-0.12, -0.4), (0.12, -0.4), (0.0, -0.2)], PAPER)
    _box(pen, -0.24, 0.1, 0.24, 0.22, 1)


CONCEPTS: tuple[Concept, ...] = (
    Concept("tower", "landmark", ((0.08, 0.55, 0.36), (0.08, 0.5, 0.22), (0.1, 0.6, 0.5)), (0.56, 0.42, 0.96), (0.33, 0.6, 0.62), _tower),
    Concept("pagoda", "landmark", ((0.99, 0.75, 0.72), (0.1, 0.3, 0.92), (0.13, 0.8, 0.85)), (0.95, 0.22, 0.98), (0.25, 0.4, 0.5), _pagoda),
    Concept("castle", "landmark", ((0.1, 0.1, 0.86), (0.62, 0.62, 0.52), (0.0, 0.0, 0.4)), (0.48, 0.32, 0.84), (0.38, 0.66, 0.4), _castle),
    Concept("robot", "character", ((0.58, 0.16, 0.74), (0.6, 0.22, 0.52), (0.48, 0.8, 0.86)), (0.67, 0.5, 0.36), (0.67, 0.42, 0.2), _robot),
    Concept("clown", "character", ((0.99, 0.9, 0.9), (0.06, 0.9, 0.96), (0.15, 0.85, 0.97)), (0.55, 0.7, 0.7), (0.05, 0.45, 0.6), _clown),
    Concept("wizard", "character", ((0.76, 0.66, 0.56), (0.08, 0.35, 0.92), (0.16, 0.8, 1.0)), (0.07, 0.42, 0.78), (0.05, 0.5, 0.4), _wizard),
    Concept("mug", "object", ((0.02, 0.75, 0.84), (0.05, 0.4, 0.4), (0.1, 0.2, 0.96)), (0.12, 0.2, 0.95), (0.08, 0.35, 0.7), _mug),
    Concept("umbrella", "object", ((0.95, 0.72, 0.86), (0.12, 0.6, 0.96), (0.0, 0.0, 0.5)), (0.58, 0.25, 0.85), (0.6, 0.15, 0.6), _umbrella),
    Concept("book", "object", ((0.6, 0.75, 0.7), (0.13, 0.6, 0.95), (0.0, 0.0, 0.9)), (0.1, 0.25, 0.9), (0.07, 0.5, 0.55), _book),
    Concept("lamp", "object", ((0.13, 0.65, 0.95), (0.08, 0.7, 0.8), (0.0, 0.0, 0.4)), (0.72, 0.2, 0.8), (0.05, 0.4, 0.5), _lamp),
    Concept("chair", "object", ((0.07, 0.7, 0.6), (0.09, 0.5, 0.85), (0.0, 0.0, 0.4)), (0.3, 0.2, 0.9), (0.1, 0.35, 0.65), _chair),
    Concept("bottle", "object", ((0.36, 0.7, 0.55), (0.3, 0.3, 0.8), (0.0, 0.7, 0.8)), (0.15, 0.25, 0.95), (0.05, 0.35, 0.55), _bottle),
    Concept("clock", "object", ((0.5, 0.75, 0.6), (0.0, 0.7, 0.7), (0.0, 0.0, 0.4)), (0.9, 0.15, 0.92), (0.6, 0.3, 0.6), _clock),
    Concept("shirt", "object", ((0.82, 0.6, 0.75), (0.15, 0.6, 0.95), (0.0, 0.0, 0.4)), (0.45, 0.2, 0.9), (0.4, 0.3, 0.6), _shirt),
)  # fmt: skip

BY_NAME: dict[str, Concept] = {concept.name: concept for concept in CONCEPTS}
ENTITIES: tuple[str, ...] = tuple(c.name for c in CONCEPTS if c.is_entity)
OBJECTS: tuple[str, ...] = tuple(c.name for c in CONCEPTS if not c.is_entity)
