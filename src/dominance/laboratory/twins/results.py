"""What is measured of one twin, as a line of JSON."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from dominance.laboratory.entity_counts import EntityCounts
from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.result_lines import read_lines


@dataclass(frozen=True)
class TwinResult:
    """What was measured of one adapter, or of the base without one.

    Attributes:
        world: ``first`` or ``swapped``, or ``base``.
        seed: of training.
        base, judge: identities.
        images: a prompt of an entity and an object, and of the held-out object pairs.
        steps: of denoising.
        entities: every entity beside every object, in both orders.
        held_out: images of object pairs that no training picture shows; their mean DvD is ``held_out_dvd``.
        singles: images of every concept alone in which it is present, and how many there are.
        as_single: DvD of each rigid entity under the 32 prompts of the diversity experiment, with its noises and steps,
            where its single adapter was measured.
        loss: mean over the last twenty steps of training; None of the base.
    """

    world: str
    seed: int
    base: str
    judge: str
    images: int
    steps: int
    guidance: float
    entities: tuple[EntityCounts, ...]
    held_out: Outcomes
    held_out_dvd: float
    singles: dict[str, tuple[int, int]]
    as_single: dict[str, float]
    loss: float | None

    @property
    def key(self) -> tuple[str, int, str]:
        return (self.world, self.seed, self.base)


_RESULTS = TypeAdapter(TwinResult)


def read_results(file: Path) -> list[TwinResult]:
    """The results of a file, seed by seed; none when there is no file.

    Raises:
        InputError: a line is not a result.
    """
    return sorted(read_lines(file, _RESULTS, "a result of the twins"), key=lambda result: (result.seed, result.world))
