"""What the images of one entity, asked for beside every object, show."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.errors import InputError
from dominance.metrics import dvd_score
from dominance.records import RunResult
from dominance.reproduce.outcomes import Outcomes, outcomes


@dataclass(frozen=True)
class EntityCounts:
    """What the images of one entity with every object show, in one model at one guidance scale.

    Attributes:
        dvd: mean DvD score in the direction in which the entity dominates, over the images.
        dominated: prompts that reached the verdict dominance with the entity dominating.
        prompts: of the entity.
        second: the part of ``shown`` in which the caption named the entity second.
    """

    entity: str
    diversity: float
    shown: Outcomes
    second: Outcomes
    dvd: float
    dominated: int
    prompts: int


def entity_counts(run: RunResult, entity: str, diversity: float) -> EntityCounts:
    """The part of a run of entity–object prompts that concerns one entity."""
    own = [p for p in run.prompts if any(concept.name == entity for concept in p.prompt.concepts)]
    scores = []
    for result in own:
        other = next(concept.name for concept in result.prompt.concepts if concept.name != entity)
        for image in result.images:
            ours, theirs = image.yes.get(entity), image.yes.get(other)
            if ours is not None and theirs is not None:
                scores.append(dvd_score(ours, theirs))
    return EntityCounts(
        entity=entity,
        diversity=diversity,
        shown=outcomes(own),
        second=outcomes([p for p in own if p.prompt.concepts[1].name == entity]),
        dvd=mean(scores),
        dominated=sum(p.verdict == "dominance" and p.dominating == entity for p in own),
        prompts=len(own),
    )


def mean(values: Sequence[float]) -> float:
    """The mean; an error where there is nothing to take it of."""
    if not values:
        raise InputError("not one image could be scored; a mean over nothing says nothing")
    return sum(values) / len(values)
