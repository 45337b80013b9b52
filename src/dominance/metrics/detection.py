"""How well a score tells two kinds of prompts apart, and the splits that keep the answer honest."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from dominance.errors import InputError
from dominance.records import Interval

_MOST_WEIGHTS = 4_000_000

Split = tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]
"""Indices to fit on, and indices to score."""


def roc_auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Area under the ROC curve: how often a positive scores above a negative, a tie counting half.

    Args:
        scores: one number an item; higher means more likely positive.
        labels: whether each item is positive.

    Raises:
        InputError: not one label a score, a score that is not a number, or only one kind of label.

    Source: Hanley & McNeil (1982): the Mann-Whitney statistic over the number of pairs.

    >>> roc_auc([0.9, 0.5, 0.5, 0.1], [True, True, False, False])
    0.875
    """
    ranked, positive = _checked(scores, labels)
    return float(_weighted_auc(ranked, positive, np.ones((1, len(ranked))))[0])


def roc_auc_interval(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of ``roc_auc``, whole groups drawn with replacement.

    Args:
        groups: what each item belongs to, for instance the prompt of an image; each item its own where None.

    A resample that holds only one kind of label has no area and is left out.

    Source: Efron & Tibshirani (1993), chapter 13; groups as in Field & Welsh (2007).
    """
    ranked, positive = _checked(scores, labels)
    members = _numbered(groups if groups is not None else range(len(ranked)), len(ranked))
    count = int(members.max()) + 1
    rng = np.random.default_rng(seed)
    chunk = max(1, _MOST_WEIGHTS // max(count, len(ranked)))
    areas = []
    for start in range(0, resamples, chunk):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(chunk, resamples - start))
        weights = drawn[:, members].astype(float)
        both = (weights[:, positive].sum(1) > 0) & (weights[:, ~positive].sum(1) > 0)
        areas.append(_weighted_auc(ranked, positive, weights[both]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(areas), [tail, 1 - tail])
    return (float(low), float(high))


def youden_threshold(scores: ArrayLike, labels: ArrayLike) -> float:
    """The threshold with the largest ``sensitivity + specificity − 1``; an item at or above it counts as positive.

    It lies midway between two neighbouring scores; of several that do as well, the highest is taken.

    Raises:
        InputError: as ``roc_auc``.

    Source: Youden (1950).

    >>> youden_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True])
    0.4
    """
    ranked, positive = _checked(scores, labels)
    values = np.unique(ranked)
    if len(values) == 1:
        return float(values[0])
    thresholds = (values[:-1] + values[1:]) / 2
    flagged = ranked[None, :] >= thresholds[:, None]
    gain = flagged[:, positive].mean(1) - flagged[:, ~positive].mean(1)
    return float(thresholds[len(gain) - 1 - int(np.argmax(np.round(gain[::-1], 12)))])


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
    values, labels = np.concatenate([one, other]), np.arange(one.size + other.size) < one.size
    area = roc_auc(values, labels)
    u = area * one.size * other.size
    ties = sum(float(count) ** 3 - count for count in np.unique(values, return_counts=True)[1])
    return RankTest(u, _two_sided(u, one.size, other.size, ties), 2 * area - 1, (one.size, other.size))


def _two_sided(u: float, first: int, second: int, ties: float = 0.0) -> float:
    """The p-value of U; ``ties`` is the sum of t³ − t over groups of t equal items."""
    pairs, total = first * second, first + second
    spread = (pairs / 12 * (total + 1 - ties / (total * (total - 1)))) ** 0.5
    z = max(0.0, abs(u - pairs / 2) - 0.5) / spread if spread > 0 else 0.0
    return min(1.0, 2 * NormalDist().cdf(-z))


def grouped_folds(groups: Sequence[Hashable], labels: ArrayLike, folds: int = 10, seed: int = 0) -> tuple[Split, ...]:
    """Splits that never part a group, each fold with about its share of positives and of items.

    Groups are dealt in random order, those with positives first, each to the fold that has the fewest positives
    and then the fewest items. There are no more folds than groups.

    Raises:
        InputError: fewer than two groups or folds.
    """
    positive = np.asarray(labels, dtype=bool).ravel()
    members = _numbered(groups, len(positive))
    count = int(members.max()) + 1 if len(members) else 0
    folds = min(folds, count)
    if folds < 2:
        raise InputError(f"{count} group(s) in {folds} fold(s); cross-validation needs two of each or more")
    order = np.random.default_rng(seed).permutation(count)
    positives, sizes = np.bincount(members, weights=positive), np.bincount(members)
    dealt, load = np.empty(count, dtype=int), np.zeros((folds, 2))
    for group in sorted(order, key=lambda group: -positives[group]):
        first, then = (0, 1) if positives[group] else (1, 0)
        fold = int(np.lexsort((load[:, then], load[:, first]))[0])
        dealt[group] = fold
        load[fold] += (positives[group], sizes[group])
    fold_of = dealt[members]
    return tuple((np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(folds))


def held_out_splits(traits: Sequence[frozenset[str]]) -> tuple[Split, ...]:
    """Splits in which nothing that is scored shares a trait with anything that is fitted on.

    Items with the same traits are scored together, by what is fitted on all items that share none of them.

    Raises:
        InputError: an item without traits, or one that shares a trait with every other.
    """
    distinct = Counter(traits)
    if frozenset() in distinct:
        raise InputError("an item has no trait to hold out; group by prompt instead")
    splits = []
    for held in distinct:
        train = np.array([place for place, own in enumerate(traits) if not own & held], dtype=int)
        if not len(train):
            raise InputError(f"every item shares a trait with {sorted(held)}; group by prompt instead")
        splits.append((train, np.array([place for place, own in enumerate(traits) if own == held], dtype=int)))
    return tuple(splits)


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Float[np.ndarray, " item"], Bool[np.ndarray, " item"]]:
    ranked, positive = np.asarray(scores, dtype=float).ravel(), np.asarray(labels, dtype=bool).ravel()
    if len(ranked) != len(positive):
        raise InputError(f"{len(ranked)} scores and {len(positive)} labels; give one label a score")
    if not np.isfinite(ranked).all():
        raise InputError("a score is not a finite number; leave out what was not measured")
    if positive.all() or not positive.any():
        raise InputError(f"{int(positive.sum())} of {len(positive)} items are positive; give both kinds")
    return ranked, positive


def _weighted_auc(
    scores: Float[np.ndarray, " item"], positive: Bool[np.ndarray, " item"], weights: Float[np.ndarray, "draw item"]
) -> Float[np.ndarray, " draw"]:
    """The area for each row of weights, from the items sorted once."""
    order = np.argsort(scores, kind="stable")
    ranked, weighed = scores[order], weights[:, order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    above = np.add.reduceat(weighed * positive[order], starts, axis=1)
    below = np.add.reduceat(weighed * ~positive[order], starts, axis=1)
    beaten = np.cumsum(below, axis=1) - below / 2
    return (above * beaten).sum(1) / (above.sum(1) * below.sum(1))


def _numbered(groups: Sequence[Hashable], count: int) -> Int[np.ndarray, " item"]:
    """Groups as numbers from 0, in the order in which they appear."""
    if len(groups) != count:
        raise InputError(f"{len(groups)} groups for {count} items; give one an item")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=int)
