"""What to draw next: by which way, and from which noise."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dominance.runs.stages.method_names import PLAIN

Outcome = Literal["usable", "given up", "failed", "error"]


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
) -> tuple[str, int] | None:
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


def _noises(seeds: Sequence[int] | None) -> Iterator[int]:
    return itertools.count() if seeds is None else iter(seeds)
