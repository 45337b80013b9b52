"""Intervals that stand beside every rate and mean."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist, fmean, stdev, variance

import numpy as np

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.records import Interval, Rate


def wilson_interval(count: float, n: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a rate, each end from 0 to 1.

    Args:
        count, n: halves, say, where every two of what was counted are alike.

    Raises:
        InputError: n below 0.5, or a count outside 0 to n.

    Source: Wilson (1927), without continuity correction.

    >>> low, high = wilson_interval(7, 10)
    >>> round(low, 3), round(high, 3)
    (0.397, 0.892)
    """
    if n < 0.5 or not 0 <= count <= n:
        raise InputError(f"{count} of {n} is not a rate; give a count from 0 to n, and n of 1 or more")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, spread = count / n, z * z / n
    centre = share + spread / 2
    margin = z * (share * (1 - share) / n + spread / (4 * n)) ** 0.5
    low, high = (centre - margin) / (1 + spread), (centre + margin) / (1 + spread)
    return (0.0 if count == 0 else max(0.0, low), 1.0 if count == n else min(1.0, high))


@lru_cache(maxsize=4096)
def exact_interval(count: int, n: int, confidence: float = 0.95) -> Interval:
    """Clopper and Pearson's interval of a rate, each end from 0 to 1; it never holds the rate too seldom.

    Its limits also hold where trying ended with the ``count``-th success, or with the last candidate before that: an
    interval for such a plan lies within this one. Wilson's is for a number of trials that was fixed beforehand.

    Raises:
        InputError: n below 1, or a count outside 0 to n.

    Source: Clopper & Pearson (1934); Jennison & Turnbull (1983), "Confidence intervals for a binomial parameter
    following a multistage test", for trying that ends early.

    >>> low, high = exact_interval(7, 10)
    >>> round(low, 3), round(high, 3)
    (0.348, 0.933)
    """
    if n < 1 or not 0 <= count <= n:
        raise InputError(f"{count} of {n} is not a rate; give a count from 0 to n, and n of 1 or more")
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _where(_at_least(count, n), tail)
    high = 1.0 if count == n else _where(_at_least(count + 1, n), 1 - tail)
    return low, high


def exact_rate(count: int, n: int) -> Rate:
    """A rate that decides something, or of what was tried until there was enough, with its exact interval.

    Without one when n is 0.
    """
    return Rate(count, n, exact_interval(count, n) if n else None)


def _where(chance: Callable[[float], float], most: float) -> float:
    """The share up to which the chance is below this, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) < most else (low, middle)
    return (low + high) / 2


def _at_least(count: int, n: int) -> Callable[[float], float]:
    """From a share to the probability of so many successes or more."""
    places = np.arange(count, n + 1)
    ways = np.array([math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in places])
    return lambda share: float(np.exp(ways + places * math.log(share) + (n - places) * math.log1p(-share)).sum())


def rate(count: int, n: int) -> Rate:
    """A rate with its interval; without one when n is 0."""
    return Rate(count, n, wilson_interval(count, n) if n else None)


def alike_rate(count: int, n: int, units: float) -> Rate:
    """A rate of what comes in so many units, such as images of prompts, as if those of a unit were all alike.

    Its Wilson interval is that of the same share of ``units``, rather too wide where they differ; none when n is 0.

    Source: Wilson (1927); Kish (1965), section 8.2, with the largest correlation within units.

    >>> [round(end, 2) for end in alike_rate(5, 20, 4).interval]
    [0.05, 0.7]
    """
    return Rate(count, n, wilson_interval(count / n * units, units) if n else None)


def bootstrap_mean(
    clusters: Sequence[Sequence[float]], resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Interval:
    """Percentile bootstrap interval of the mean over all values, whole clusters drawn with replacement.

    Args:
        clusters: the values of each cluster (prompt); give every value a cluster of its own where nothing is shared.

    Raises:
        InputError: no value at all.

    Source: Efron & Tibshirani (1993), chapter 13; clusters as in Field & Welsh (2007).
    """
    kept = [cluster for cluster in clusters if len(cluster)]
    if not kept:
        raise InputError("no values; give at least one")
    sums, sizes = np.array([np.sum(cluster) for cluster in kept]), np.array([float(len(cluster)) for cluster in kept])
    means = resampled(lambda weights: (weights @ sums) / (weights @ sizes), len(kept), resamples, seed)
    return percentile_interval(means, confidence)


def t_interval(
    units: Sequence[float], confidence: float = 0.95, least: float = -math.inf, most: float = math.inf
) -> Interval | None:
    """Student's interval of the mean of a few independent units, such as the six entities of the miniature world.

    Of so few a percentile bootstrap is too narrow: of six normal ones its 95% interval holds the mean in 87% of the
    cases. For more than some thirty units the two agree.

    Args:
        units: one number each, already averaged over what is measured of a unit.
        least, most: that the mean can be; the ends stay within.

    Returns:
        None for a single unit, whose spread is not known.

    Raises:
        InputError: no unit.

    Source: Student (1908).

    >>> low, high = t_interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    if not units:
        raise InputError("no values; give at least one")
    if len(units) == 1:
        return None
    low, high = student_interval(fmean(units), stdev(units) / len(units) ** 0.5, len(units) - 1, confidence)
    return (max(least, low), min(most, high))


def student_interval(value: float, error: float, freedom: int, confidence: float = 0.95) -> Interval:
    """Student's interval of a value with this standard error, which rests on so many degrees of freedom, 1 or more.

    >>> low, high = student_interval(2.0, 1 / 3**0.5, 2)
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    margin = _t_quantile(max(1, freedom), confidence) * error
    return (value - margin, value + margin)


def welch_interval(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Welch's interval of ``second − first`` of the means of two few independent samples, as ``t_interval`` of one.

    Returns:
        None where a sample has a single unit, whose spread is not known.

    Source: Welch (1947), with the degrees of freedom rounded down.

    >>> low, high = welch_interval([1.0, 2.0, 3.0], [3.0, 4.0, 5.0])
    >>> round(low, 3), round(high, 3)
    (-0.267, 4.267)
    """
    if len(first) < 2 or len(second) < 2:
        return None
    one, other = variance(first) / len(first), variance(second) / len(second)
    spread = one + other
    difference = fmean(second) - fmean(first)
    if not spread:
        return (difference, difference)
    freedom = spread**2 / (one**2 / (len(first) - 1) + other**2 / (len(second) - 1))
    margin = _t_quantile(max(1, math.floor(freedom + 1e-9)), confidence) * spread**0.5
    return (difference - margin, difference + margin)


@lru_cache(maxsize=4096)
def _t_quantile(freedom: int, confidence: float) -> float:
    """The t for which Student's distribution has this share of its mass between -t and t, by bisection."""
    low, high = 0.0, 1.0
    while _t_mass(high, freedom) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_mass(middle, freedom) < confidence else (low, middle)
    return high


def _t_mass(t: float, freedom: int) -> float:
    """Student's mass between -t and t, of whole degrees of freedom.

    Source: Abramowitz & Stegun (1964), 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / freedom**0.5)
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for step in range(odd, freedom - 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (step + 1) / (step + 2)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
