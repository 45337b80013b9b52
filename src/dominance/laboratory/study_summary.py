"""What a study's results say: each condition, rigid against varied, with intervals over entities."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.laboratory.entity_counts import EntityCounts
from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.study import TrialResult
from dominance.metrics import spearman, spearman_chance, spearman_interval, t_interval
from dominance.records import Interval, is_present


@dataclass(frozen=True)
class NeverTrained:
    """The part of a side whose pairs no training picture showed: counts, and mean DvD over entities and seeds."""

    shown: Outcomes
    dvd: float
    interval: Interval | None


@dataclass(frozen=True)
class Side:
    """All rigid, or all varied, entities under one condition.

    Attributes:
        dvd: mean over entities and seeds of the DvD score in the entity's direction; its interval is Student's over
            entities, None for one.
        dominated, prompts: prompts with the verdict dominance, the entity dominating.
        never_trained: None when no result says it.
    """

    shown: Outcomes
    first: Outcomes
    second: Outcomes
    dvd: float
    interval: Interval | None
    dominated: int
    prompts: int
    never_trained: NeverTrained | None


@dataclass(frozen=True)
class Gap:
    """Mean over entities, each averaged over training seeds, of rigid minus varied DvD, in points.

    Attributes:
        interval: Student's over entities: what others of their kind might show; None for one.
        over_seeds: Student's over training seeds: what these entities might show under others; None for one seed, and
            where the seeds do not have the same entities.
    """

    difference: float
    interval: Interval | None
    entities: int
    over_seeds: Interval | None
    seeds: int


@dataclass(frozen=True)
class Contrast:
    """One condition at one guidance scale.

    Attributes:
        gap: None when no entity was measured as both.
        gap_of_drawn: the same of the entities that both models draw when they are asked for them alone; one that a
            model cannot draw does not dominate in it either.
        less_main: the gap less that of the condition ``main``, entity by entity, over the training seeds that both
            have; None for ``main`` itself, and where it was not measured.
        seeds: how many training seeds.
        images: how many a prompt, of all that were measured.
    """

    condition: str
    guidance: float
    rigid: Side
    varied: Side
    gap: Gap | None
    gap_of_drawn: Gap | None
    less_main: Gap | None
    seeds: int
    images: tuple[int, ...]
    singles: tuple[int, int]
    held_out: Outcomes
    held_out_dvd: float


@dataclass(frozen=True)
class Dose:
    """DvD against diversity: a point is one entity in one model.

    Attributes:
        interval: of the correlation, drawing entities; of six it is too narrow.
        chance: the two-sided p of a permutation of the diversities within each model.
    """

    points: tuple[tuple[str, float, float], ...]
    rho: float | None
    interval: Interval | None
    chance: float | None
    models: int
    seeds: int


def contrast(results: Sequence[TrialResult], main: Sequence[TrialResult] = ()) -> Contrast:
    """Summarises the results of one condition at one guidance scale, beside those of ``main`` at the same scale."""
    seeds = {result.seed for result in results}
    counted = [entity for result in sorted(results, key=lambda r: r.seed) for entity in result.entities]
    rigid, varied = of_diversity(counted, 0.0), of_diversity(counted, 1.0)
    everything = _gaps(results)
    drawn = _gaps(results, lambda result, name: is_present(*result.singles[name]))
    others = _gaps(main)
    beyond = {key: gap - others[key] for key, gap in everything.items() if key in others}
    singles = [counts for result in results for counts in result.singles.values()]
    return Contrast(
        condition=results[0].condition,
        guidance=results[0].guidance,
        rigid=side(rigid),
        varied=side(varied),
        gap=_over_entities(everything),
        gap_of_drawn=_over_entities(drawn),
        less_main=_over_entities(beyond),
        seeds=len(seeds),
        images=tuple(sorted({result.images for result in results})),
        singles=(sum(count for count, _ in singles), sum(n for _, n in singles)),
        held_out=add([result.held_out for result in results]),
        held_out_dvd=sum(result.held_out_dvd for result in results) / len(results),
    )


def dose(results: Sequence[TrialResult]) -> Dose:
    """DvD against diversity over all entities of the results."""
    points = [(e.entity, e.diversity, e.dvd) for result in results for e in result.entities]
    clusters = defaultdict(list)
    for name, diversity, dvd in points:
        clusters[name].append((diversity, dvd))
    return Dose(
        points=tuple(points),
        rho=spearman([p[1] for p in points], [p[2] for p in points]),
        interval=spearman_interval(list(clusters.values())),
        chance=spearman_chance([[(e.diversity, e.dvd) for e in result.entities] for result in results]),
        models=len(results),
        seeds=len({result.seed for result in results}),
    )


def add(parts: Sequence[Outcomes]) -> Outcomes:
    """The sum of counts."""
    return Outcomes(*(sum(column) for column in zip(*(part.counts for part in parts), strict=True)))


ByEntity = dict[str, list[EntityCounts]]


def of_diversity(counted: Iterable[EntityCounts], diversity: float) -> ByEntity:
    """The counts of the entities that had this diversity, by entity, in the order given."""
    found = defaultdict(list)
    for entity in counted:
        if entity.diversity == diversity:
            found[entity.entity].append(entity)
    return dict(found)


_Gaps = dict[tuple[str, int], float]
"""Rigid minus varied DvD of an entity in the twins of one training seed."""


def gap_of(counted: Sequence[EntityCounts]) -> Gap | None:
    """Each entity against itself in the other one of two twins; None when none was measured as both."""
    return _over_entities(_differences(counted, 0))


def _gaps(
    results: Sequence[TrialResult], counts: Callable[[TrialResult, str], bool] = lambda _result, _name: True
) -> _Gaps:
    """Each entity against itself in the other model of the same twins, of the models in which it counts."""
    found: _Gaps = {}
    for seed in sorted({result.seed for result in results}):
        own = [e for r in results if r.seed == seed for e in r.entities if counts(r, e.entity)]
        found |= _differences(own, seed)
    return found


def _differences(counted: Sequence[EntityCounts], seed: int) -> _Gaps:
    varied = of_diversity(counted, 1.0)
    rigid = of_diversity(counted, 0.0)
    return {(name, seed): own[0].dvd - varied[name][0].dvd for name, own in rigid.items() if name in varied}


def _over_entities(gaps: Mapping[tuple[str, int], float]) -> Gap | None:
    if not gaps:
        return None
    entities, seeds = ({key[part]: [] for key in gaps} for part in (0, 1))
    for (name, seed), gap in gaps.items():
        entities[name].append(gap)
        seeds[seed].append(gap)
    units = [fmean(own) for own in entities.values()]
    crossed = len(gaps) == len(entities) * len(seeds)
    over_seeds = t_interval([fmean(own) for own in seeds.values()]) if crossed else None
    return Gap(fmean(units), t_interval(units), len(units), over_seeds, len(seeds))


def side(entities: ByEntity) -> Side:
    """Adds up one side."""
    every = [counts for own in entities.values() for counts in own]
    shown, second = add([e.shown for e in every]), add([e.second for e in every])
    return Side(
        shown=shown,
        first=Outcomes(*(a - b for a, b in zip(shown.counts, second.counts, strict=True))),
        second=second,
        dvd=sum(e.dvd for e in every) / len(every),
        interval=_of_scores([[e.dvd for e in own] for own in entities.values()]),
        dominated=sum(e.dominated for e in every),
        prompts=sum(e.prompts for e in every),
        never_trained=_never_trained(entities),
    )


def _never_trained(entities: ByEntity) -> NeverTrained | None:
    shown = [e.never_trained for own in entities.values() for e in own if e.never_trained is not None]
    scores = [[e.never_trained_dvd for e in own if e.never_trained_dvd is not None] for own in entities.values()]
    clusters = [own for own in scores if own]
    if not shown or not clusters:
        return None
    every = [score for own in clusters for score in own]
    return NeverTrained(add(shown), sum(every) / len(every), _of_scores(clusters))


def _of_scores(clusters: Sequence[Sequence[float]]) -> Interval | None:
    """Student's interval over entities, within the 0 to 100 that a score can have."""
    return t_interval([fmean(own) for own in clusters], least=0, most=100)
