"""Ranks, and the test of two samples that is made of them."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Real
from numpy.typing import ArrayLike

from dominance.errors import InputError


def mean_ranks(
    values: Float[np.ndarray, " item"], weights: Real[np.ndarray, "draw item"]
) -> Float[np.ndarray, "draw item"]:
    """Ranks from 1 among items that each stand so many times, equal ones sharing their mean; a row for each of weights.

    Source: Kendall (1948), chapter 3.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks = np.cumsum(counts, axis=1) - (counts - 1) / 2
    return ranks[:, np.searchsorted(ordered[starts], values)]


@dataclass(frozen=True)
class RankTest:
    """A Mann-Whitney test of two samples.

    Attributes:
        u: of the first sample: in how many pairs its item is the larger, a tie counting half.
        p_value: two-sided.
        effect: rank-biserial correlation ``2 U / (n1 n2) − 1``, from −1 to 1; 0 where neither tends to be larger.
        n: the sizes of both samples.
    """

    u: float
    p_value: float
    effect: float
    n: tuple[int, int]

    @property
    def decidable(self) -> bool:
        """Whether samples of these sizes can differ at p < 0.05 at all: 3 against 4 cannot, 4 against 4 can."""
        return _two_sided(0.0, *self.n) < 0.05


def mann_whitney(first: ArrayLike, second: ArrayLike) -> RankTest:
    """Whether one sample tends to be larger than another.

    The p-value is the normal approximation, corrected for ties and continuity: rough below eight items a sample.

    Raises:
        InputError: an empty sample, or values that are not numbers.

    Source: Mann & Whitney (1947); the effect size is that of Wendt (1972).
    """
    one, other = np.asarray(first, dtype=float).ravel(), np.asarray(second, dtype=float).ravel()
    values, pairs = np.concatenate([one, other]), one.size * other.size
    if not pairs or not np.isfinite(values).all():
        raise InputError(f"{one.size} and {other.size} values; give one or more each, all of them finite numbers")
    ranks = mean_ranks(values, np.ones((1, values.size)))[0]
    u = float(ranks[: one.size].sum()) - one.size * (one.size + 1) / 2
    ties = sum(float(count) ** 3 - count for count in np.unique(values, return_counts=True)[1])
    return RankTest(u, _two_sided(u, one.size, other.size, ties), 2 * u / pairs - 1, (one.size, other.size))


def _two_sided(u: float, first: int, second: int, ties: float = 0.0) -> float:
    """The p-value of U; ``ties`` is the sum of t³ − t over groups of t equal items."""
    pairs, total = first * second, first + second
    spread = (pairs / 12 * (total + 1 - ties / (total * (total - 1)))) ** 0.5
    z = max(0.0, abs(u - pairs / 2) - 0.5) / spread if spread > 0 else 0.0
    return min(1.0, 2 * NormalDist().cdf(-z))
