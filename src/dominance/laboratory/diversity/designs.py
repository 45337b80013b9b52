"""Ten designs of each known entity: what one picture set shows again and again, and another set only some of."""

from dataclasses import replace
from functools import cache

import numpy as np

from dominance.miniature.concepts import BY_NAME, Colour
from dominance.miniature.renderer import SIDE, Picture, render
from dominance.miniature.scene import Backdrop, Scene
from dominance.miniature.world import single_scene

DESIGNS: int = 10
"""Designs of a concept, by turns the first."""
STRIDE: int = 3
"""Training seed s begins with design 3 s, counted round; ten seeds begin with each of the ten once."""

_SEED = 5_000_000
_JITTER = 0.5
"""Standard deviation of a design's place from picture to picture, in pixels: that of the world's rigid concepts."""
_LEAST_CONTRAST = 0.22
_LEAST_VISIBLE = 0.9
_LEAST_SIZE = 0.55
_PALETTES: dict[str, tuple[Colour, Colour, Colour]] = {
    "robot": ((0.58, 0.22, 0.7), (0.6, 0.3, 0.46), (0.48, 0.8, 0.86)),
    "castle": ((0.1, 0.42, 0.74), (0.62, 0.68, 0.45), (0.0, 0.0, 0.4)),
}
"""Colours that designs start from where the world's own are nearly grey; the judge takes a bright robot for none."""


def first_design(seed: int) -> int:
    """The design that a training seed begins with."""
    return STRIDE * seed % DESIGNS


def designs_of(count: int, seed: int) -> tuple[int, ...]:
    """The ``count`` successive designs that a training seed's picture set shows.

    >>> designs_of(4, 3)
    (9, 0, 1, 2)
    """
    return tuple((first_design(seed) + place) % DESIGNS for place in range(count))


@cache
def design(concept: str, number: int) -> Scene:
    """One drawn palette, place, size, stretch, rotation and backdrop, the same on any machine.

    Drawn again until it takes more than half of the side, is nearly whole, and stands out from the backdrop.
    """
    return clear_scene(concept, np.random.default_rng([_SEED, *concept.encode(), number]))


def clear_scene(concept: str, rng: np.random.Generator) -> Scene:
    """A scene of diversity 1 that shows the concept clearly."""
    while True:
        scene = _recoloured(single_scene(concept, 1.0, rng))
        if is_clear(scene):
            return scene


def is_clear(scene: Scene) -> bool:
    """Whether the scene's only concept is large and whole and stands out."""
    if scene.placements[0].size < _LEAST_SIZE:
        return False
    picture = render(scene)
    return picture.truths[0].visible >= _LEAST_VISIBLE and contrast(picture) >= _LEAST_CONTRAST


def contrast(picture: Picture) -> float:
    """Mean distance in RGB between what is drawn and the backdrop behind it, 0 to 1."""
    white, black = (render(replace(picture.scene, backdrop=Backdrop((0, 0, v), (0, 0, v)))).pixels for v in (0.0, 1.0))
    drawn = (white == black).all(axis=-1)
    bare = render(replace(picture.scene, placements=())).pixels
    apart = np.linalg.norm((picture.pixels.astype(float) - bare) / 255, axis=-1) / 3**0.5
    return float(apart[drawn].mean()) if drawn.any() else 0.0


def jittered(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with its concept a pixel or so elsewhere."""
    placement = scene.placements[0]
    dx, dy = rng.normal(0.0, _JITTER / SIDE, 2)
    return replace(scene, placements=(replace(placement, x=placement.x + dx, y=placement.y + dy),))


def _recoloured(scene: Scene) -> Scene:
    """The scene in the same turn of hues from the concept's own starting colours."""
    placement = scene.placements[0]
    start = _PALETTES.get(placement.concept)
    if start is None:
        return scene
    turn = placement.palette[1][0] - BY_NAME[placement.concept].palette[1][0]
    first, second, third = (((hue + turn) % 1.0, s, v) for hue, s, v in start)
    return replace(scene, placements=(replace(placement, palette=(first, second, third)),))
