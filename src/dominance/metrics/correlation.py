"""Rank correlation with an interval."""

from collections.abc import Sequence

import numpy as np

from dominance.errors import InputError
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
        raise InputError(f"{len(first)} values against {len(second)} have no rank correlation; give two or more pairs")
    one, other = _ranks(first), _ranks(second)
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return None if scale == 0 else float(np.clip((one * other).sum() / scale, -1, 1))


def spearman_interval(
    clusters: Sequence[Sequence[tuple[float, float]]], resamples: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Interval | None:
    """Percentile bootstrap interval of Spearman's correlation over all pairs, whole clusters drawn with replacement.

    Resamples in which either side is constant are left out; None when that is most of them.

    Source: Efron & Tibshirani (1993), chapter 13.
    """
    rng = np.random.default_rng(seed)
    kept = [cluster for cluster in clusters if cluster]
    found = []
    for _ in range(resamples):
        drawn = [pair for place in rng.integers(len(kept), size=len(kept)) for pair in kept[place]]
        value = spearman(*zip(*drawn, strict=True))
        if value is not None:
            found.append(value)
    if len(found) * 2 <= resamples:
        return None
    low, high = np.quantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
    return (float(low), float(high))


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
    first, ranked = (_ranks(side) for side in zip(*[pair for own in strata for pair in own], strict=True))
    doses = np.split(first, np.cumsum([len(own) for own in strata])[:-1])
    ranked -= ranked.mean()
    observed = abs(float(np.concatenate(doses) @ ranked))
    as_large = sum(
        abs(float(np.concatenate([rng.permutation(own) for own in doses]) @ ranked)) >= observed - 1e-9
        for _ in range(shuffles)
    )
    return (as_large + 1) / (shuffles + 1)


def _ranks(values: Sequence[float]) -> np.ndarray:
    _, place, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]
