"""Regional adapter: regional substitution, in which an adapter acts only where the concept that it teaches is."""

from dataclasses import dataclass, replace
from typing import ClassVar

from dominance.errors import InputError
from dominance.guidance.plan import Plan
from dominance.guidance.regional import Regional
from dominance.records import Prompt
from dominance.wording import quoted


@dataclass(frozen=True)
class RegionalAdapter:
    """As ``regions``, with the base's own weights in the regions of all other concepts.

    Source: ours.
    """

    looks: ClassVar[bool] = True

    taught: str = ""
    """Concept that the adapter teaches, as the prompt names it; default: its landmark, character or artist."""
    edge: float = 1.0
    """Softness of the edges, in latents."""

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts.

        Raises:
            InputError: it is not clear which concept the adapter teaches.
        """
        if len(prompt.concepts) < 2:
            return Plan()
        names = [concept.name for concept in prompt.concepts]
        entities = [concept.name for concept in prompt.concepts if concept.kind != "object"]
        taught = self.taught or (entities[0] if len(entities) == 1 else "")
        if taught not in names:
            raise InputError(
                f"it is not clear which concept of {quoted(prompt.text)} the adapter teaches; name it:"
                f" regional-adapter:taught={names[0]}"
            )
        return replace(Regional(edge=self.edge, backend="attention").plan(prompt), taught=names.index(taught))
