"""Regional substitution and overlap guidance in one run."""

from dataclasses import dataclass, replace
from typing import ClassVar

from dominance.guidance.overlap import Loss, Overlap
from dominance.guidance.plan import Plan
from dominance.guidance.regional import Regional
from dominance.records import Prompt


@dataclass(frozen=True)
class RegionsAndOverlap:
    """Both methods; the guidance acts in the first fifth of the steps.

    Source: ours.
    """

    looks: ClassVar[bool] = True

    loss: Loss = "kl"
    """What the guidance lowers; see metrics/overlap."""
    until: float = 0.2
    """Share of the steps that are moved before."""

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts."""
        return replace(Regional().plan(prompt), moves=Overlap(self.loss, until=self.until).plan(prompt).moves)
