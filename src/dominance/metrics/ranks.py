"""Ranks, and the test of two samples that is made of them."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int, Real
from numpy.typing import ArrayLike

from dominance.errors import InputError

MOST_EXACT: int = 60
"""Items of both samples up to which their orders are counted: 30 against 30 have 1.2e17, and 64 bits hold 9.2e18."""


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
        return _p_value(0.0, *self.n) < 0.05


def mann_whitney(first: ArrayLike, second: ArrayLike) -> RankTest:
    """Whether one sample tends to be larger than another.

    The p-value is exact up to 60 items in all where no two are equal. Otherwise it is the normal approximation,
    corrected for ties and continuity, which is rough below eight items a sample.

    Raises:
        InputError: an empty sample, or values that are not numbers.

    Source: Mann & Whitney (1947), whose recurrence the exact distribution follows, here by its generating function
    (Andrews 1976, section 3.2); the effect size is that of Wendt (1972).
    """
    one, other = np.asarray(first, dtype=float).ravel(), np.asarray(second, dtype=float).ravel()
    values, pairs = np.concatenate([one, other]), one.size * other.size
    if not pairs or not np.isfinite(values).all():
        raise InputError(f"{one.size} and {other.size} values; give one or more each, all of them finite numbers")
    ranks = mean_ranks(values, np.ones((1, values.size)))[0]
    u = float(ranks[: one.size].sum()) - one.size * (one.size + 1) / 2
    p_value = _p_value(u, one.size, other.size, np.unique(values, return_counts=True)[1])
    return RankTest(u, p_value, 2 * u / pairs - 1, (one.size, other.size))


def _p_value(u: float, first: int, second: int, counts: Int[np.ndarray, " value"] | None = None) -> float:
    """Two-sided, of U; ``counts`` says how many items share each value, None that no two do."""
    pairs, total = first * second, first + second
    ties = 0.0 if counts is None else float((counts.astype(float) ** 3 - counts).sum())
    if not ties and total <= MOST_EXACT:
        orders = _orders(first, second)
        return min(1.0, float(2 * orders[: round(min(u, pairs - u)) + 1].sum() / orders.sum()))
    spread = (pairs / 12 * (total + 1 - ties / (total * (total - 1)))) ** 0.5
    z = max(0.0, abs(u - pairs / 2) - 0.5) / spread if spread > 0 else 0.0
    return min(1.0, 2 * NormalDist().cdf(-z))


def _orders(first: int, second: int) -> Int[np.ndarray, " u"]:
    """How many orders of two samples have U = 0, 1, …: the coefficients of ``Π_i (1 − x^(n2+i)) / (1 − x^i)``."""
    orders = np.zeros(first * second + 1, dtype=np.int64)
    orders[0] = 1
    for item in range(1, first + 1):
        orders[second + item :] -= orders[: -(second + item)]
        for start in range(item):
            orders[start::item] = np.cumsum(orders[start::item])
    return orders
