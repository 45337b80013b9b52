"""Whether a judge's probabilities are what they say, and how well it separates yes from no."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from dominance.errors import InputError
from dominance.metrics.bootstrap import in_parts, percentile_interval, resampled
from dominance.metrics.detection import youden_threshold
from dominance.metrics.intervals import alike_rate, rate
from dominance.metrics.samples import grouped_folds, numbered, paired
from dominance.records import Interval, Rate

BINS: int = 10
"""Of equal width."""


@dataclass(frozen=True)
class Bin:
    """Answers of like probability.

    Attributes:
        low, high: its ends; ``low`` belongs to it, ``high`` only to the last.
        mean: mean P(yes) of its answers; None where it holds none.
        yes: how many of them should be yes.
    """

    low: float
    high: float
    mean: float | None
    yes: Rate


def reliability_bins(p_yes: ArrayLike, truth: ArrayLike, bins: int = BINS) -> tuple[Bin, ...]:
    """The reliability diagram: in bins of equal width, the mean P(yes) and the share that should be yes.

    Raises:
        InputError: not one truth a probability, none at all, one outside 0 to 1, or no bins.

    Source: DeGroot & Fienberg (1983).
    """
    p, yes = _checked(p_yes, truth)
    members = _bin_of(p, bins)
    found = []
    for index in range(bins):
        inside = members == index
        count = int(inside.sum())
        mean = float(p[inside].mean()) if count else None
        found.append(Bin(index / bins, (index + 1) / bins, mean, rate(int(yes[inside].sum()), count)))
    return tuple(found)


def expected_calibration_error(p_yes: ArrayLike, truth: ArrayLike, bins: int = BINS) -> float:
    """``Σ_b n_b / n · |mean P(yes) in b − share of yes in b|``, from 0, the best, to 1.

    With few answers it comes out too large, even for a judge that is perfectly calibrated: see ``chance_error``.

    Raises:
        InputError: as ``reliability_bins``.

    Source: Naeini, Cooper & Hauskrecht (2015); here of P(yes), not of the probability of the answer given.

    >>> round(expected_calibration_error([0.9, 0.9, 0.1, 0.1], [True, False, False, False]), 3)
    0.25
    """
    p, yes = _checked(p_yes, truth)
    return float(np.abs(_gaps(p, yes, _bin_of(p, bins), bins).sum(0)).sum() / len(p))


def calibration_interval(
    p_yes: ArrayLike,
    truth: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    bins: int = BINS,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval | None:
    """Basic bootstrap interval of the expected calibration error, whole groups drawn with replacement.

    ``[2 e − q_high, 2 e − q_low]``, within 0 to 1, for the error e and quantiles q of the resampled errors. Resamples
    are as much too large again as e itself, so that this interval, unlike that of percentiles, corrects for it, and
    may lie below e. None where there is only one group.

    Source: Davison & Hinkley (1997), section 5.2.1; groups as in Field & Welsh (2007).
    """
    p, yes = _checked(p_yes, truth)
    owners = numbered(groups, len(p))
    count = int(owners.max()) + 1
    if count < 2:
        return None
    gaps = np.zeros((count, bins))
    np.add.at(gaps, owners, _gaps(p, yes, _bin_of(p, bins), bins))
    sizes = np.bincount(owners).astype(float)
    errors = resampled(lambda weights: np.abs(weights @ gaps).sum(1) / (weights @ sizes), count, resamples, seed)
    error = expected_calibration_error(p, yes, bins)
    low, high = percentile_interval(errors, confidence)
    return (float(np.clip(2 * error - high, 0, 1)), float(np.clip(2 * error - low, 0, 1)))


def chance_error(p_yes: ArrayLike, bins: int = BINS, draws: int = 2_000, seed: int = 0) -> Interval:
    """What the expected calibration error would be if these probabilities were exactly right: its middle 95%.

    An error within these is no evidence against the judge. The answers are drawn one by one, as if none had anything
    to do with another.
    """
    p, _ = _checked(p_yes, np.zeros(np.asarray(p_yes).size, dtype=bool))
    members, rng = _bin_of(p, bins), np.random.default_rng(seed)

    def errors(count: int) -> Float[np.ndarray, " draw"]:
        yes = rng.random((count, len(p))) < p
        gaps = [np.abs((p - yes)[:, members == index].sum(1)) for index in range(bins)]
        return np.sum(gaps, axis=0) / len(p)

    return percentile_interval(in_parts(errors, draws, len(p)))


def brier_score(p_yes: ArrayLike, truth: ArrayLike) -> float:
    """Mean squared distance of P(yes) from the truth, 0 (best) to 1; always one half gives 0.25.

    Raises:
        InputError: as ``reliability_bins``.

    Source: Brier (1950), for two classes halved, as is usual.

    >>> brier_score([1.0, 0.5], [True, False])
    0.125
    """
    p, yes = _checked(p_yes, truth)
    return float(((p - yes) ** 2).mean())


@dataclass(frozen=True)
class Discernment:
    """How well yes and no are separated.

    Attributes:
        sensitivity: of what should be yes, how much was said to be.
        specificity: of what should be no, how much was said to be.
    """

    sensitivity: Rate
    specificity: Rate

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of the two shares; None where one of them is over nothing."""
        if self.sensitivity.share is None or self.specificity.share is None:
            return None
        return (self.sensitivity.share + self.specificity.share) / 2


