"""Regional substitution and overlap guidance in one run."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from dominance.guidance.overlap import Loss, Overlap
from dominance.guidance.plan import LATER, Needs, Plan
from dominance.guidance.regional import Regional
from dominance.records import Prompt


@dataclass(frozen=True)
class RegionsAndOverlap:
    """Both methods; the guidance acts in the first fifth of the steps.

    Raises:
        InputError: a value out of its range.

    Source: ours.
    """

    looks: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs()

    loss: Loss = "kl"
    """What the guidance lowers; see metrics/overlap."""
    until: float = 0.2
    """Share of the steps that are moved before."""
    strength: float = field(default=1.0, metadata=LATER)
    """Of both, from 0, no effect, to 1."""

    def __post_init__(self) -> None:
        self._parts()

    def _parts(self) -> tuple[Regional, Overlap]:
        return Regional(strength=self.strength), Overlap(self.loss, until=self.until, strength=self.strength)

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts."""
        regions, overlap = self._parts()
        return replace(regions.plan(prompt), moves=overlap.plan(prompt).moves)
