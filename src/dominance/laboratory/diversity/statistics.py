"""What the results say: of each level, over the levels, and against the sets' measured diversity."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from jaxtyping import Float, Real

from dominance.documents import Counted
from dominance.laboratory.diversity.results import DiversityResult, Likeness
from dominance.laboratory.outcomes import Outcomes
from dominance.metrics import rate, t_interval
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.correlation import spearman, spearman_chance, spearman_interval
from dominance.metrics.intervals import alike_rate
from dominance.records import Interval, Rate

FEWEST_SERIES: int = 5
"""Series that an interval of a correlation is drawn from; fewer give too few different draws to say anything."""
_FEWEST_LEVELS = 3
"""Levels whose means a correlation is given of; of two it is 1 or −1, whatever they are."""


@dataclass(frozen=True)
class MeanLikeness:
    """``Likeness`` over models: the mean of their medians, and all of their pictures."""

    similarity: float
    own_colours: Counted


@dataclass(frozen=True)
class Level:
    """The models of one level of an arm, taken together.

    Attributes:
        level: designs; 0 untaught.
        models, subjects, seeds: how many.
        dvd, reverse: mean over subjects, each averaged over its training seeds; intervals are Student's over subjects.
        shown: images with an object: only the subject, both, only the object, none.
        alone, scenery: images in which the subject is present.
        pairs: images of two objects with both; the interval is as if all models drew a prompt alike, which they draw
            from the same noise. Untaught, every subject is asked of the same model, so that its images count once.
        diversity: mean over models of the set's median distance; None untaught.
        copies: images of the subject alone that count as copies; None untaught.
        drawn_like, shown_like: the images of the subject alone and the training pictures, beside the first design of
            their seed; None where no model has it measured.
        recalled: those that are nearer to the training pictures than to sets of unseen designs; None where no model
            has it measured.
    """

    level: int
    models: int
    subjects: int
    seeds: int
    dvd: float
    dvd_interval: Interval | None
    reverse: float
    reverse_interval: Interval | None
    shown: Outcomes
    alone: Counted
    scenery: Counted
    pairs: Counted
    diversity: float | None
    copies: Counted | None
    drawn_like: MeanLikeness | None
    shown_like: MeanLikeness | None
    recalled: Counted | None


def levels_of(results: Sequence[DiversityResult]) -> list[Level]:
    """The levels of one arm on one base, in order."""
    return [_level(level, [r for r in results if r.level == level]) for level in sorted({r.level for r in results})]


def _level(level: int, own: Sequence[DiversityResult]) -> Level:
    distances = [result.diversity for result in own if result.diversity is not None]
    copied = [result.copies for result in own if result.copies is not None]
    recalled = [result.recalled for result in own if result.recalled is not None]
    dvd, reverse = over_subjects(own, lambda result: result.dvd), over_subjects(own, lambda result: result.reverse)
    return Level(
        level=level,
        models=len(own),
        subjects=len({result.subject for result in own}),
        seeds=len({result.seed for result in own}),
        dvd=dvd.mean,
        dvd_interval=dvd.interval,
        reverse=reverse.mean,
        reverse_interval=reverse.interval,
        shown=total([part.shown for result in own for part in (result.subject_first, result.object_first)]),
        alone=summed([result.alone for result in own]),
        scenery=summed([result.scenery for result in own]),
        pairs=_pairs(own if level else own[:1]),
        diversity=fmean(distances) if distances else None,
        copies=summed(copied) if copied else None,
        drawn_like=mean_likeness([result.drawn_like for result in own]),
        shown_like=mean_likeness([result.shown_like for result in own]),
        recalled=summed(recalled) if recalled else None,
    )


def _pairs(results: Sequence[DiversityResult]) -> Rate:
    found = summed([(result.pairs.both, result.pairs.n) for result in results])
    return alike_rate(found.count, found.n, max(result.pairs.n for result in results))


def mean_likeness(found: Sequence[Likeness | None]) -> MeanLikeness | None:
    """Of those that are measured, together; None of none."""
    known = [one for one in found if one is not None]
    if not known:
        return None
    return MeanLikeness(fmean(one.similarity for one in known), summed([one.own_colours for one in known]))


@dataclass(frozen=True)
class MeanOfSubjects:
    """A mean of DvD scores over subjects with Student's interval; None of one subject, whose spread is not known."""

    mean: float
    interval: Interval | None


