"""Rebalancing: the concepts of a prompt get the same attention."""

from dataclasses import dataclass, field
from typing import ClassVar

from dominance.errors import InputError
from dominance.guidance.plan import LATER, Needs, Plan, Span
from dominance.records import Prompt


@dataclass(frozen=True)
class Rebalance:
    """The concepts' attention made equal at every site and position; see ``probes.rebalancing``.

    Raises:
        InputError: a value out of its range.

    Source: ours.
    """

    looks: ClassVar[bool] = False
    needs: ClassVar[Needs] = Needs()

    strength: float = field(default=1.0, metadata=LATER)
    """From 0, no effect, to 1; between them each concept keeps that much less of its own attention for the mean."""
    since: float = field(default=0.0, metadata=LATER)
    """Share of the steps before it acts."""
    until: float = field(default=1.0, metadata=LATER)
    """Share of the steps after which it no longer acts."""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise InputError(f"the method's strength is {self.strength:g}; give a number from 0 to 1")
        Span(self.since, self.until)

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts."""
        if not self.needs.met_by(prompt.concepts) or not self.strength:
            return Plan()
        concepts = tuple(concept.name for concept in prompt.concepts)
        return Plan(concepts, rebalanced=self.strength, balancing=Span(self.since, self.until))
