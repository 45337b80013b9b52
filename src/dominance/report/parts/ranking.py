"""What the report puts first: the worst prompts, and the direction in which their images collapse."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dominance.records import PromptResult, PromptVerdict

_RANK: dict[PromptVerdict | None, int] = {"dominance": 0, "lost": 1, "mixed": 2, None: 3, "balanced": 4}


@dataclass(frozen=True)
class Direction:
    """In how many images ``dominating`` took over from ``dominated``."""

    dominating: str
    dominated: str
    images: int


def directions(result: PromptResult) -> tuple[Direction, ...]:
    """The directions in which the prompt's images collapse, the most frequent first."""
    counts = Counter(pair for image in result.images for pair in image.collapses)
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return tuple(Direction(dominating, dominated, images) for (dominating, dominated), images in ordered)


def worst_first(results: Iterable[PromptResult]) -> tuple[PromptResult, ...]:
    """Dominance, lost, mixed, unknown, balanced; within each by the share of collapsed images, then by mean DvD."""
    return tuple(sorted(results, key=_badness))


def failing_first(results: Iterable[PromptResult]) -> tuple[PromptResult, ...]:
    """Of the same, in the same order, those that collapse in some image, or show no concept in most."""
    return tuple(p for p in worst_first(results) if p.collapsed or p.verdict in {"dominance", "lost"})


def _badness(result: PromptResult) -> tuple[int, float, float]:
    return (_RANK[result.verdict], -top_share(result), -(result.dvd_mean or 0.0))


def top_share(result: PromptResult) -> float:
    """Share of the scored images that collapse in the most frequent direction, 0 to 1."""
    found = directions(result)
    return found[0].images / result.scored if found and result.scored else 0.0
