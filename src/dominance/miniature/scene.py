"""What a picture of the miniature world is made of, before it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

from dominance.miniature.concepts import Colour, Pen

Scenery = str
"""One of SCENERY: a part of the backdrop that a caption may name."""

SCENERY: tuple[str, ...] = ("sky", "sun", "hill", "wall", "floor", "fog")


@dataclass(frozen=True)
class Backdrop:
    """Everything behind the concepts. Lengths are shares of the picture's side.

    Attributes:
        sky: colour above the horizon (indoors: the wall).
        ground: colour below it (indoors: the floor).
        horizon: height of the horizon from the top; 1 means that there is none.
        outdoors: whether the two parts are sky and ground or wall and floor.
        hill: how far the horizon bulges upwards.
        sun: centre and radius of the sun's disc.
        fog: how strongly a pale veil covers the backdrop, 0 to 1.
    """

    sky: Colour
    ground: Colour
    horizon: float = 1.0
    outdoors: bool = False
    hill: float = 0.0
    sun: tuple[float, float, float] | None = None
    fog: float = 0.0

    @property
    def scenery(self) -> tuple[Scenery, ...]:
        """The words of SCENERY that are true of this backdrop; never empty."""
        words = ["sky"] if self.outdoors else ["wall"]
        if not self.outdoors and self.horizon < 1:
            words.append("floor")
        if self.outdoors and self.hill > 0:
            words.append("hill")
        if self.sun is not None:
            words.append("sun")
        if self.fog > 0:
            words.append("fog")
        return tuple(words)


@dataclass(frozen=True)
class Placement:
    """One concept in a picture. Lengths are shares of the picture's side.

    Attributes:
        concept: its name.
        x, y: its centre, from the left and from the top.
        size: side of its unit square.
        stretch: width over height, times 1.
        rotation: degrees, clockwise.
        palette: the three colours that it is drawn in.
        opacity: 1 is solid, 0 is invisible.
        drawing: of a concept that the world does not have; None for one that it has.
    """

    concept: str
    x: float
    y: float
    size: float
    palette: tuple[Colour, Colour, Colour]
    stretch: float = 1.0
    rotation: float = 0.0
    opacity: float = 1.0
    drawing: Callable[[Pen], None] | None = None


@dataclass(frozen=True)
class Scene:
    """A picture to be drawn: a backdrop, and the concepts on it from back to front."""

    backdrop: Backdrop
    placements: tuple[Placement, ...]
