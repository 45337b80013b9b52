"""A quantity with an interval at any confidence: what is decided from it, and how sure that is."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.differences import mean_difference, rate_difference
from dominance.metrics.intervals import exact_interval, wilson_interval
from dominance.records import Interval, Rate

FEWEST: int = 5
"""Units, such as prompts, below which an interval is not trusted: nothing is decided from fewer."""
_STEPS = 14
_LEAST_CHANCE = 1e-4


@dataclass(frozen=True)
class Measured:
    """A quantity with its interval.

    Attributes:
        at: the interval with any confidence.
        n: how many units it is over, ``of`` what.
        fewest: the size of its smallest group.
    """

    value: float
    at: Callable[[float], Interval]
    n: int
    of: str = "prompts"
    fewest: int | None = None

    @property
    def interval(self) -> Interval:
        return self.at(0.95)

    @property
    def enough(self) -> bool:
        """Whether an interval over so few can be trusted."""
        return (self.n if self.fewest is None else self.fewest) >= FEWEST


def chance(measured: Measured, threshold: float) -> float:
    """A two-sided p: one less the largest confidence at which the interval still leaves the threshold out.

    From 0.0001 to 1, by bisection over its logarithm.
    """

    def left_out(p: float) -> bool:
        low, high = measured.at(1 - p)
        return low > threshold or high < threshold

    if left_out(_LEAST_CHANCE):
        return _LEAST_CHANCE
    low, high = math.log(_LEAST_CHANCE), 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if left_out(math.exp(middle)) else (middle, high)
    return math.exp(high)


def of_rate(count: int, n: int, of: str = "prompts") -> Measured:
    """A share with Wilson's interval."""
    return Measured(count / n, lambda confidence: wilson_interval(count, n, confidence), n, of)


def of_tried(count: int, n: int, of: str = "prompts") -> Measured:
    """A share of what was tried until enough was found, with Clopper and Pearson's interval."""
    return Measured(count / n, lambda confidence: exact_interval(count, n, confidence), n, of)


def of_rates(first: Rate, second: Rate, of: str = "prompts") -> Measured:
    """The difference of two independent shares, second less first, with Newcombe's interval."""
    value, _ = rate_difference(first, second)
    return Measured(
        value,
        lambda confidence: rate_difference(first, second, confidence)[1],
        first.n + second.n,
        of,
        min(first.n, second.n),
    )


def of_difference(first: Sequence[float], second: Sequence[float], of: str = "prompts") -> Measured:
    """The difference of two independent means, second less first, with its bootstrap interval."""
    value, _ = mean_difference(first, second)
    return Measured(
        value,
        lambda confidence: mean_difference(first, second, confidence=confidence)[1],
        len(first) + len(second),
        of,
        min(len(first), len(second)),
    )


def of_clusters(clusters: Sequence[Sequence[float]], of: str = "prompts") -> Measured:
    """The mean over all values, whole clusters drawn again."""
    kept = [cluster for cluster in clusters if len(cluster)]
    sums, sizes = np.array([np.sum(c) for c in kept]), np.array([float(len(c)) for c in kept])
    drawn = resampled(lambda weights: (weights @ sums) / (weights @ sizes), len(kept))
    return Measured(float(sums.sum() / sizes.sum()), _quantiles(drawn), len(kept), of)


def of_medians(first: Sequence[float], second: Sequence[float], of: str = "prompts") -> Measured:
    """The difference of two independent medians, second less first, with its bootstrap interval."""
    rng = np.random.default_rng(0)
    samples = [np.asarray(sample, dtype=float) for sample in (first, second)]
    one, other = (np.median(rng.choice(values, size=(10_000, len(values))), axis=1) for values in samples)
    value = float(np.median(samples[1]) - np.median(samples[0]))
    return Measured(value, _quantiles(other - one), len(first) + len(second), of, min(len(first), len(second)))


def smallest(measured: Collection[Measured]) -> Measured:
    """The smallest of several quantities, of which a claim asks that each lies above its threshold.

    Its interval lies above a threshold where every interval does, which keeps the error of claiming that of all. It
    lies below where any does, whose error is shared among them.

    Source: Berger (1982), the intersection–union test; Bonferroni's correction for the upper end.
    """
    least = min(measured, key=lambda one: one.value)

    def at(confidence: float) -> Interval:
        shared = 1 - (1 - confidence) / len(measured)
        return min(one.at(confidence)[0] for one in measured), min(one.at(shared)[1] for one in measured)

    fewest = min(one.n if one.fewest is None else one.fewest for one in measured)
    return Measured(least.value, at, least.n, least.of, fewest)


def of_paired_medians(before: Sequence[float], after: Sequence[float], of: str = "prompts") -> Measured:
    """The median after less the median before, pairs drawn again together."""
    pairs = np.array([before, after], dtype=float)
    count = pairs.shape[1]
    chosen = np.random.default_rng(0).integers(count, size=(10_000, count))
    one, other = (np.median(values[chosen], axis=1) for values in pairs)
    return Measured(float(np.median(pairs[1]) - np.median(pairs[0])), _quantiles(other - one), count, of)


def pearson_draws(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pearson's correlation where units are drawn again; no number where either side is constant."""
    pairs = np.stack([first, second, first * second, first**2, second**2])

    def correlations(weights: np.ndarray) -> np.ndarray:
        one, other, product, squares, others = (weights @ pairs.T / len(first)).T
        spreads = (squares - one**2).clip(min=0) * (others - other**2).clip(min=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(spreads > 1e-12 * np.abs(squares * others), (product - one * other) / spreads**0.5, np.nan)

    return resampled(correlations, len(first))


def of_draws(value: float, draws: np.ndarray, n: int, of: str = "prompts", fewest: int | None = None) -> Measured:
    """A statistic with its values where units are drawn again, without those that are not numbers."""
    return Measured(value, _quantiles(draws[~np.isnan(draws)]), n, of, fewest)


def _quantiles(draws: np.ndarray) -> Callable[[float], Interval]:
    return lambda confidence: percentile_interval(draws, confidence)
