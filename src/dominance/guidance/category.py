"""A category word in the place of an entity's name: for the first steps, or for the whole run."""

from dataclasses import dataclass, field
from typing import ClassVar

from dominance.guidance.neutral import in_words
from dominance.guidance.plan import LATER, Needs, OtherText, Plan, Span
from dominance.records import Prompt

WORDS = {"landmark": "building", "character": "character", "artist": "artist"}
"""The category word of each kind that may dominate; an object keeps its name."""


@dataclass(frozen=True)
class Category:
    """The prompt with its landmarks, characters and artists called by a category word, for a share of the steps.

    Raises:
        InputError: a share out of its range.

    Source: Jeong & Lee (2025), arXiv 2512.20666, for the whole run, which tests the detector and loses the concept;
    in the first steps alone it is ours, after Park et al. (2025), "Rare-to-Frequent", turned round.
    """

    looks: ClassVar[bool] = False
    needs: ClassVar[Needs] = Needs(least=1, entities=True)

    until: float = 0.16
    """Share of the steps that read the category word; 1 is the whole run."""
    landmark: str = WORDS["landmark"]
    """Word for a landmark."""
    character: str = WORDS["character"]
    """Word for a character."""
    artist: str = WORDS["artist"]
    """Word for an artist."""
    since: float = field(default=0.0, metadata=LATER)
    """Share of the steps that read the prompt as it is before they do."""

    def __post_init__(self) -> None:
        Span(self.since, self.until)

    def plan(self, prompt: Prompt) -> Plan:
        """How an image of this prompt is steered; not at all where it names no landmark, character or artist."""
        words = {kind: getattr(self, kind) for kind in WORDS}
        text = in_words(prompt, {c.name: words[c.kind] for c in prompt.concepts if c.kind in words})
        during = Span(self.since, self.until)
        return Plan() if text == prompt.text or not self.until else Plan(other=OtherText(text, during))
