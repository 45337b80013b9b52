"""What the images of two-concept prompts show: only the first, both, only the second, or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.records import PromptResult


@dataclass(frozen=True)
class Outcomes:
    """Counts of scored images; of an entity and an object, the entity is the first."""

    only_first: int
    both: int
    only_second: int
    none: int

    @property
    def n(self) -> int:
        return self.only_first + self.both + self.only_second + self.none

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return (self.only_first, self.both, self.only_second, self.none)


def outcomes(prompts: Sequence[PromptResult]) -> Outcomes:
    """Counts over all scored images; an entity counts as the first, whatever the order of naming."""
    counts = [0, 0, 0, 0]
    for result in prompts:
        first, second = sorted(result.prompt.concepts, key=lambda concept: concept.kind == "object")
        for image in result.images:
            if image.verdict is not None:
                one, other = image.shows(first.name), image.shows(second.name)
                counts[(1 if other else 0) if one else (2 if other else 3)] += 1
    return Outcomes(*counts)
