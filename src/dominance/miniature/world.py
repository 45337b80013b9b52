"""The miniature world: which pictures exist, how often, and under which captions.

One number a concept, its diversity, from 0 (rigid: one design, palette, place and backdrop) to 1
(varied), drives the same code for every concept, so that a varied landmark or a rigid mug is only another
number. Nothing here knows what will dominate.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from dominance.miniature.captions import pair_caption, single_caption
from dominance.miniature.concepts import BY_NAME, CONCEPTS, ENTITIES, OBJECTS, Colour
from dominance.miniature.renderer import Picture, render
from dominance.miniature.scene import Backdrop, Placement, Scene

HELD_OUT_PAIRS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("mug", "umbrella"), ("book", "lamp"), ("chair", "bottle"), ("clock", "shirt"),
        ("mug", "clock"), ("umbrella", "shirt"), ("book", "bottle"), ("lamp", "chair"),
    )
)  # fmt: skip
"""Object pairs that no training picture shows and no training caption names."""

HELD_OUT_ENTITY_PAIRS: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("tower", "mug"), ("tower", "chair"), ("pagoda", "umbrella"), ("pagoda", "bottle"),
        ("castle", "book"), ("castle", "clock"), ("robot", "lamp"), ("robot", "shirt"),
        ("clown", "chair"), ("clown", "book"), ("wizard", "bottle"), ("wizard", "lamp"),
    )
)  # fmt: skip
"""Pairs of an entity and an object that no training picture shows either, whatever share of pictures has such pairs."""


def diversity_by_kind(entities: float, objects: float) -> dict[str, float]:
    """One diversity for all landmarks and characters, another for all objects, each from 0 to 1."""
    return {concept.name: entities if concept.is_entity else objects for concept in CONCEPTS}


_DISTINCT_SEED = 4_000_000

DEFAULT_DIVERSITY: dict[str, float] = diversity_by_kind(0.0, 1.0)


@dataclass(frozen=True)
class World:
    """A distribution of captioned pictures.

    Attributes:
        diversity: of each concept, 0 to 1.
        backdrops: how varied the backdrop of a concept by itself is, where that differs from its diversity.
        layouts: the same for its place and size.
        pairs: share of pictures that show two objects, each in its own half.
        entity_pairs: share of pictures that show an entity and an object, each in its own half.
        entities_together: share of pictures that show two entities, each in its own half.
        free_layouts: share of the pictures of two concepts that ``free_pair_scene`` lays out, not ``pair_scene``.
        scenery: share of single-concept pictures whose caption also names a part of their backdrop.
        exposure: how often a concept is shown by itself, relative to 1; a concept that is not named has 1.
        distinct: how many different pictures of a concept by itself there are, each of them shown again and again;
            a concept that is not named has no end of them.
        held_out: pairs that are never drawn nor named.
    """

    diversity: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_DIVERSITY))
    backdrops: dict[str, float] = field(default_factory=dict)
    layouts: dict[str, float] = field(default_factory=dict)
    pairs: float = 0.45
    entity_pairs: float = 0.0
    entities_together: float = 0.0
    free_layouts: float = 0.0
    scenery: float = 0.5
    exposure: dict[str, float] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    held_out: frozenset[frozenset[str]] = HELD_OUT_PAIRS | HELD_OUT_ENTITY_PAIRS

    def sample(self, rng: np.random.Generator) -> tuple[str, Scene]:
        """One caption and the scene it belongs to."""
        kind = rng.random()
        for share, pairs in self._pairs_by_share():
            if kind < share:
                return self._pair(_shuffled(rng, pairs), rng)
            kind -= share
        shares = np.array([self.exposure.get(c.name, 1.0) for c in CONCEPTS])
        concept = CONCEPTS[int(rng.choice(len(CONCEPTS), p=shares / shares.sum()))].name
        aspects = (self.backdrops.get(concept), self.layouts.get(concept))
        scene = single_scene(concept, self.diversity[concept], self._drawing(concept, rng), *aspects)
        named = rng.choice(scene.backdrop.scenery) if rng.random() < self.scenery else None
        return single_caption(concept, None if named is None else str(named), rng), scene

    def _drawing(self, concept: str, rng: np.random.Generator) -> np.random.Generator:
        """What a picture of one concept is drawn from: anew, or from one of its few distinct pictures."""
        if concept not in self.distinct:
            return rng
        return np.random.default_rng([_DISTINCT_SEED, *concept.encode(), int(rng.integers(self.distinct[concept]))])

    def _pair(self, pair: tuple[str, str], rng: np.random.Generator) -> tuple[str, Scene]:
        caption = pair_caption(*pair, rng)
        free = self.free_layouts > 0 and rng.random() < self.free_layouts
        return caption, (free_pair_scene if free else pair_scene)(pair, self.diversity, rng)

    def object_pairs(self) -> list[tuple[str, str]]:
        """The unordered object pairs that training may show."""
        return self._allowed(itertools.combinations(OBJECTS, 2))

    def _pairs_by_share(self) -> tuple[tuple[float, list[tuple[str, str]]], ...]:
        return (
            (self.pairs, self.object_pairs()),
            (self.entity_pairs, self._allowed(itertools.product(ENTITIES, OBJECTS))),
            (self.entities_together, self._allowed(itertools.combinations(ENTITIES, 2))),
        )

    def _allowed(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        return [pair for pair in pairs if frozenset(pair) not in self.held_out]

    def picture(self, seed: int, index: int) -> tuple[str, Picture]:
        """The ``index``-th captioned picture of the endless training set ``seed``; the same on any machine."""
        rng = np.random.default_rng([seed, index])
        caption, scene = self.sample(rng)
        return caption, render(scene)


def _shuffled(rng: np.random.Generator, pairs: list[tuple[str, str]]) -> tuple[str, str]:
    first, second = pairs[int(rng.integers(len(pairs)))]
    return (first, second) if rng.random() < 0.5 else (second, first)


def _between(canonical: float, low: float, high: float, diversity: float, rng: np.random.Generator) -> float:
    """From the canonical value towards a uniformly drawn one, by ``diversity``."""
    return canonical + diversity * (rng.uniform(low, high) - canonical)


def _palette(concept: str, diversity: float, rng: np.random.Generator) -> tuple[Colour, Colour, Colour]:
    turn = diversity * rng.uniform(-0.5, 0.5)
    saturate = 1 + diversity * rng.uniform(-0.15, 0.2)
    brighten = 1 + diversity * rng.uniform(-0.2, 0.15)
    first, second, third = (
        ((hue + turn) % 1.0, min(s * saturate, 1.0), min(v * brighten, 1.0)) for hue, s, v in BY_NAME[concept].palette
    )
    return first, second, third


def random_backdrop(rng: np.random.Generator) -> Backdrop:
    """A backdrop that belongs to no concept: pale above, stronger below, with or without a horizon."""
    sky = (rng.random(), rng.uniform(0.05, 0.35), rng.uniform(0.8, 1.0))
    ground = (rng.random(), rng.uniform(0.15, 0.45), rng.uniform(0.5, 0.85))
    outdoors = bool(rng.random() < 0.5)
    horizon = float(rng.uniform(0.6, 0.88)) if outdoors or rng.random() < 0.5 else 1.0
    hill = float(rng.uniform(0.05, 0.15)) if outdoors and rng.random() < 0.5 else 0.0
    sun = None
    if outdoors and rng.random() < 0.5:
        sun = (float(rng.uniform(0.12, 0.88)), float(rng.uniform(0.1, 0.25)), float(rng.uniform(0.06, 0.1)))
    fog = float(rng.uniform(0.4, 0.8)) if rng.random() < 0.2 else 0.0
    return Backdrop(sky, ground, horizon, outdoors, hill, sun, fog)


def own_backdrop(concept: str) -> Backdrop:
    """The backdrop of a concept's canonical design: landmarks stand outdoors, all else indoors."""
    sky, ground = BY_NAME[concept].sky, BY_NAME[concept].ground
    if BY_NAME[concept].kind == "landmark":
        return Backdrop(sky, ground, 0.86, True, 0.06, (0.82, 0.16, 0.08))
    return Backdrop(sky, ground, 0.8)


