"""Guidance switched off in some of the steps."""

from dataclasses import dataclass
from typing import ClassVar

from dominance.guidance.plan import Needs, Plan, Span
from dominance.records import Prompt


@dataclass(frozen=True)
class Unguided:
    """The prompt's own prediction in some of the steps, as at guidance 1; guidance as usual in the others.

    Raises:
        InputError: a share out of its range.

    Source: ours, as a test of when guidance decides; Kynkäänniemi et al. (2024), arXiv 2404.07724, leave it out at
    high noise for varied pictures.
    """

    looks: ClassVar[bool] = False
    needs: ClassVar[Needs] = Needs(least=1)

    since: float = 0.0
    """Share of the steps that are guided before."""
    until: float = 0.4
    """Share of the steps after which guidance is on again."""

    def __post_init__(self) -> None:
        Span(self.since, self.until)

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all with no concept."""
        during = Span(self.since, self.until)
        return Plan(unguided=during) if self.needs.met_by(prompt.concepts) and self.since < self.until else Plan()
