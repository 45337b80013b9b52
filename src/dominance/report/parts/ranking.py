"""What the report puts first: the worst prompts."""

from collections.abc import Iterable

from dominance.records import PromptResult, PromptVerdict
from dominance.runs.stages.directions import top_share

_RANK: dict[PromptVerdict | None, int] = {"dominance": 0, "lost": 1, "mixed": 2, None: 3, "balanced": 4}


def worst_first(results: Iterable[PromptResult]) -> tuple[PromptResult, ...]:
    """Dominance, lost, mixed, unknown, balanced; within each by the share of collapsed images, then by mean DvD."""
    return tuple(sorted(results, key=_badness))


def failing_first(results: Iterable[PromptResult]) -> tuple[PromptResult, ...]:
    """Of the same, in the same order, those that collapse in some image, or show no concept in most."""
    return tuple(p for p in worst_first(results) if p.collapsed or p.verdict in {"dominance", "lost"})


def _badness(result: PromptResult) -> tuple[int, float, float]:
    return (_RANK[result.verdict], -top_share(result), -(result.dvd_mean or 0.0))
