"""What the images of one entity, asked for beside every object, show."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.errors import InputError
from dominance.laboratory.outcomes import Outcomes, outcomes
from dominance.metrics import dvd_score
from dominance.miniature.world import HELD_OUT_ENTITY_PAIRS
from dominance.records import PromptResult, RunResult


@dataclass(frozen=True)
class EntityCounts:
    """What the images of one entity with every object show, in one model.

    Attributes:
        dvd: mean DvD score in the direction in which the entity dominates, over the images.
        dominated: prompts that reached the verdict dominance with the entity dominating.
        prompts: of the entity.
        second: the part of ``shown`` in which the caption named the entity second.
        first_dvd, second_dvd: mean DvD of the prompts that name the entity first, and second.
        never_trained: the part of ``shown`` whose pair no training picture showed, the base's included, and its
            ``dvd``; None if the prompts have no such pair.
    """

    entity: str
    diversity: float
    shown: Outcomes
    second: Outcomes
    dvd: float
    dominated: int
    prompts: int
    first_dvd: float
    second_dvd: float
    never_trained: Outcomes | None = None
    never_trained_dvd: float | None = None


def entity_counts(run: RunResult, entity: str, diversity: float) -> EntityCounts:
    """The part of a run of entity–object prompts that concerns one entity."""
    own = [p for p in run.prompts if any(concept.name == entity for concept in p.prompt.concepts)]
    second = [p for p in own if p.prompt.concepts[1].name == entity]
    first = [p for p in own if p not in second]
    never = [p for p in own if frozenset(concept.name for concept in p.prompt.concepts) in HELD_OUT_ENTITY_PAIRS]
    never_scores = _scores(never, entity)
    return EntityCounts(
        entity=entity,
        diversity=diversity,
        shown=outcomes(own),
        second=outcomes(second),
        dvd=mean(_scores(own, entity)),
        dominated=sum(p.verdict == "dominance" and p.dominating == entity for p in own),
        prompts=len(own),
        first_dvd=mean(_scores(first, entity)),
        second_dvd=mean(_scores(second, entity)),
        never_trained=outcomes(never) if never_scores else None,
        never_trained_dvd=mean(never_scores) if never_scores else None,
    )


def _scores(prompts: Sequence[PromptResult], entity: str) -> list[float]:
    """The DvD of every scored image, in the direction in which the entity dominates."""
    scores = []
    for result in prompts:
        other = next(concept.name for concept in result.prompt.concepts if concept.name != entity)
        for image in result.images:
            ours, theirs = image.yes.get(entity), image.yes.get(other)
            if ours is not None and theirs is not None:
                scores.append(dvd_score(ours, theirs))
    return scores


def mean(values: Sequence[float]) -> float:
    """The mean; an error if there are no values."""
    if not values:
        raise InputError("no image was scored, so there is no mean; check the judge")
    return sum(values) / len(values)
