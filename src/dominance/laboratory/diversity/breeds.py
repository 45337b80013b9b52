"""Two shapes that the base never drew, each in breeds: what a new word can be taught for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from dominance.laboratory.diversity.designs import is_clear
from dominance.miniature.concepts import INK, PAPER, Colour, Pen
from dominance.miniature.scene import Scene
from dominance.miniature.world import single_scene

_SEED = 5_100_000


@dataclass(frozen=True)
class Breed:
    """What of a shape differs from breed to breed; each trait from 0 to 1."""

    length: float
    height: float
    head: float
    ears: float
    tail: float
    marks: float


def draw_dog(breed: Breed, pen: Pen) -> None:
    """From the side, head to the right: a body on legs, a head with an ear and a muzzle, a tail."""
    half, leg = 0.2 + 0.1 * breed.length, 0.14 + 0.2 * breed.height
    top, depth = 0.5 - leg - 0.22, 0.24
    for x in (-half + 0.02, -half + 0.12, half - 0.18, half - 0.08):
        pen.polygon([(x, top + 0.12), (x + 0.07, top + 0.12), (x + 0.07, 0.5), (x, 0.5)], 1)
    pen.ellipse(0.0, top + depth / 2, half + 0.03, depth / 2, 0)
    rise = 0.1 + 0.22 * breed.tail
    pen.polygon(
        [(-half, top + 0.04), (-half - 0.14, top - rise), (-half - 0.2, top - rise), (-half - 0.02, top + 0.16)], 0
    )
    x, y, r = half + 0.02, top - 0.06, 0.11 + 0.05 * breed.head
    pen.polygon([(half - 0.14, top + 0.08), (half + 0.04, top + 0.14), (x + r * 0.7, y), (x - r, y)], 0)
    pen.ellipse(x, y, r, r, 0)
    pen.ellipse(x + r, y + 0.03, r * 0.75, r * 0.5, 1)
    pen.ellipse(x + r * 1.7, y + 0.02, 0.035, 0.035, INK)
    pen.ellipse(x + r * 0.25, y - r * 0.3, 0.035, 0.04, INK)
    if breed.ears < 0.34:
        pen.polygon([(x - r, y - r * 0.4), (x - r * 0.5, y - r - 0.17), (x + r * 0.1, y - r * 0.8)], 2)
    elif breed.ears < 0.67:
        pen.ellipse(x - r * 0.8, y + r * 0.5, 0.06, 0.14, 2)
    else:
        pen.ellipse(x - r * 0.5, y - r, 0.09, 0.09, 2)
    if breed.marks > 0.5:
        pen.ellipse(-0.06, top + 0.1, 0.09, 0.07, 2)


def draw_fish(breed: Breed, pen: Pen) -> None:
    """Head to the right: a body, a tail, fins, stripes."""
    half, depth = 0.24 + 0.1 * breed.length, 0.14 + 0.16 * breed.height
    spread = 0.14 + 0.18 * breed.tail
    fork = 0.0 if breed.ears < 0.5 else 0.09
    pen.polygon([(-half + 0.08, 0.0), (-0.5, -spread), (-0.5 + fork, 0.0), (-0.5, spread)], 1)
    pen.polygon([(-0.14, -depth * 0.8), (0.02, -depth - 0.06 - 0.14 * breed.ears), (0.14, -depth * 0.8)], 2)
    pen.polygon([(-0.08, depth * 0.8), (-0.1, depth + 0.12), (0.1, depth * 0.8)], 2)
    pen.ellipse(0.04, 0.0, half, depth, 0)
    pen.polygon([(half - 0.04, -0.08), (half + 0.1 + 0.06 * breed.head, 0.0), (half - 0.04, 0.08)], 0)
    if breed.marks > 0.5:
        for x in (-0.12, 0.02):
            pen.polygon([(x, -depth * 0.8), (x + 0.06, -depth * 0.8), (x + 0.06, depth * 0.8), (x, depth * 0.8)], 1)
    pen.ellipse(half - 0.09, -depth * 0.25, 0.055, 0.055, PAPER)
    pen.ellipse(half - 0.08, -depth * 0.25, 0.028, 0.028, INK)


SHAPES: dict[str, Callable[[Breed, Pen], None]] = {"dvddog": draw_dog, "dvdfish": draw_fish}
"""The new words and the shapes that they are taught for."""


@cache
def breed_design(shape: str, number: int) -> Scene:
    """A breed in one palette, place, size and backdrop."""
    return any_breed(shape, np.random.default_rng([_SEED, *shape.encode(), number]))


def any_breed(shape: str, rng: np.random.Generator, clear: bool = True) -> Scene:
    """A breed of its own; one that is clearly shown unless it need not be."""
    while True:
        scene = single_scene("clown", 1.0, rng)  # for its place, size and backdrop
        breed = Breed(*(float(trait) for trait in rng.random(6)))
        placement = replace(
            scene.placements[0], concept=shape, palette=_palette(rng), drawing=partial(SHAPES[shape], breed)
        )
        scene = replace(scene, placements=(placement,))
        if not clear or is_clear(scene):
            return scene


def _palette(rng: np.random.Generator) -> tuple[Colour, Colour, Colour]:
    hue = rng.random()
    coat = (hue, rng.uniform(0.45, 0.9), rng.uniform(0.4, 0.9))
    legs = (hue, coat[1], coat[2] * 0.75)
    ears = ((hue + rng.uniform(0.1, 0.9)) % 1.0, rng.uniform(0.4, 0.9), rng.uniform(0.25, 0.8))
    return coat, legs, ears
