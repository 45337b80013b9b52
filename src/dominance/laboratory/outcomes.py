"""What the images of two-concept prompts show: only the first, both, only the second, or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.metrics import wilson_interval
from dominance.records import PromptResult, Rate


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


def rate_in_both_orders(count: int, n: int) -> Rate:
    """A rate over prompts that name the same two concepts in both orders, drawn from the same noises.

    The two images of a pair and a noise are nearly alike, so that the interval is that of half as many.
    """
    return Rate(count, n, wilson_interval(count / 2, n / 2) if n else None)
