"""What the twins' results say: rigid against varied, entity by entity and seed by seed, and what three in one cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from dominance.laboratory.contrast import Gap, Side, add, gap, gaps_of, of_diversity, side
from dominance.laboratory.diversity.arms import MAIN
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.entity_counts import EntityCounts
from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.twins.results import TwinResult
from dominance.laboratory.twins.training import BASE
from dominance.metrics import t_interval
from dominance.miniature.concepts import ENTITIES
from dominance.records import Interval

RIGID_LEVEL: int = 1
"""Of the diversity experiment: 120 pictures of one design, as each entity of a twin has."""


@dataclass(frozen=True)
class EntityContrast:
    """One entity.

    Attributes:
        rigid, varied: DvD in the twin in which it is rigid, and in the other, by training seed.
        base: DvD in the base; None where that was not measured.
        rigid_shown, varied_shown: what the images show, over all seeds.
    """

    entity: str
    rigid: dict[int, float]
    varied: dict[int, float]
    base: float | None
    rigid_shown: Outcomes
    varied_shown: Outcomes


@dataclass(frozen=True)
class InOne:
    """A rigid entity in the adapter that holds three of them, and in one of its own with the same design.

    Attributes:
        several, single: DvD under the same prompts and noises.
    """

    entity: str
    seed: int
    several: float
    single: float


@dataclass(frozen=True)
class Cost:
    """What one adapter for three entities costs beside single ones.

    Attributes:
        several, single: mean DvD.
        change: the first less the second, of entities averaged over seeds; its interval is Student's over entities.
    """

    pairs: tuple[InOne, ...]
    several: float
    single: float
    change: float
    interval: Interval | None


@dataclass(frozen=True)
class TwinsSummary:
    """All that is measured.

    Attributes:
        results: the file that it stands in, a line a twin.
        page: the page that was written.
        models: how many, the base among them.
        judges: identities of those that looked.
        rigid, varied: over all seeds; None where no twin was measured.
        base: the base's entities, all of them varied; None where it was not measured.
        gap: each entity against itself; None where none was measured as both.
        three_in_one: None where no single adapter was measured by the same judge with the same training seed.
    """

    results: str
    page: str
    models: int
    judges: tuple[str, ...]
    rigid: Side | None
    varied: Side | None
    base: Side | None
    gap: Gap | None
    entities: tuple[EntityContrast, ...]
    three_in_one: Cost | None


def summary_of(
    results: Sequence[TwinResult], singles: Sequence[DiversityResult], file: str = "", page: str = ""
) -> TwinsSummary:
    """Of the twins of one base.

    Args:
        singles: results of the diversity experiment; those of another judge or base are passed over.
    """
    counted = [entity for result in results if result.world != BASE for entity in result.entities]
    base = [entity for result in results if result.world == BASE for entity in result.entities]
    return TwinsSummary(
        results=file,
        page=page,
        models=len(results),
        judges=tuple(dict.fromkeys(result.judge for result in results)),
        rigid=_side(counted, 0.0),
        varied=_side(counted, 1.0),
        base=_side(base, 1.0),
        gap=gap_over_seeds(results),
        entities=tuple(found for name in ENTITIES if (found := _entity(results, name)) is not None),
        three_in_one=_cost(results, singles),
    )


def gap_over_seeds(results: Sequence[TwinResult]) -> Gap | None:
    """Rigid minus varied DvD, each entity against itself in the other twin of the same training seed."""
    found: dict[tuple[str, int], float] = {}
    for seed in sorted({result.seed for result in results}):
        own = [r for r in results if r.seed == seed and r.world != BASE]
        found |= gaps_of([entity for result in own for entity in result.entities], seed)
    return gap(found)


def _side(counted: Sequence[EntityCounts], diversity: float) -> Side | None:
    own = of_diversity(counted, diversity)
    return side(own) if own else None


def _entity(results: Sequence[TwinResult], name: str) -> EntityContrast | None:
    """None where it was not measured in both twins."""
    own = [(r, counts) for r in results for counts in r.entities if counts.entity == name]
    rigid = {r.seed: counts for r, counts in own if counts.diversity == 0.0}
    varied = {r.seed: counts for r, counts in own if counts.diversity == 1.0 and r.world != BASE}
    if not rigid or not varied:
        return None
    return EntityContrast(
        entity=name,
        rigid={seed: counts.dvd for seed, counts in rigid.items()},
        varied={seed: counts.dvd for seed, counts in varied.items()},
        base=next((counts.dvd for r, counts in own if r.world == BASE), None),
        rigid_shown=add([counts.shown for counts in rigid.values()]),
        varied_shown=add([counts.shown for counts in varied.values()]),
    )


def _cost(results: Sequence[TwinResult], singles: Sequence[DiversityResult]) -> Cost | None:
    """Of the entities and training seeds for which both were measured."""
    pairs = []
    for result in results:
        alone = {
            single.subject: single.dvd
            for single in singles
            if (single.arm, single.level, single.seed) == (MAIN.name, RIGID_LEVEL, result.seed)
            and (single.base, single.judge, single.images) == (result.base, result.judge, 1)
        }
        pairs += [InOne(name, result.seed, dvd, alone[name]) for name, dvd in result.as_single.items() if name in alone]
    if not pairs:
        return None
    names = dict.fromkeys(pair.entity for pair in pairs)
    changes = [fmean(pair.several - pair.single for pair in pairs if pair.entity == name) for name in names]
    return Cost(
        pairs=tuple(pairs),
        several=fmean(pair.several for pair in pairs),
        single=fmean(pair.single for pair in pairs),
        change=fmean(changes),
        interval=t_interval(changes),
    )