def discernment(said: ArrayLike, truth: ArrayLike, groups: Sequence[Hashable] | None = None) -> Discernment:
    """Sensitivity and specificity of yes/no answers.

    Args:
        groups: what each answer belongs to, for instance its image; each answer its own where None.

    Raises:
        InputError: not one truth, or group, an answer.
    """
    answers, yes = paired(said, truth, ("answers", "truths"), bool)
    owners = numbered(groups, len(yes))
    return Discernment(clustered_rate(answers[yes], owners[yes]), clustered_rate(~answers[~yes], owners[~yes]))


def clustered_rate(hits: ArrayLike, groups: ArrayLike) -> Rate:
    """A rate whose Wilson interval takes all answers of a group for one and the same.

    The interval is that of ``n_eff = (Σ m)² / Σ m²`` answers, for the groups' sizes m: as many as there are groups,
    where these are of one size. It is rather too wide where answers of a group differ.

    Source: Wilson (1927); Kish (1965), section 8.2, with the largest correlation within groups.

    >>> rate = clustered_rate([True] * 5 + [False] * 15, [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5)
    >>> rate.count, rate.n, [round(end, 2) for end in rate.interval]
    (5, 20, [0.05, 0.7])
    """
    counted = np.asarray(hits, dtype=bool).ravel()
    if not len(counted):
        return rate(0, 0)
    sizes = np.unique(np.asarray(groups), return_counts=True)[1].astype(float)
    effective = float(sizes.sum() ** 2 / (sizes**2).sum())
    return alike_rate(int(counted.sum()), len(counted), effective)


def held_out_accuracy(
    p_yes: ArrayLike, truth: ArrayLike, groups: Sequence[Hashable], folds: int = 10, seed: int = 0
) -> float | None:
    """Balanced accuracy at a threshold that was chosen on other groups: what choosing one really gains.

    None where there are fewer than two groups, or where some of the groups alone hold one of the two truths.

    Raises:
        InputError: as ``reliability_bins``.
    """
    p, yes = _checked(p_yes, truth)
    if len(set(groups)) < 2:
        return None
    said = np.zeros(len(p), dtype=bool)
    for train, test in grouped_folds(groups, yes, folds, seed):
        if yes[train].all() or not yes[train].any():
            return None
        said[test] = p[test] >= youden_threshold(p[train], yes[train])
    return discernment(said, yes).balanced_accuracy


def _checked(p_yes: ArrayLike, truth: ArrayLike) -> tuple[Float[np.ndarray, " answer"], Bool[np.ndarray, " answer"]]:
    p, yes = paired(p_yes, truth, ("probabilities", "truths"))
    if not len(p):
        raise InputError("no probabilities; give one or more")
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("a probability is outside 0 to 1; leave out what was not measured")
    return p, yes


def _bin_of(p: Float[np.ndarray, " answer"], bins: int) -> np.ndarray:
    if bins < 1:
        raise InputError(f"{bins} bins; give one or more")
    return np.minimum((p * bins).astype(int), bins - 1)


def _gaps(
    p: Float[np.ndarray, " answer"], yes: Bool[np.ndarray, " answer"], members: np.ndarray, bins: int
) -> Float[np.ndarray, "answer bin"]:
    """P(yes) less truth, each in its bin's column: sums of it are what a bin's mean and share differ by, times n."""
    gaps = np.zeros((len(p), bins))
    gaps[np.arange(len(p)), members] = p - yes
    return gaps
