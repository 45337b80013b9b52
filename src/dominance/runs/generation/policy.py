"""What to draw next: by which way, and from which noise."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dominance.runs.stages.method_names import PLAIN

Outcome = Literal["usable", "given up", "failed", "error"]
Step = tuple[str, int]
"""A way, and the seed of a noise."""


@dataclass(frozen=True)
class Try:
    """One way from one noise, and what came of it: ``given up`` at 40% of the steps, ``failed`` when finished."""

    way: str
    seed: int
    outcome: Outcome


def ways_of(risk: str | None, methods: Sequence[str]) -> tuple[str, ...]:
    """The ways of a prompt, in the order in which it goes through them.

    At high risk, methods alone: plain drawing would be given up most times.

    >>> ways_of("low", ["regions"]), ways_of("high", ["regions"]), ways_of("high", [])
    (('plain', 'regions'), ('regions',), ('plain',))
    """
    return tuple(methods) if risk == "high" and methods else (PLAIN, *methods)


def next_try(
    tried: Sequence[Try], ways: Sequence[str], seeds: Sequence[int] | None, out: Collection[str] = ()
) -> Step | None:
    """The next way and noise; None where every noise has been tried by every way.

    A prompt stays with a way until that has failed more often than it gave a usable image; then it goes to the one that
    has fallen behind least, the first in order of several. A way takes the first noise that it has not tried and that
    gave no usable image yet, so that a failure is drawn again from its own noise first.

    Args:
        seeds: of the noises; None for 0, 1, 2 and so on without end.
        out: ways that cannot serve the prompt.

    >>> next_try([], ["plain", "regions"], None)
    ('plain', 0)
    >>> next_try([Try("plain", 0, "given up")], ["plain", "regions"], None)
    ('regions', 0)
    >>> next_try([Try("plain", 0, "given up"), Try("regions", 0, "usable")], ["plain", "regions"], None)
    ('regions', 1)
    """
    behind = dict.fromkeys((way for way in ways if way not in out), 0)
    for each in tried:
        if each.way in behind:
            behind[each.way] += -1 if each.outcome == "usable" else 1
    done = {each.seed for each in tried if each.outcome == "usable"}
    for way in sorted(behind, key=lambda way: max(0, behind[way])):
        own = {each.seed for each in tried if each.way == way}
        seed = next((seed for seed in _noises(seeds) if seed not in own and seed not in done), None)
        if seed is not None:
            return way, seed
    return None


def sure_steps(
    tried: Sequence[Try], ways: Sequence[str], seeds: Sequence[int] | None, most: int, out: Collection[str] = ()
) -> list[Step]:
    """The next tries of one way, as far as each of them comes whatever becomes of those before.

    That is so while the way would be kept even if all of them failed: a usable image only keeps it longer, and which
    noises it takes depends on its own tries alone. So no image is drawn on a guess.

    Args:
        most: usable images that are missing, for so many are needed in any case.

    >>> sure_steps([], ["plain", "regions"], None, 3)
    [('plain', 0)]
    >>> sure_steps([Try("plain", seed, "usable") for seed in (0, 1)], ["plain", "regions"], None, 5)
    [('plain', 2), ('plain', 3), ('plain', 4)]
    """
    found: list[Step] = []
    while len(found) < most:
        step = next_try([*tried, *(Try(*each, "failed") for each in found)], ways, seeds, out)
        if step is None or (found and step[0] != found[0][0]):
            break
        found.append(step)
    return found


def _noises(seeds: Sequence[int] | None) -> Iterator[int]:
    return itertools.count() if seeds is None else iter(seeds)
