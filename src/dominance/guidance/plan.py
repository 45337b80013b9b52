"""What steers one image while it is drawn."""

from dataclasses import dataclass
from typing import Literal

from dominance.guidance.moves import Moves
from dominance.guidance.regions import Regions

Backend = Literal["attention", "predictions"]
"""Where regions act: in each cross-attention, or in the denoiser's predictions, which every family has."""


@dataclass(frozen=True)
class OtherText:
    """Another text in the prompt's place.

    Attributes:
        until: share of the steps that read it; 1 is all of them.
    """

    text: str
    until: float


@dataclass(frozen=True)
class Plan:
    """What steers one image; every part may be missing, and with all missing it is drawn as the model draws it.

    Attributes:
        concepts: the names whose attention is looked at, in the prompt's order.
        rebalanced: whether the concepts' attention is made equal.
        taught: where adapters are to act in one region alone, the place of the concept that each teaches, in the order
            in which they were loaded, None for a concept that is not named; a single place is that of all adapters.
    """

    concepts: tuple[str, ...] = ()
    regions: Regions | None = None
    backend: Backend | None = None
    moves: Moves | None = None
    other: OtherText | None = None
    rebalanced: bool = False
    taught: tuple[int | None, ...] = ()

    @property
    def looks(self) -> bool:
        """Whether it needs maps that show where the concepts lie."""
        return self.regions is not None or self.moves is not None
