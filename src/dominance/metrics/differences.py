"""Differences of rates, apart or paired, and of means, and the ratio of two costs, with their intervals."""

from collections.abc import Sequence

import numpy as np

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.intervals import wilson_interval
from dominance.records import Interval, Rate


def rate_difference(first: Rate, second: Rate, confidence: float = 0.95) -> tuple[float, Interval]:
    """``second − first`` of two independent rates, from -1 to 1, with its hybrid score interval.

    Raises:
        InputError: a rate over nothing.

    Source: Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10.

    >>> difference, (low, high) = rate_difference(Rate(48, 80, None), Rate(56, 70, None))
    >>> round(difference, 3), round(low, 3), round(high, 3)
    (0.2, 0.052, 0.334)
    """
    if not first.n or not second.n:
        raise InputError("a rate is over no images; give at least one image each")
    one, other = (wilson_interval(found.count, found.n, confidence) for found in (first, second))
    return _joined(first.count / first.n, one, second.count / second.n, other)


def difference_of_intervals(first: Rate, second: Rate) -> tuple[float, Interval]:
    """``second − first`` of two independent rates, from -1 to 1, its interval joined from their own.

    It serves rates whose intervals are of fewer units than were counted, as those of ``alike_rate``.

    Raises:
        InputError: a rate without an interval.

    Source: Zou & Donner (2008), "Construction of confidence limits about effect measures: a general approach"; of
    Wilson's intervals it is ``rate_difference``.
    """
    if first.interval is None or second.interval is None:
        raise InputError("a rate is over no images; give at least one image each")
    return _joined(first.count / first.n, first.interval, second.count / second.n, second.interval)


def _joined(p: float, first: Interval, q: float, second: Interval) -> tuple[float, Interval]:
    (p_low, p_high), (q_low, q_high), difference = first, second, q - p
    low = difference - ((q - q_low) ** 2 + (p_high - p) ** 2) ** 0.5
    high = difference + ((q_high - q) ** 2 + (p - p_low) ** 2) ** 0.5
    return difference, (max(-1.0, low), min(1.0, high))


def paired_rate_difference(
    both: int, only_first: int, only_second: int, neither: int, confidence: float = 0.95
) -> tuple[float, Interval]:
    """``second − first`` of two rates over the same units, from -1 to 1, with its score interval.

    Args:
        both, only_first, only_second, neither: how many units have it on both sides, on one side only, and on none.

    Raises:
        InputError: no unit.

    Source: Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based on
    paired data", method 10: the ends of both Wilson intervals, joined by the correlation of the pairs.

    >>> difference, (low, high) = paired_rate_difference(0, 4, 0, 0)
    >>> round(difference, 3), round(low, 3), round(high, 3)
    (-1.0, -1.0, -0.307)
    """
    n = both + only_first + only_second + neither
    if not n or min(both, only_first, only_second, neither) < 0:
        raise InputError("the pairs are counted as none, or as fewer; give at least one")
    first, second = both + only_first, both + only_second
    p, q = first / n, second / n
    p_low, p_high = wilson_interval(first, n, confidence)
    q_low, q_high = wilson_interval(second, n, confidence)
    shared = 2 * _correlation(both, only_first, only_second, neither)
    down, up = (q - q_low, p_high - p), (q_high - q, p - p_low)
    low, high = ((a * a - shared * a * b + b * b) ** 0.5 for a, b in (down, up))
    difference = (only_second - only_first) / n
    return difference, (max(-1.0, difference - low), min(1.0, difference + high))


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """The phi coefficient of the pairs; a positive one with the paper's correction for continuity, 0 without spread."""
    first, second = both + only_first, both + only_second
    spread = first * (only_second + neither) * second * (only_first + neither)
    if not spread:
        return 0.0
    excess = both * neither - only_first * only_second
    if excess > 0:
        excess = max(excess - (both + only_first + only_second + neither) / 2, 0)
    return excess / spread**0.5


def mean_difference(
    first: Sequence[float], second: Sequence[float], resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> tuple[float, Interval]:
    """``second − first`` of the means of two independent samples, with its percentile bootstrap interval.

    Raises:
        InputError: an empty sample.

    Source: Efron & Tibshirani (1993), chapter 8, the two-sample problem.
    """
    if not first or not second:
        raise InputError("a mean is over no values; give at least one value each")
    rng = np.random.default_rng(seed)
    samples = [np.asarray(sample, dtype=float) for sample in (first, second)]
    one, other = (
        resampled(lambda weights, values=values: weights @ values / len(values), len(values), resamples, rng)
        for values in samples
    )
    return float(np.mean(second) - np.mean(first)), percentile_interval(other - one, confidence)


def cost_ratio(
    first: Sequence[tuple[float, float]],
    second: Sequence[tuple[float, float]],
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, Interval | None]:
    """``(Σ cost₁ / Σ gain₁) / (Σ cost₂ / Σ gain₂)`` of two ways to work on the same clusters, with its interval.

    The bootstrap draws whole clusters, both ways of each. A resample in which the second way gains nothing counts as 0,
    one in which the first gains nothing as infinite. No interval with fewer than two clusters.

    Args:
        first, second: cost and gain of each cluster, in the same order.

    Raises:
        InputError: not the same clusters, or a way that gains nothing or costs nothing in all of them.

    Source: Efron & Tibshirani (1993), chapter 13.

    >>> cost_ratio([(50, 1), (50, 1)], [(200, 2), (200, 2)])
    (0.5, (0.5, 0.5))
    """
    if len(first) != len(second) or not first:
        raise InputError(f"{len(first)} clusters of the one and {len(second)} of the other; give the same of both")
    values = np.asarray([[*one, *other] for one, other in zip(first, second, strict=True)], dtype=float)
    cost, gain, other_cost, other_gain = values.sum(axis=0)
    if not gain or not other_gain or not other_cost:
        raise InputError("a ratio of costs needs a gain of both ways, and a cost of the second")

    def ratios(weights: np.ndarray) -> np.ndarray:
        costs, gains, other_costs, other_gains = (weights @ values).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gains > 0, costs * other_gains / (gains * other_costs), np.inf)

    ratio = float(cost * other_gain / (gain * other_cost))
    if len(first) < 2:
        return ratio, None
    drawn = resampled(ratios, len(first), resamples, seed)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], method="nearest")
    return ratio, (float(low), float(high))