def over_subjects(results: Sequence[DiversityResult], value: Callable[[DiversityResult], float]) -> MeanOfSubjects:
    """Each subject counts once, averaged over its training seeds, so that no one of them weighs more.

    Raises:
        InputError: no result.
    """
    names = dict.fromkeys(result.subject for result in results)
    means = [fmean(value(result) for result in results if result.subject == name) for name in names]
    interval = t_interval(means, least=0, most=100)
    return MeanOfSubjects(fmean(means), interval)


def untaught_beside(taught: Sequence[DiversityResult], results: Sequence[DiversityResult]) -> list[DiversityResult]:
    """What the base itself draws of the subjects that were taught, among all results."""
    names = {result.subject for result in taught}
    return [result for result in results if not result.level and result.subject in names]


def total(parts: Sequence[Outcomes]) -> Outcomes:
    """The counts of several together."""
    return Outcomes(*(sum(column) for column in zip(*(part.counts for part in parts), strict=True)))


def summed(parts: Sequence[tuple[int, int]]) -> Rate:
    """Counts out of n, taken together."""
    return rate(sum(count for count, _ in parts), sum(n for _, n in parts))


@dataclass(frozen=True)
class Trend:
    """Spearman's correlation of a cause with the DvD, a model a point.

    Attributes:
        rho: over all models.
        interval: subject and training seed drawn together, with all of their levels; None of fewer than five series.
        chance: p of a permutation of the levels within each subject and training seed.
        of_means: the correlation of the means of the levels, as a curve is seen; None of fewer than three levels,
            of two of which it is 1 or −1 anyway.
        of_means_interval: drawn as the other.
    """

    models: int
    series: int
    rho: float | None
    interval: Interval | None
    chance: float | None
    of_means: float | None
    of_means_interval: Interval | None


Series = Mapping[tuple[str, int], Mapping[int, tuple[float, float]]]
"""By subject and training seed: the cause and the DvD at each level."""


def trend(results: Sequence[DiversityResult], cause: Callable[[DiversityResult], float | None]) -> Trend | None:
    """How the DvD goes with a cause, such as the level or the set's measured diversity; None of fewer than 2 models."""
    series: dict[tuple[str, int], dict[int, tuple[float, float]]] = {}
    for result in results:
        if (found := cause(result)) is not None:
            series.setdefault((result.subject, result.seed), {})[result.level] = (found, result.dvd)
    strata = [list(own.values()) for own in series.values()]
    points = [point for own in strata for point in own]
    if len(points) < 2:
        return None
    curved = len({level for own in series.values() for level in own}) >= _FEWEST_LEVELS
    means = float(_correlations_of_means(series, np.ones((1, len(series))))[0]) if curved else np.nan
    several = len(series) >= FEWEST_SERIES
    return Trend(
        models=len(points),
        series=len(series),
        rho=spearman(*zip(*points, strict=True)),
        interval=spearman_interval(strata) if several else None,
        chance=spearman_chance(strata),
        of_means=None if np.isnan(means) else means,
        of_means_interval=_means_interval(series) if several and curved else None,
    )


def _means_interval(series: Series) -> Interval | None:
    found = resampled(lambda weights: _correlations_of_means(series, weights), len(series))
    found = found[~np.isnan(found)]
    return percentile_interval(found) if len(found) else None


def _correlations_of_means(series: Series, weights: Real[np.ndarray, "draw series"]) -> Float[np.ndarray, " draw"]:
    """Spearman's over the means of the levels, each series standing so many times; NaN where a level has none."""
    levels = sorted({level for own in series.values() for level in own})
    there = np.array([[float(level in own) for level in levels] for own in series.values()])
    both = np.array([[own.get(level, (0.0, 0.0)) for level in levels] for own in series.values()])
    counts = weights @ there
    with np.errstate(invalid="ignore", divide="ignore"):
        causes, scores = (weights @ both[..., side] / counts for side in (0, 1))
        one, other = _ranked(causes), _ranked(scores)
        scale = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        found = (one * other).sum(axis=1) / scale
    return np.where((counts > 0).all(axis=1), found, np.nan)


def _ranked(values: Float[np.ndarray, "draw level"]) -> Float[np.ndarray, "draw level"]:
    """Ranks within each row about their mean, equal ones sharing theirs."""
    above = values[:, :, None] - values[:, None, :]
    return np.sign(above).sum(axis=2) / 2
