"""Overlap guidance: latents moved so that the concepts' attention maps lie apart."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from dominance.errors import InputError
from dominance.guidance.moves import Moves, Step
from dominance.guidance.plan import Needs, Plan
from dominance.records import Prompt

Loss = Literal["kl", "com", "com-area", "iou", "cc", "spread", "intensity"]
_RMS, _RAW = 0.06, 20.0
_SHARE, _PAPER_SHARE = 0.4, 0.6


@dataclass(frozen=True)
class Overlap:
    """Guidance by a loss on attention maps, before each of the first steps.

    ``z ← z − s_t · g / rms(g)`` with ``s_t = 0.06 · strength · sqrt(1 − t/T)`` over the first 40% of the steps, or, as
    the papers have it, ``z ← z − s_t · g`` with ``s_t = 20 · strength · sqrt(linspace(1, 0.5, T)[t])`` over 60%.

    The papers publish no weights of IoU, KL and CC; ours are 1, so that ``raw`` takes these losses as they are. With
    ``rms``, steps have one length whatever the weight.

    Raises:
        InputError: a value out of its range.

    Source: Marioriyad et al. (2024), arXiv 2410.20972; that maps are normalised and steps have one length is ours.
    """

    looks: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs()

    loss: Loss = "kl"
    """What is lowered; see metrics/overlap."""
    step: Step = "rms"
    """How a gradient becomes a step: rms, or raw as in the papers."""
    until: float | None = None
    """Share of the steps that are moved before; default: 0.4, and 0.6 for raw."""
    strength: float = 1.0
    """Factor of the step's length; 0 has no effect."""

    def __post_init__(self) -> None:
        if self.until is not None and not 0 <= self.until <= 1:
            raise InputError(f"the method's until is {self.until:g}; give a share from 0 to 1")
        if not 0 <= self.strength <= 100:
            raise InputError(f"the method's strength is {self.strength:g}; give a number from 0 to 100")

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts."""
        if not self.needs.met_by(prompt.concepts) or not self.strength:
            return Plan()
        raw = self.step == "raw"
        until = self.until if self.until is not None else _PAPER_SHARE if raw else _SHARE
        moves = Moves(self.loss, self.step, self.strength * (_RAW if raw else _RMS), until)
        return Plan(concepts=tuple(concept.name for concept in prompt.concepts), moves=moves)