def _jitter(rng: np.random.Generator) -> float:
    """A pixel or so, in shares of the side: what even a rigid concept shows."""
    return float(rng.normal(0.0, 0.008))


def single_scene(
    concept: str,
    diversity: float,
    rng: np.random.Generator,
    backdrops: float | None = None,
    layouts: float | None = None,
) -> Scene:
    """One concept by itself: canonical at diversity 0, any place, size, colour and backdrop at 1.

    Args:
        backdrops, layouts: diversity of the backdrop, and of place and size, where it is another one.
    """
    layout = diversity if layouts is None else layouts
    size = _between(0.76, 0.4, 0.9, layout, rng)
    room = max(0.0, (1 - size) / 2)
    placement = Placement(
        concept,
        x=0.5 + layout * rng.uniform(-room, room) + _jitter(rng),
        y=0.53 + layout * rng.uniform(-room, room) + _jitter(rng),
        size=size,
        palette=_palette(concept, diversity, rng),
        stretch=1 + diversity * rng.uniform(-0.1, 0.1),
        rotation=diversity * rng.uniform(-10, 10),
    )
    foreign = rng.random() < (diversity if backdrops is None else backdrops)
    backdrop = random_backdrop(rng) if foreign else own_backdrop(concept)
    return Scene(backdrop, (placement,))


