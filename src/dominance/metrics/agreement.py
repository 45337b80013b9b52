"""How far two judges agree beyond chance."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.samples import numbered, paired
from dominance.records import Interval

_JUDGES = ("answers of one judge", "of the other")


@dataclass(frozen=True)
class Confusion:
    """Two judges' answers to the same questions, counted.

    Attributes:
        both_yes, neither: questions on which they agree.
        only_first, only_second: questions to which only that judge says yes.
    """

    both_yes: int
    only_first: int
    only_second: int
    neither: int

    @property
    def n(self) -> int:
        return self.both_yes + self.only_first + self.only_second + self.neither

    @property
    def agreed(self) -> int:
        return self.both_yes + self.neither

    @property
    def kappa(self) -> float | None:
        """``(p_o − p_e) / (1 − p_e)``, from −1 to 1; None where both always give one and the same answer.

        With p_o the share of questions on which they agree, and p_e the share on which they would agree by chance,
        each with its own share of yes: ``p_e = y1 y2 + (1 − y1)(1 − y2)``.

        Source: Cohen (1960), equation 1.

        >>> round(Confusion(20, 5, 10, 15).kappa, 12)
        0.4
        """
        counts = np.array([[self.both_yes, self.only_first, self.only_second, self.neither]], dtype=float)
        value = float(_kappas(counts)[0]) if self.n else np.nan
        return None if np.isnan(value) else value


def confusion(first: ArrayLike, second: ArrayLike) -> Confusion:
    """The answers of two judges to the same questions, in the same order.

    Raises:
        InputError: not as many answers of the one as of the other.
    """
    one, other = paired(first, second, _JUDGES, bool)
    counts = [int(np.count_nonzero(both)) for both in (one & other, one & ~other, ~one & other, ~one & ~other)]
    return Confusion(*counts)


def kappa_interval(
    first: ArrayLike,
    second: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval | None:
    """Percentile bootstrap interval of Cohen's κ, whole groups drawn with replacement.

    Args:
        groups: what each question belongs to, for instance its image; each question its own where None.

    None where κ itself has no value, and where there is only one group. A resample in which both judges always give
    one and the same answer has no κ and is left out.

    Raises:
        InputError: not as many answers, or groups, of the one as of the other.

    Source: Efron & Tibshirani (1993), chapter 13; groups as in Field & Welsh (2007).
    """
    one, other = paired(first, second, _JUDGES, bool)
    owners = numbered(groups, len(one))
    if confusion(one, other).kappa is None or not owners.any():
        return None
    counts = np.zeros((int(owners.max()) + 1, 4))
    cell = np.where(one, np.where(other, 0, 1), np.where(other, 2, 3))
    np.add.at(counts, (owners, cell), 1)
    kappas = resampled(lambda weights: _kappas(weights @ counts), len(counts), resamples, seed)
    kappas = kappas[~np.isnan(kappas)]
    return percentile_interval(kappas, confidence) if len(kappas) else None


def _kappas(counts: Float[np.ndarray, "table 4"]) -> Float[np.ndarray, " table"]:
    """κ of each table, of which the four numbers are in the order of ``Confusion``; NaN where it has none."""
    n = counts.sum(1)
    first, second = counts[:, 0] + counts[:, 1], counts[:, 0] + counts[:, 2]
    # In counts, not in shares: whole numbers tell exactly whether both always give the same answer.
    chance = first * second + (n - first) * (n - second)
    beyond = n * n - chance
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(beyond > 0, ((counts[:, 0] + counts[:, 3]) * n - chance) / beyond, np.nan)


def category_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Cohen's κ of two readers who put the same things into categories; None where both know one and the same only.

    ``(p_o − p_e) / (1 − p_e)`` with ``p_e = Σ_c p1(c) p2(c)``; see ``Confusion.kappa`` for two categories.

    Raises:
        InputError: not as many of the one as of the other.

    Source: Cohen (1960), equation 1.

    >>> round(category_kappa("ppdda", "ppdaa"), 12)
    0.705882352941
    """
    value = float(_category_kappas(_tables(first, second, None))[0])
    return None if np.isnan(value) else value


def category_kappa_interval(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    groups: Sequence[Hashable],
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval | None:
    """Percentile bootstrap interval of ``category_kappa``, whole groups drawn with replacement.

    None where κ has no value, and where there is only one group.

    Raises:
        InputError: not as many of the one as of the other, or as groups.

    Source: as ``kappa_interval``.
    """
    tables = _tables(first, second, groups)
    if len(tables) < 2 or category_kappa(first, second) is None:
        return None
    flat = tables.reshape(len(tables), -1)
    kappas = resampled(
        lambda weights: _category_kappas((weights @ flat).reshape(-1, *tables.shape[1:])), len(tables), resamples, seed
    )
    kappas = kappas[~np.isnan(kappas)]
    return percentile_interval(kappas, confidence) if len(kappas) else None


def _tables(
    first: Sequence[Hashable], second: Sequence[Hashable], groups: Sequence[Hashable] | None
) -> Float[np.ndarray, "group category category"]:
    """How often each pair of categories occurs in each group; in one group where None."""
    if len(first) != len(second):
        raise InputError(f"{len(first)} categories of one and {len(second)} of the other; give as many of both")
    owners = numbered(groups if groups is not None else [0] * len(first), len(first))
    known = {category: place for place, category in enumerate(dict.fromkeys([*first, *second]))}
    tables = np.zeros((int(owners.max(initial=0)) + 1, len(known), len(known)))
    for owner, one, other in zip(owners, first, second, strict=True):
        tables[owner, known[one], known[other]] += 1
    return tables


def _category_kappas(tables: Float[np.ndarray, "table category category"]) -> Float[np.ndarray, " table"]:
    n = tables.sum((1, 2))
    chance = (tables.sum(2) * tables.sum(1)).sum(1)
    beyond = n * n - chance
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(beyond > 0, (np.trace(tables, axis1=1, axis2=2) * n - chance) / beyond, np.nan)
