"""How well the diversity of a picture set, as ``dominance diversity`` measures it, tells who will dominate."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.diversity.verdicts import SCALES, Word
from dominance.laboratory.diversity.arms import MAIN
from dominance.laboratory.diversity.results import DiversityResult
from dominance.metrics.correlation import spearman, spearman_interval
from dominance.records import Interval


@dataclass(frozen=True)
class Forecast:
    """Spearman's correlation of the sets' median distance with the DvD of what was taught from them.

    Attributes:
        sets: which, in words.
        models, series: how many; a series is a concept and a training seed with all that was taught of it.
        rho: None where either side is the same for all.
        interval: series drawn; None of a single one.
    """

    sets: str
    models: int
    series: int
    rho: float | None
    interval: Interval | None


@dataclass(frozen=True)
class VerdictForecast:
    """What the models did whose sets a verdict of ``dominance diversity`` describes, by their median distance alone.

    Attributes:
        least, mean, most: DvD.
    """

    verdict: Word
    models: int
    least: float
    mean: float
    most: float


def forecasts(results: Sequence[DiversityResult]) -> tuple[Forecast, ...]:
    """Over the sets of the main arm and of all arms, with and without those of a single design; none of nothing.

    One design against several is the easy contrast: whoever sees that all pictures are one needs no measure. What it
    adds is what it tells among the others.
    """
    every = [result for result in results if result.diversity is not None]
    main = [result for result in every if result.arm == MAIN.name]
    chosen = [
        (f"{MAIN.name}, all sets", main),
        (f"{MAIN.name}, two designs or more", _several(main)),
        ("all arms, all sets", every),
        ("all arms, two designs or more", _several(every)),
    ]
    return tuple(_forecast(sets, own) for sets, own in chosen if len(own) > 1)


def _several(results: Sequence[DiversityResult]) -> list[DiversityResult]:
    return [result for result in results if result.level > 1]


def _forecast(sets: str, results: Sequence[DiversityResult]) -> Forecast:
    series: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for result in results:
        series.setdefault((result.subject, result.seed), []).append((result.diversity or 0.0, result.dvd))
    strata = list(series.values())
    return Forecast(
        sets=sets,
        models=len(results),
        series=len(strata),
        rho=spearman(*zip(*[point for own in strata for point in own], strict=True)),
        interval=spearman_interval(strata) if len(strata) > 1 else None,
    )


def verdict_forecasts(results: Sequence[DiversityResult]) -> tuple[VerdictForecast, ...]:
    """By verdict, from uniform to varied; those that no set has are left out."""
    scale = SCALES["miniature"]
    found: dict[Word, list[float]] = {"uniform": [], "between": [], "varied": []}
    for result in results:
        if (median := result.diversity) is not None:
            found["uniform" if median < scale.low else "varied" if median >= scale.high else "between"].append(
                result.dvd
            )
    return tuple(
        VerdictForecast(word, len(scores), min(scores), fmean(scores), max(scores))
        for word, scores in found.items()
        if scores
    )
