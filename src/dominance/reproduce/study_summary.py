"""What a study's results say: each condition, rigid against varied, with intervals over entities and seeds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dominance.metrics import bootstrap_mean
from dominance.metrics.correlation import spearman, spearman_interval
from dominance.records import Interval, is_present
from dominance.reproduce.entity_counts import EntityCounts
from dominance.reproduce.outcomes import Outcomes
from dominance.reproduce.study import TrialResult


@dataclass(frozen=True)
class NeverTrained:
    """The part of a side whose pairs no training picture showed: counts, and mean DvD over entities and seeds."""

    shown: Outcomes
    dvd: float
    interval: Interval


@dataclass(frozen=True)
class Side:
    """All rigid, or all varied, entities under one condition.

    Attributes:
        dvd: mean over entities and seeds of the DvD score in the entity's direction; its interval draws entities.
        dominated, prompts: prompts with the verdict dominance, the entity dominating.
        never_trained: None when no result says it.
    """

    shown: Outcomes
    first: Outcomes
    second: Outcomes
    dvd: float
    interval: Interval
    dominated: int
    prompts: int
    never_trained: NeverTrained | None


@dataclass(frozen=True)
class Gap:
    """Mean over entities (and seeds) of rigid minus varied DvD, in points; its interval draws entities."""

    difference: float
    interval: Interval
    entities: int


@dataclass(frozen=True)
class Contrast:
    """One condition at one guidance scale.

    Attributes:
        gap: None when no entity was measured as both.
        gap_of_drawn: the same of the entities that both models draw when they are asked for them alone; one that a
            model cannot draw does not dominate in it either.
        seeds: how many training seeds.
        images: how many a prompt, of all that were measured.
    """

    condition: str
    guidance: float
    rigid: Side
    varied: Side
    gap: Gap | None
    gap_of_drawn: Gap | None
    seeds: int
    images: tuple[int, ...]
    singles: tuple[int, int]
    held_out: Outcomes
    held_out_dvd: float


@dataclass(frozen=True)
class Dose:
    """DvD against diversity: a point is one entity in one model; the correlation's interval draws entities."""

    points: tuple[tuple[str, float, float], ...]
    rho: float | None
    interval: Interval | None
    seeds: int


def contrast(results: Sequence[TrialResult]) -> Contrast:
    """Summarises the results of one condition at one guidance scale."""
    seeds = {result.seed for result in results}
    counted = [entity for result in sorted(results, key=lambda r: r.seed) for entity in result.entities]
    rigid, varied = of_diversity(counted, 0.0), of_diversity(counted, 1.0)
    twins = [[r for r in results if r.seed == seed] for seed in sorted(seeds)]
    singles = [counts for result in results for counts in result.singles.values()]
    return Contrast(
        condition=results[0].condition,
        guidance=results[0].guidance,
        rigid=side(rigid),
        varied=side(varied),
        gap=gap_of([e for r in pair for e in r.entities] for pair in twins),
        gap_of_drawn=gap_of(
            [e for r in pair for e in r.entities if is_present(*r.singles[e.entity])] for pair in twins
        ),
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


def gap_of(twins: Iterable[Sequence[EntityCounts]]) -> Gap | None:
    """Each entity against itself in the other model of the same twins; None when none was measured as both.

    Args:
        twins: the counts of the models of one training seed, for each of these.
    """
    found = defaultdict(list)
    for counted in twins:
        varied = of_diversity(counted, 1.0)
        for name, own in of_diversity(counted, 0.0).items():
            if name in varied:
                found[name].append(own[0].dvd - varied[name][0].dvd)
    if not found:
        return None
    every = [gap for values in found.values() for gap in values]
    return Gap(sum(every) / len(every), bootstrap_mean(list(found.values())), len(found))


def side(entities: ByEntity) -> Side:
    """Adds up one side."""
    every = [counts for own in entities.values() for counts in own]
    shown, second = add([e.shown for e in every]), add([e.second for e in every])
    return Side(
        shown=shown,
        first=Outcomes(*(a - b for a, b in zip(shown.counts, second.counts, strict=True))),
        second=second,
        dvd=sum(e.dvd for e in every) / len(every),
        interval=bootstrap_mean([[e.dvd for e in own] for own in entities.values()]),
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
    return NeverTrained(add(shown), sum(every) / len(every), bootstrap_mean(clusters))
