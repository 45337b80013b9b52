"""Rank correlation with an interval."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Real

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.ranks import mean_ranks
from dominance.records import Interval


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation, -1 to 1, tied values sharing their mean rank; None when either is constant.

    Raises:
        InputError: different lengths, or fewer than two values.

    Source: Spearman (1904); ties as in Kendall (1948), chapter 3.

    >>> spearman([0.0, 0.5, 1.0], [90.0, 40.0, 10.0])
    -1.0
    """
    if len(first) != len(second) or len(first) < 2:
        raise InputError(f"{len(first)} and {len(second)} values; give two or more pairs")
    pairs = np.array([first, second], dtype=float)
    value = float(_correlations(pairs, np.ones((1, len(first))))[0])
    return None if np.isnan(value) else value


def spearman_interval(
    clusters: Sequence[Sequence[tuple[float, float]]], resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Interval | None:
    """Percentile bootstrap interval of Spearman's correlation over all pairs, whole clusters drawn with replacement.

    Resamples in which either side is constant are left out; None when that is most of them.

    Raises:
        InputError: fewer than two pairs.

    Source: Efron & Tibshirani (1993), chapter 13; clusters as in Field & Welsh (2007).
    """
    kept = [cluster for cluster in clusters if cluster]
    pairs = np.array([pair for cluster in kept for pair in cluster], dtype=float).T
    owners = np.repeat(np.arange(len(kept)), [len(cluster) for cluster in kept])
    if len(owners) < 2:
        raise InputError(f"{len(owners)} pair(s); give two or more")
    found = resampled(lambda weights: _correlations(pairs, weights[:, owners]), len(kept), resamples, seed, len(owners))
    found = found[~np.isnan(found)]
    return percentile_interval(found, confidence) if len(found) * 2 > resamples else None


def spearman_chance(
    strata: Sequence[Sequence[tuple[float, float]]], shuffles: int = 10_000, seed: int = 0
) -> float | None:
    """How often chance correlates the pairs at least as much, in either direction: a two-sided permutation p.

    The first values change places within their stratum (of a dose: the model, which has every dose once), so that
    nothing is assumed of how strata, or the units that return in several of them, differ. Never below 1 in
    ``shuffles + 1``; None where there is no correlation.

    Source: Phipson & Smyth (2010) for counting what was found itself.
    """
    found = spearman(*zip(*[pair for own in strata for pair in own], strict=True))
    if found is None:
        return None
    rng = np.random.default_rng(seed)
    pairs = np.array([pair for own in strata for pair in own], dtype=float)
    first, ranked = (mean_ranks(side, np.ones((1, len(pairs))))[0] for side in pairs.T)
    doses = np.split(first, np.cumsum([len(own) for own in strata])[:-1])
    ranked -= ranked.mean()
    observed = abs(float(np.concatenate(doses) @ ranked))
    as_large = sum(
        abs(float(np.concatenate([rng.permutation(own) for own in doses]) @ ranked)) >= observed - 1e-9
        for _ in range(shuffles)
    )
    return (as_large + 1) / (shuffles + 1)


def _correlations(
    pairs: Float[np.ndarray, "2 pair"], weights: Real[np.ndarray, "draw pair"]
) -> Float[np.ndarray, " draw"]:
    """Of each row of weights, which say how often a pair stands; NaN where a side of those drawn is constant."""
    middle = (weights.sum(1, keepdims=True) + 1) / 2
    one, other = (mean_ranks(side, weights) - middle for side in pairs)
    scale = np.sqrt((weights * one**2).sum(1) * (weights * other**2).sum(1))
    with np.errstate(invalid="ignore"):
        return np.clip((weights * one * other).sum(1) / scale, -1, 1)
