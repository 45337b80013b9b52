"""Which pictures are labelled: the prompt, the noise and the number of each."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dominance.laboratory.labels.makers import Arrangement, Maker, makers
from dominance.miniature.captions import PAIR_TEMPLATES, SINGLE_TEMPLATES, with_article
from dominance.miniature.concepts import BY_NAME, ENTITIES, OBJECTS
from dominance.miniature.labelled import Half, Scene
from dominance.miniature.scene import SCENERY
from dominance.miniature.world import HELD_OUT_PAIRS

FIRST_NOISE: int = 18_000_000
"""The noise seeds start here, far from all others, and no two pictures share one."""
_SEED = 18_000

Names = tuple[str, ...]


@dataclass(frozen=True)
class Planned:
    """One picture to draw.

    Attributes:
        number: on the sheets, from 1; by chance, so that neighbours have nothing in common.
        concepts: that the prompt names, in its order.
        noise: the seed.
        half: ``dev`` is for choosing settings by, ``kept`` is not.
    """

    number: int
    maker: Maker
    arrangement: Arrangement
    text: str
    concepts: Names
    noise: int
    half: Half

    @property
    def scene(self) -> Scene:
        """How the model that draws it knows the prompt's entities."""
        entities = [name for name in self.concepts if BY_NAME[name].is_entity]
        if not entities:
            return "objects"
        if any(name in self.maker.rigid for name in entities):
            return "rigid"
        return "between" if any(name in self.maker.between for name in entities) else "varied"


def pictures_to_label() -> list[Planned]:
    """All of them, by their numbers; the same on any machine.

    The halves are drawn within each maker, from neighbours in its list, so that both have as many of each arrangement.
    """
    asked = [(maker, *prompt) for index, maker in enumerate(makers()) for prompt in prompts_of(maker, index)]
    numbers = np.random.default_rng(_SEED).permutation(len(asked)) + 1
    halves = [half for maker in makers() for half in _halves(maker)]
    planned = [
        Planned(int(number), maker, arrangement, text, concepts, FIRST_NOISE + place, half)
        for place, ((maker, arrangement, text, concepts), number, half) in enumerate(
            zip(asked, numbers, halves, strict=True)
        )
    ]
    return sorted(planned, key=lambda picture: picture.number)


def _halves(maker: Maker) -> list[Half]:
    """Of each of a maker's pictures: by chance one of every two neighbours is kept."""
    rng = np.random.default_rng([_SEED, 1, *maker.name.encode()])
    halves: list[Half] = []
    for _ in range(0, maker.pictures, 2):
        halves += ("dev", "kept") if rng.random() < 0.5 else ("kept", "dev")
    return halves[: maker.pictures]


def prompts_of(maker: Maker, turn: int) -> Iterator[tuple[Arrangement, str, Names]]:
    """Arrangement, text and concepts of each of a maker's pictures.

    Args:
        turn: of the maker, so that all together go through orders, templates and partners.
    """
    rng = np.random.default_rng([_SEED, 2, *maker.name.encode()])
    for arrangement, count in maker.counts.items():
        dealt = itertools.islice(_dealt(_nouns(arrangement, maker.entities), rng), count)
        for number, nouns in enumerate(dealt, start=turn):
            yield (
                arrangement,
                _worded(nouns, number),
                tuple(noun for noun in _ordered(nouns, number) if noun in BY_NAME),
            )


def _nouns(arrangement: Arrangement, entities: Names) -> list[tuple[Names, ...]]:
    """What prompts of an arrangement may name; one of each list in turn."""
    if arrangement == "alone":
        return [tuple((name,) for name in entities)]
    if arrangement == "object":
        return [tuple((name,) for name in OBJECTS)]
    if arrangement == "beside":
        return [tuple(itertools.product(entities, OBJECTS))]
    if arrangement == "scenery":
        return [tuple(itertools.product(entities, SCENERY))]
    if arrangement == "entities":
        pairs = itertools.combinations(ENTITIES, 2)
        return [tuple(pair for pair in pairs if set(pair) & set(entities))]
    pairs = list(itertools.combinations(OBJECTS, 2))
    held_out = tuple(pair for pair in pairs if frozenset(pair) in HELD_OUT_PAIRS)
    return [held_out, tuple(pair for pair in pairs if pair not in held_out)]


def _dealt(decks: Sequence[tuple[Names, ...]], rng: np.random.Generator) -> Iterator[Names]:
    """Endless cards, one of each deck in turn; a deck is shuffled anew when it is through."""
    waiting: list[list[Names]] = [[] for _ in decks]
    while True:
        for deck, left in zip(decks, waiting, strict=True):
            if not left:
                left += [deck[int(index)] for index in rng.permutation(len(deck))]
            yield left.pop()


def _ordered(nouns: Names, number: int) -> Names:
    return nouns if number % 2 else nouns[::-1]


def _worded(nouns: Names, number: int) -> str:
    """Both orders, and each of them under every template in turn."""
    articled = [with_article(noun) for noun in _ordered(nouns, number)]
    if len(articled) == 1:
        return SINGLE_TEMPLATES[number % len(SINGLE_TEMPLATES)].format(a=articled[0])
    return PAIR_TEMPLATES[number // 2 % len(PAIR_TEMPLATES)].format(a=articled[0], b=articled[1])
