"""Rigid against varied entities: each against itself in the twin of its model, with intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.laboratory.entity_counts import EntityCounts
from dominance.laboratory.outcomes import Outcomes
from dominance.metrics import t_interval
from dominance.records import Interval


@dataclass(frozen=True)
class NeverTrained:
    """The part of a side whose pairs no training picture showed: counts, and mean DvD over entities and seeds."""

    shown: Outcomes
    dvd: float
    interval: Interval | None


@dataclass(frozen=True)
class Side:
    """All rigid, or all varied, entities.

    Attributes:
        dvd: mean over entities and seeds of the DvD score in the entity's direction; its interval is Student's over
            entities, None for one.
        first_dvd, second_dvd: the same of the prompts that name the entity first, and second.
        dominated, prompts: prompts with the verdict dominance, the entity dominating.
        never_trained: None when no result says it.
    """

    shown: Outcomes
    first: Outcomes
    second: Outcomes
    dvd: float
    interval: Interval | None
    first_dvd: float
    second_dvd: float
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


ByEntity = dict[str, list[EntityCounts]]
Gaps = Mapping[tuple[str, int], float]
"""Rigid minus varied DvD of an entity in the twins of one training seed."""


def of_diversity(counted: Iterable[EntityCounts], diversity: float) -> ByEntity:
    """The counts of the entities that had this diversity, by entity, in the order given."""
    found = defaultdict(list)
    for entity in counted:
        if entity.diversity == diversity:
            found[entity.entity].append(entity)
    return dict(found)


def side(entities: ByEntity) -> Side:
    """Adds up one side."""
    every = [counts for own in entities.values() for counts in own]
    shown, second = add([e.shown for e in every]), add([e.second for e in every])
    return Side(
        shown=shown,
        first=Outcomes(*(a - b for a, b in zip(shown.counts, second.counts, strict=True))),
        second=second,
        dvd=fmean(e.dvd for e in every),
        interval=_of_scores([[e.dvd for e in own] for own in entities.values()]),
        first_dvd=fmean(e.first_dvd for e in every),
        second_dvd=fmean(e.second_dvd for e in every),
        dominated=sum(e.dominated for e in every),
        prompts=sum(e.prompts for e in every),
        never_trained=_never_trained(entities),
    )


def gaps_of(counted: Sequence[EntityCounts], seed: int = 0) -> dict[tuple[str, int], float]:
    """Each entity against itself in the other one of two twins of a training seed."""
    varied, rigid = of_diversity(counted, 1.0), of_diversity(counted, 0.0)
    return {(name, seed): own[0].dvd - varied[name][0].dvd for name, own in rigid.items() if name in varied}


def gap(gaps: Gaps) -> Gap | None:
    """All of them together; None of none."""
    if not gaps:
        return None
    entities, seeds = ({key[part]: [] for key in gaps} for part in (0, 1))
    for (name, seed), found in gaps.items():
        entities[name].append(found)
        seeds[seed].append(found)
    units = [fmean(own) for own in entities.values()]
    crossed = len(gaps) == len(entities) * len(seeds)
    over_seeds = t_interval([fmean(own) for own in seeds.values()]) if crossed else None
    return Gap(fmean(units), t_interval(units), len(units), over_seeds, len(seeds))


def images_each(counted: Iterable[EntityCounts]) -> str:
    """How many images of an entity were counted, in words; those of one model and training seed."""
    numbers = [entity.shown.n for entity in counted]
    least, most = min(numbers), max(numbers)
    return f"{least} images an entity" if least == most else f"{least} to {most} images an entity"


def add(parts: Sequence[Outcomes]) -> Outcomes:
    """The sum of counts."""
    return Outcomes(*(sum(column) for column in zip(*(part.counts for part in parts), strict=True)))


def _never_trained(entities: ByEntity) -> NeverTrained | None:
    shown = [e.never_trained for own in entities.values() for e in own if e.never_trained is not None]
    scores = [[e.never_trained_dvd for e in own if e.never_trained_dvd is not None] for own in entities.values()]
    clusters = [own for own in scores if own]
    if not shown or not clusters:
        return None
    every = [score for own in clusters for score in own]
    return NeverTrained(add(shown), fmean(every), _of_scores(clusters))


def _of_scores(clusters: Sequence[Sequence[float]]) -> Interval | None:
    """Student's interval over entities, within the 0 to 100 that a score can have."""
    return t_interval([fmean(own) for own in clusters], least=0, most=100)
