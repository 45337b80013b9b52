"""Regional adapter: regional substitution, in which each adapter acts only where the concept that it teaches is."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from dominance.errors import InputError
from dominance.guidance.plan import LATER, Needs, Plan
from dominance.guidance.regional import Regional
from dominance.records import Prompt
from dominance.wording import quoted


@dataclass(frozen=True)
class RegionalAdapter:
    """As ``regions``, with each adapter's weights in its own concept's region alone.

    Raises:
        InputError: a value out of its range.

    Source: ours.
    """

    looks: ClassVar[bool] = True
    needs: ClassVar[Needs] = Needs()

    taught: str = ""
    """Concept that the adapter teaches, as the prompt names it; of several adapters, each one's, in their order, with +
    between them. Default: the prompt's only landmark, character or artist."""
    edge: float = 1.0
    """Softness of the edges, in latents."""
    strength: float = field(default=1.0, metadata=LATER)
    """From 0, no effect, to 1; outside its region an adapter keeps 1 − strength of its weight."""

    def __post_init__(self) -> None:
        self._regions()

    def _regions(self) -> Regional:
        return Regional(edge=self.edge, backend="attention", strength=self.strength)

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with fewer than two concepts.

        Raises:
            InputError: it is not clear which concept an adapter teaches.
        """
        if not self.needs.met_by(prompt.concepts):
            return Plan()
        names = [concept.name for concept in prompt.concepts]
        entities = [concept.name for concept in prompt.concepts if concept.kind != "object"]
        taught = self._taught(names, entities)
        if not set(taught) & set(names):
            several = f", or, of several adapters, each one's: taught={'+'.join(entities)}" if len(entities) > 1 else ""
            raise InputError(
                f"it is not clear which concept of {quoted(prompt.text)} the adapter teaches; name it:"
                f" regional-adapter:taught={(entities or names)[0]}{several}"
            )
        places = tuple(names.index(name) if name in names else None for name in taught)
        return replace(self._regions().plan(prompt), taught=places)

    def _taught(self, names: Sequence[str], entities: Sequence[str]) -> list[str]:
        """The concept of each adapter, or one of all; none where that is not clear."""
        if self.taught in names:
            return [self.taught]
        if self.taught:
            return [name.strip() for name in self.taught.split("+")]
        return list(entities) if len(entities) == 1 else []
