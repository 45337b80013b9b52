"""Rebalancing: the concepts of a prompt get the same attention."""

from dataclasses import dataclass
from typing import ClassVar

from dominance.guidance.plan import Plan
from dominance.records import Prompt


@dataclass(frozen=True)
class Rebalance:
    """The concepts' attention made equal at every site and position; see ``probes.rebalancing``.

    Source: ours.
    """

    looks: ClassVar[bool] = False

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts."""
        if len(prompt.concepts) < 2:
            return Plan()
        return Plan(concepts=tuple(concept.name for concept in prompt.concepts), rebalanced=True)
