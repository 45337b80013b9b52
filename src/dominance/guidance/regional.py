"""Regional substitution: each concept's region reads the prompt in which its rivals are neutralised."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from dominance.errors import InputError
from dominance.guidance.neutral import STAND_INS, alone
from dominance.guidance.plan import LATER, Backend, Needs, Plan, Span
from dominance.guidance.regions import Regions
from dominance.records import Prompt


@dataclass(frozen=True)
class Regional:
    """Regional substitution, symmetric: no concept has to be known to lose.

    In the first step, maps of the layers that show where words lie give each concept's centre. From the second on, each
    concept's region, a half-plane with a soft edge, reads the mean embedding of the prompt with its rivals replaced by
    other nouns: ``out = Σ_k M_k · attention(q, E[k alone])`` at every site of cross-attention, in the conditional
    branch; or, by predictions, ``ε = Σ_k M_k · ε(x, E[k alone])``.

    Raises:
        InputError: a value out of its range.

    Source: ours (decision 024).
    """

    looks: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs()

    backend: Literal["auto", "attention", "predictions"] = "auto"
    """Where regions act: in each cross-attention, or in the predictions; auto: the first where the model has it."""
    shape: Literal["half-planes", "halves"] = "half-planes"
    """Of two concepts: half-planes of any direction, or the left and the right half."""
    edge: float = 1.0
    """Softness of the edges, in latents."""
    fixed: float = 0.4
    """Share of the steps after which the regions stay where they are."""
    until: float | None = None
    """Share of the steps in which regions act; default: all by attention, the first half by predictions."""
    nouns: int = STAND_INS
    """Nouns that stand in for a rival, in as many texts."""
    strength: float = 1.0
    """From 0, no effect, to 1."""
    since: float = field(default=0.0, metadata=LATER)
    """Share of the steps before regions act; where concepts lie is seen all the same."""

    def __post_init__(self) -> None:
        for name, low, high in (("fixed", 0, 1), ("until", 0, 1), ("strength", 0, 1), ("edge", 0.01, 100)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"the method's {name} is {value:g}; give a number from {low} to {high}")
        Span(self.since, 1.0 if self.until is None else self.until)
        if not 1 <= self.nouns <= STAND_INS:
            raise InputError(f"the method's nouns is {self.nouns}; give a whole number from 1 to {STAND_INS}")

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts.

        Raises:
            InputError: the prompt does not name a concept, or two share words.
        """
        if not self.needs.met_by(prompt.concepts):
            return Plan()
        backend: Backend | None = None if self.backend == "auto" else self.backend
        regions = Regions(
            texts=tuple(alone(prompt, concept, self.nouns) for concept in prompt.concepts),
            fixed=self.fixed,
            until=self.until,
            halves=self.shape == "halves",
            edge=self.edge,
            strength=self.strength,
            since=self.since,
        )
        return Plan(concepts=tuple(concept.name for concept in prompt.concepts), regions=regions, backend=backend)
