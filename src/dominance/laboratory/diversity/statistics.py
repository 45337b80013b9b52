"""What the results say: of each level, over the levels, and against the sets' measured diversity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.outcomes import Outcomes
from dominance.metrics import bootstrap_mean, rate
from dominance.metrics.correlation import spearman, spearman_chance, spearman_interval
from dominance.records import Interval, Rate


@dataclass(frozen=True)
class Level:
    """The models of one level of an arm, taken together.

    Attributes:
        models, subjects, seeds: how many.
        dvd, reverse: mean over models; intervals draw subjects, with all of their seeds.
        shown: images with an object: only the subject, both, only the object, none.
        alone, scenery: images in which the subject is present.
        pairs: images of two objects with both.
        diversity: mean over models of the set's median distance; None untaught.
        copies: images of the subject alone that count as copies; None untaught.
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
    alone: Rate
    scenery: Rate
    pairs: Rate
    diversity: float | None
    copies: Rate | None


def levels_of(results: Sequence[DiversityResult]) -> list[Level]:
    """The levels of one arm on one base, in order."""
    return [_level(level, [r for r in results if r.level == level]) for level in sorted({r.level for r in results})]


def _level(level: int, own: Sequence[DiversityResult]) -> Level:
    distances = [result.diversity for result in own if result.diversity is not None]
    copied = [result.copies for result in own if result.copies is not None]
    return Level(
        level=level,
        models=len(own),
        subjects=len({result.subject for result in own}),
        seeds=len({result.seed for result in own}),
        dvd=fmean(result.dvd for result in own),
        dvd_interval=mean_interval(own, lambda result: result.dvd),
        reverse=fmean(result.reverse for result in own),
        reverse_interval=mean_interval(own, lambda result: result.reverse),
        shown=total([part.shown for result in own for part in (result.subject_first, result.object_first)]),
        alone=summed([result.alone for result in own]),
        scenery=summed([result.scenery for result in own]),
        pairs=summed([(result.pairs.both, result.pairs.n) for result in own]),
        diversity=fmean(distances) if distances else None,
        copies=summed(copied) if copied else None,
    )


def mean_interval(results: Sequence[DiversityResult], value: Callable[[DiversityResult], float]) -> Interval | None:
    """Bootstrap interval of a mean over models, subjects drawn with all their training seeds; None of one subject."""
    clusters = [[value(r) for r in results if r.subject == name] for name in sorted({r.subject for r in results})]
    return bootstrap_mean(clusters) if len(clusters) > 1 else None


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
        interval: subject and training seed drawn together, with all of their levels.
        chance: p of a permutation of the levels within each subject and training seed.
        of_means: the correlation of the means of the levels, as a curve is seen; None of fewer than two levels.
    """

    models: int
    series: int
    rho: float | None
    interval: Interval | None
    chance: float | None
    of_means: float | None


def trend(results: Sequence[DiversityResult], cause: Callable[[DiversityResult], float | None]) -> Trend | None:
    """How the DvD goes with a cause, such as the level or the set's measured diversity; None of fewer than 2 models."""
    known = [(result, found) for result in results if (found := cause(result)) is not None]
    if len(known) < 2:
        return None
    series: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for result, found in known:
        series.setdefault((result.subject, result.seed), []).append((found, result.dvd))
    strata = list(series.values())
    means = [(fmean(f for r, f in known if r.level == level), fmean(r.dvd for r, _ in known if r.level == level))
             for level in sorted({result.level for result, _ in known})]  # fmt: skip
    return Trend(
        models=len(known),
        series=len(strata),
        rho=spearman([found for _, found in known], [result.dvd for result, _ in known]),
        interval=spearman_interval(strata) if len(strata) > 1 else None,
        chance=spearman_chance(strata),
        of_means=spearman(*zip(*means, strict=True)) if len(means) > 1 else None,
    )
