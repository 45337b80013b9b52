"""A better noise to begin with: moved before the first step until the concepts' attention maps lie apart."""

from dataclasses import dataclass
from typing import ClassVar

from dominance.errors import InputError
from dominance.guidance.moves import Moves
from dominance.guidance.overlap import Loss
from dominance.guidance.plan import Needs, Plan
from dominance.records import Prompt


@dataclass(frozen=True)
class InitialNoise:
    """The initial noise moved by the gradient of an overlap loss; after each move it has its mean and variance again.

    Raises:
        InputError: a value out of its range.

    Source: in the manner of Guo et al. (2024), "InitNO", arXiv 2404.04650; loss and step are ours.
    """

    looks: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs()

    loss: Loss = "kl"
    """What is lowered; see metrics/overlap."""
    moves: int = 10
    """How often the noise is moved."""
    strength: float = 1.0
    """Factor of the step's length; 0 has no effect."""

    def __post_init__(self) -> None:
        if not 1 <= self.moves <= 1000:
            raise InputError(f"the method's moves is {self.moves}; give a whole number from 1 to 1000")
        if not 0 <= self.strength <= 100:
            raise InputError(f"the method's strength is {self.strength:g}; give a number from 0 to 100")

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts."""
        if not self.needs.met_by(prompt.concepts) or not self.strength:
            return Plan()
        moves = Moves(self.loss, "rms", 0.06 * self.strength, until=0.0, first=self.moves)
        return Plan(concepts=tuple(concept.name for concept in prompt.concepts), moves=moves)
