"""A quantity with an interval at any confidence: what is decided from it, and how sure that is."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.detection import roc_auc, roc_auc_few, roc_auc_interval
from dominance.metrics.differences import mean_difference, rate_difference
from dominance.metrics.intervals import exact_interval, t_interval, welch_interval
from dominance.records import Interval, Rate

FEWEST: int = 6
"""Units, such as prompts, below which nothing is decided: five that agree do so by chance in 2 of 2⁵ cases, over 5%."""
_MANY = 30
"""Units from which a bootstrap's interval of a mean is as wide as Student's."""
_LEVEL = 0.05
"""Of p, from which on nothing is decided."""
_STEPS = 14
_LEAST_CHANCE = 1e-4


@dataclass(frozen=True)
class Measured:
    """A quantity with its interval.

    Attributes:
        at: the interval with any confidence.
        n: how many units it is over, ``of`` what.
        fewest: the size of its smallest group.
        least: the smallest p that so many units can give, whatever they show.
        extremes: of a share, the intervals where none and where all have it, with any confidence.
    """

    value: float
    at: Callable[[float], Interval]
    n: int
    of: str = "prompts"
    fewest: int | None = None
    least: float = 0.0
    extremes: Callable[[float], tuple[Interval, Interval]] | None = None

    @property
    def interval(self) -> Interval:
        return self.at(0.95)

    @property
    def enough(self) -> bool:
        """Whether an interval over so few can be trusted."""
        return (self.n if self.fewest is None else self.fewest) >= FEWEST and self.least < _LEVEL


def chance(measured: Measured, threshold: float) -> float:
    """A two-sided p: one less the largest confidence at which the interval still leaves the threshold out.

    From 0.0001, or the smallest that so few units can give, to 1, by bisection over its logarithm.
    """
    least = max(_LEAST_CHANCE, measured.least)

    def left_out(p: float) -> bool:
        low, high = measured.at(1 - p)
        return low > threshold or high < threshold

    if left_out(least):
        return least
    low, high = math.log(least), 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if left_out(math.exp(middle)) else (middle, high)
    return math.exp(high)


def of_rate(count: float, n: int, of: str = "prompts") -> Measured:
    """A share with Clopper and Pearson's interval, whose p is that of the exact binomial test.

    Args:
        count: a sum of shares where each unit has one; its interval is then of the whole numbers around it.
    """

    def within(found: float, confidence: float) -> Interval:
        least, most = math.floor(found + 1e-9), math.ceil(found - 1e-9)
        return exact_interval(least, n, confidence)[0], exact_interval(most, n, confidence)[1]

    return Measured(
        count / n,
        lambda confidence: within(count, confidence),
        n,
        of,
        extremes=lambda confidence: (within(0, confidence), within(n, confidence)),
    )


def of_rates(first: Rate, second: Rate, of: str = "prompts") -> Measured:
    """The difference of two independent shares, second less first, with Newcombe's interval."""
    value, _ = rate_difference(first, second)
    return Measured(
        value,
        lambda confidence: rate_difference(first, second, confidence)[1],
        first.n + second.n,
        of,
        min(first.n, second.n),
        least_of_two(first.n, second.n),
    )


def of_difference(first: Sequence[float], second: Sequence[float], of: str = "prompts") -> Measured:
    """The difference of two independent means, second less first: Welch's interval of few, of many the bootstrap's."""
    value, fewest = fmean(second) - fmean(first), min(len(first), len(second))

    def at(confidence: float) -> Interval:
        few = welch_interval(first, second, confidence) if fewest < _MANY else None
        return few or mean_difference(first, second, confidence=confidence)[1]

    return Measured(value, at, len(first) + len(second), of, fewest, least_of_two(len(first), len(second)))


def of_area(scores: Sequence[float], labels: Sequence[bool], of: str = "prompts") -> Measured:
    """The area under the ROC curve: Newcombe's interval of few, of many the bootstrap's."""
    sizes = (sum(labels), len(labels) - sum(labels))
    interval = roc_auc_few if min(sizes) < _MANY else roc_auc_interval
    return Measured(
        roc_auc(scores, labels),
        lambda confidence: interval(scores, labels, confidence=confidence),
        len(scores),
        of,
        min(sizes),
        least_of_two(*sizes),
    )


def of_clusters(clusters: Sequence[Sequence[float]], of: str = "prompts", most: float = math.inf) -> Measured:
    """The mean over all values, a cluster being the unit: Student's interval of few, of many the bootstrap's.

    Clusters of several sizes are linearised: each stands for the mean, and what it adds to it.

    Args:
        most: the size that the mean can have; the ends of Student's interval stay within.

    Source: Student (1908); Cochran (1977), section 6.4, for the mean of clusters of several sizes.
    """
    kept = [cluster for cluster in clusters if len(cluster)]
    count = len(kept)
    sums, sizes = np.array([np.sum(c) for c in kept]), np.array([float(len(c)) for c in kept])
    value = float(sums.sum() / sizes.sum())
    least = 2 / 2.0**count
    if 1 < count < _MANY:
        units = (value + (sums - value * sizes) * count / sizes.sum()).tolist()
        return Measured(
            value,
            lambda confidence: t_interval(units, confidence, -most, most) or (value, value),
            count,
            of,
            None,
            least,
        )
    drawn = resampled(lambda weights: (weights @ sums) / (weights @ sizes), count)
    return Measured(value, _quantiles(drawn), count, of, None, least)


def least_of_two(first: int, second: int) -> float:
    """The two-sided p of the most extreme of all ways to part so many units into two groups of these sizes."""
    return min(1.0, 2 / math.comb(first + second, first))


def of_medians(first: Sequence[float], second: Sequence[float], of: str = "prompts") -> Measured:
    """The difference of two independent medians, second less first, with its bootstrap interval."""
    rng = np.random.default_rng(0)
    samples = [np.asarray(sample, dtype=float) for sample in (first, second)]
    one, other = (np.median(rng.choice(values, size=(10_000, len(values))), axis=1) for values in samples)
    value = float(np.median(samples[1]) - np.median(samples[0]))
    sizes = (len(first), len(second))
    return Measured(value, _quantiles(other - one), sum(sizes), of, min(sizes), least_of_two(*sizes))


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

    def extremes(confidence: float) -> tuple[Interval, Interval]:
        shared = 1 - (1 - confidence) / len(measured)
        none, every = ([one.extremes(level) for one in measured if one.extremes] for level in (shared, confidence))
        return (0.0, min(ends[0][1] for ends in none)), (min(ends[1][0] for ends in every), 1.0)

    fewest = min(one.n if one.fewest is None else one.fewest for one in measured)
    p = min(1.0, len(measured) * max(one.least for one in measured))
    shares = all(one.extremes for one in measured)
    return Measured(least.value, at, least.n, least.of, fewest, p, extremes if shares else None)


def of_paired_medians(before: Sequence[float], after: Sequence[float], of: str = "prompts") -> Measured:
    """The median after less the median before, pairs drawn again together."""
    pairs = np.array([before, after], dtype=float)
    count = pairs.shape[1]
    chosen = np.random.default_rng(0).integers(count, size=(10_000, count))
    one, other = (np.median(values[chosen], axis=1) for values in pairs)
    value = float(np.median(pairs[1]) - np.median(pairs[0]))
    return Measured(value, _quantiles(other - one), count, of, None, 2 / 2.0**count)


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