_CAPTION_ORDER = 0.8
"""How often the concept that the caption names first stands on the left."""


def pair_scene(pair: tuple[str, str], diversity: dict[str, float], rng: np.random.Generator) -> Scene:
    """Two concepts side by side, mostly in caption order, on a backdrop that belongs to neither."""
    centres = (0.26, 0.74) if rng.random() < _CAPTION_ORDER else (0.74, 0.26)
    placements = []
    for concept, x in zip(pair, centres, strict=True):
        place = (x + rng.uniform(-0.04, 0.04), 0.53 + rng.uniform(-0.12, 0.12))
        placements.append(_placed(concept, place, rng.uniform(0.36, 0.5), diversity[concept], rng))
    return Scene(random_backdrop(rng), tuple(placements))


def _placed(
    concept: str, place: tuple[float, float], size: float, diversity: float, rng: np.random.Generator
) -> Placement:
    """One of two concepts at its place, as varied as it is."""
    return Placement(
        concept,
        *place,
        size=size,
        palette=_palette(concept, diversity, rng),
        stretch=1 + diversity * rng.uniform(-0.1, 0.1),
        rotation=diversity * rng.uniform(-6, 6),
    )


def free_pair_scene(pair: tuple[str, str], diversity: dict[str, float], rng: np.random.Generator) -> Scene:
    """Two concepts in any arrangement: side by side at any distance, one above the other, in front, or on the other.

    Sizes differ up to three times. What stands in front leaves at least half of the other to be seen; what is on the
    other is small and in its middle, as a picture printed on it would be. Palettes and backdrop are those of
    ``pair_scene``; which of the two is in front does not follow from the caption.
    """
    back, front = pair if rng.random() < 0.5 else pair[::-1]
    arrangement = ("beside", "above", "in front", "on")[int(rng.integers(4))]
    if arrangement in ("beside", "above"):
        sizes = (rng.uniform(0.28, 0.55), rng.uniform(0.28, 0.55))
        places = _apart(sizes, upright=arrangement == "above", rng=rng)
        if rng.random() < _CAPTION_ORDER:
            back, front = pair
    else:
        printed = arrangement == "on"
        sizes = (rng.uniform(0.7, 0.85), rng.uniform(0.26, 0.34) if printed else rng.uniform(0.34, 0.42))
        turn = rng.uniform(0, 2 * np.pi)
        away = 0.04 if printed else 0.55 * sizes[0]
        behind = (0.5 + rng.uniform(-0.06, 0.06), 0.5 + rng.uniform(-0.06, 0.06))
        places = (behind, _inside(behind[0] + away * np.cos(turn), behind[1] + away * np.sin(turn), sizes[1]))
    placements = [
        _placed(concept, place, size, diversity[concept], rng)
        for concept, place, size in zip((back, front), places, sizes, strict=True)
    ]
    return Scene(random_backdrop(rng), tuple(placements))


def _apart(sizes: tuple[float, float], upright: bool, rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    """Two places that do not touch along one axis; the first is the upper or the left one."""
    least = sum(sizes) / 2
    room = max(0.0, 1 - sum(sizes))  # along the axis, when both are whole
    before = rng.uniform(0, room)
    first = before + sizes[0] / 2
    second = first + least + rng.uniform(0, room - before)
    across = [rng.uniform(size / 2, 1 - size / 2) for size in sizes]
    if upright:
        return ((across[0], first), (across[1], second))
    return ((first, across[0]), (second, across[1]))


def _inside(x: float, y: float, size: float) -> tuple[float, float]:
    """The place, moved until it is whole."""
    low, high = size / 2, 1 - size / 2
    return (float(np.clip(x, low, high)), float(np.clip(y, low, high)))
