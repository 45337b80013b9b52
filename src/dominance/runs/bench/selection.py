"""Which candidates a bench keeps: in stream order, under caps, without near duplicates."""

import itertools
from collections import Counter
from dataclasses import dataclass, field

from dominance.runs.bench.candidates import Candidate

NEEDED_OF_TEN: int = 7
"""Images of ten that must collapse in one direction, or balance. Source: Jeong & Lee (2025), DominanceBench."""


def needed(images: int) -> int:
    """How many of a prompt's images must agree: 7 of 10, or the same share of another number, rounded up.

    >>> needed(10), needed(4), needed(1)
    (7, 3, 1)
    """
    return -(-NEEDED_OF_TEN * images // 10)


def rounds(images: int) -> tuple[range, ...]:
    """The images of a candidate, in the rounds in which they are made.

    The first is the smallest after which a candidate can have failed; the others add as many images as may still miss.

    >>> rounds(10)
    (range(0, 4), range(4, 7), range(7, 10))
    """
    spare = images - needed(images)
    edges = [0, *range(spare + 1, images, max(1, spare)), images]
    return tuple(range(start, end) for start, end in itertools.pairwise(edges))


@dataclass(frozen=True)
class Caps:
    """How many kept prompts of a stream may share a concept, and how many an object."""

    concept: int
    object: int


@dataclass
class Shelf:
    """The kept candidates of a stream, filled in stream order until the target is met.

    The result depends only on order and outcomes, not on how many candidates are tried at once: a candidate without
    room now never has room later.
    """

    name: str
    target: int
    caps: Caps
    kept: list[Candidate] = field(default_factory=list)
    _concepts: Counter[str] = field(default_factory=Counter)
    _objects: Counter[str] = field(default_factory=Counter)
    _words: set[frozenset[str]] = field(default_factory=set)

    @property
    def missing(self) -> int:
        """The number of prompts still to find."""
        return self.target - len(self.kept)

    def has_room(self, candidate: Candidate) -> bool:
        """Whether the candidate may be kept: below target and caps, and not a near duplicate."""
        return self.missing > 0 and candidate.words not in self._words and self._below_caps(candidate)

    def keep(self, candidate: Candidate) -> None:
        """Adds the candidate."""
        self.kept.append(candidate)
        self._words.add(candidate.words)
        self._objects[candidate.object] += 1
        self._counter(candidate)[candidate.concept] += 1

    def _below_caps(self, candidate: Candidate) -> bool:
        of_concept = self.caps.object if candidate.category == "object" else self.caps.concept
        return (
            self._objects[candidate.object] < self.caps.object
            and self._counter(candidate)[candidate.concept] < of_concept
        )

    def _counter(self, candidate: Candidate) -> Counter[str]:
        """The counter of the candidate's first concept: objects count as objects in either position."""
        return self._objects if candidate.category == "object" else self._concepts


def shares_of(target: int, categories: int) -> list[int]:
    """The target split evenly; the first categories get the remainder.

    >>> shares_of(10, 3)
    [4, 3, 3]
    """
    return [target // categories + (index < target % categories) for index in range(categories)]


def caps_of(target: int, concepts: int, objects: int, cap: int | None) -> Caps:
    """The caps of a stream: the given one for both, else twice the even share of each."""
    return Caps(cap, cap) if cap is not None else Caps(-(-2 * target // concepts), -(-2 * target // objects))
