"""The bootstrap: what a statistic comes to where whole clusters are drawn again, with replacement."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from dominance.records import Interval

_MOST_NUMBERS = 500_000
"""Held at once, 4 MB; more no longer fit into a CPU's cache."""


def resampled(
    statistic: Callable[[Int[np.ndarray, "draw cluster"]], Float[np.ndarray, " value"]],
    clusters: int,
    resamples: int = 10_000,
    seed: int | np.random.Generator = 0,
    width: int = 0,
) -> Float[np.ndarray, " value"]:
    """The statistic's value for each resample, in which so many clusters are drawn with replacement.

    Args:
        statistic: from how often each cluster was drawn to one value a draw; it leaves out draws that have none.
        width: numbers that the statistic holds for each draw, where they are more than clusters.

    Source: Efron & Tibshirani (1993), chapter 13; clusters as in Field & Welsh (2007).
    """
    rng, shares = np.random.default_rng(seed), np.full(clusters, 1 / clusters)

    def draw(count: int) -> Float[np.ndarray, " value"]:
        return statistic(rng.multinomial(clusters, shares, size=count))

    return in_parts(draw, resamples, max(clusters, width))


def in_parts(draw: Callable[[int], Float[np.ndarray, " value"]], draws: int, width: int) -> Float[np.ndarray, " value"]:
    """The values of so many draws, which take ``width`` numbers each; how many are made at once changes no value."""
    most = max(1, _MOST_NUMBERS // width)
    return np.concatenate([draw(min(most, draws - start)) for start in range(0, draws, most)])


def percentile_interval(values: Float[np.ndarray, " value"], confidence: float = 0.95) -> Interval:
    """The quantiles between which this share of the values lies, as many below as above."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return (float(low), float(high))
