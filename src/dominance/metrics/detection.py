"""How well a score tells two kinds of prompts apart."""

from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np
from jaxtyping import Bool, Float, Real
from numpy.typing import ArrayLike

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.ranks import mean_ranks
from dominance.metrics.samples import numbered, paired
from dominance.records import Interval


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
    return float(_areas(ranked, positive, np.ones((1, len(ranked))))[0])


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
    members = numbered(groups, len(ranked))
    count = int(members.max()) + 1
    areas = resampled(lambda drawn: _areas(ranked, positive, drawn[:, members]), count, resamples, seed, len(ranked))
    return percentile_interval(areas[~np.isnan(areas)], confidence)


def roc_auc_few(scores: ArrayLike, labels: ArrayLike, confidence: float = 0.95) -> Interval:
    """Interval of ``roc_auc`` of few items, each its own, also where the labels part the scores altogether.

    The areas A for which the one that was found lies within z standard errors of A, by Hanley and McNeil's variance
    for two exponential distributions: ``A (1 − A) (1 + N (1 − A) / (2 − A) + N A / (1 + A)) / (m n)`` with
    ``N = (m + n) / 2 − 1``. At one half that is the variance of Mann and Whitney's U without ties.

    Raises:
        InputError: as ``roc_auc``.

    Source: Newcombe (2006), "Confidence intervals for an effect size measure based on the Mann–Whitney statistic",
    part 2, method 5.

    >>> low, high = roc_auc_few([1, 2, 3, 4, 5, 6], [False] * 3 + [True] * 3)
    >>> round(low, 2), high
    (0.5, 1.0)
    """
    area = roc_auc(scores, labels)
    positive = int(np.sum(_checked(scores, labels)[1]))
    others = np.size(labels) - positive
    more = (positive + others) / 2 - 1
    z = NormalDist().inv_cdf(0.5 + confidence / 2)

    def lies_within(at: float) -> bool:
        spread = at * (1 - at) * (1 + more * (1 - at) / (2 - at) + more * at / (1 + at)) / (positive * others)
        return abs(at - area) <= z * spread**0.5

    ends = []
    for end in (0.0, 1.0):
        outside, inside = end, area
        for _ in range(40) if area != end else ():
            middle = (outside + inside) / 2
            outside, inside = (outside, middle) if lies_within(middle) else (middle, inside)
        ends.append(inside)
    return (ends[0], ends[1])


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


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Float[np.ndarray, " item"], Bool[np.ndarray, " item"]]:
    ranked, positive = paired(scores, labels, ("scores", "labels"))
    if not np.isfinite(ranked).all():
        raise InputError("a score is not a finite number; leave out what was not measured")
    if positive.all() or not positive.any():
        raise InputError(f"{int(positive.sum())} of {len(positive)} items are positive; give both kinds")
    return ranked, positive


def _areas(
    scores: Float[np.ndarray, " item"], positive: Bool[np.ndarray, " item"], weights: Real[np.ndarray, "draw item"]
) -> Float[np.ndarray, " draw"]:
    """The area for each row of weights; NaN where only one kind of item is drawn."""
    above, below = weights[:, positive].sum(1), weights[:, ~positive].sum(1)
    ranks = mean_ranks(scores, weights)[:, positive]
    with np.errstate(invalid="ignore"):
        return ((weights[:, positive] * ranks).sum(1) - above * (above + 1) / 2) / (above * below)
