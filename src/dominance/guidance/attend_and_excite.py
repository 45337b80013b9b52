"""Attend-and-Excite: latents moved until every concept has a place where it is attended to."""

from dataclasses import dataclass
from typing import ClassVar

from dominance.errors import InputError
from dominance.guidance.moves import Moves, Step
from dominance.guidance.plan import Needs, Plan
from dominance.records import Prompt

_RAW, _RMS = 20.0, 0.06
_THRESHOLDS = ((0.0, 0.05), (0.2, 0.5), (0.4, 0.8))


@dataclass(frozen=True)
class AttendAndExcite:
    """Attend-and-Excite, with its refinement before the steps at 0, 20 and 40% to losses of 0.95, 0.5 and 0.2.

    Raises:
        InputError: a value out of its range.

    Source: Chefer et al. (2023), arXiv 2301.13826, with the settings of its release for 50 steps as shares.
    """

    looks: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs(least=1)

    step: Step = "raw"
    """How a gradient becomes a step: raw as in the paper, or rms."""
    refine: bool = True
    """Whether the loss is lowered to thresholds at three steps."""
    until: float = 0.5
    """Share of the steps that are moved before."""
    strength: float = 1.0
    """Factor of the step's length; 0 has no effect."""

    def __post_init__(self) -> None:
        if not 0 <= self.until <= 1:
            raise InputError(f"the method's until is {self.until:g}; give a share from 0 to 1")
        if not 0 <= self.strength <= 100:
            raise InputError(f"the method's strength is {self.strength:g}; give a number from 0 to 100")

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with no concept."""
        if not self.needs.met_by(prompt.concepts) or not self.strength:
            return Plan()
        size = self.strength * (_RAW if self.step == "raw" else _RMS)
        thresholds = {share: 1 - reached for share, reached in _THRESHOLDS} if self.refine else {}
        moves = Moves("attend-and-excite", self.step, size, self.until, thresholds)
        return Plan(concepts=tuple(concept.name for concept in prompt.concepts), moves=moves)
