"""What every judge can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from dominance.records import Answer, Question


class Judge(Protocol):
    """Looks at images and answers yes/no questions about them."""

    @property
    def name(self) -> str:
        """As the user named it."""
        ...

    @property
    def identity(self) -> str:
        """Changes whenever an answer could."""
        ...

    def check(self, questions: Sequence[Question]) -> None:
        """Raises a ModelError that names the first question that this judge cannot understand at all."""
        ...

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """For each image the answers to its own questions, in their order; an unanswered one says why."""
        ...


@dataclass(frozen=True)
class ScriptedJudge:
    """A judge that answers by a function of image and question: for tests and for trying out suites.

    Attributes:
        script: gives P(yes), or None for a question that it leaves unanswered.
    """

    script: Callable[[Image.Image, Question], float | None]
    name: str = "scripted"
    identity: str = "scripted"

    def check(self, questions: Sequence[Question]) -> None:
        """Understands everything."""

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        return [
            tuple(as_answer(question, self.script(image, question)) for question in asked)
            for image, asked in zip(images, questions, strict=True)
        ]


def as_answer(question: Question, p_yes: float | None) -> Answer:
    """An answer from P(yes): counted as yes from one half on, unscored when there is none or it is no probability."""
    if p_yes is None:
        return Answer(question, None, None, "the judge gave no answer")
    if not 0 <= p_yes <= 1:
        return Answer(question, None, None, f"the judge gave {p_yes} as its probability of yes")
    return Answer(question, p_yes >= 0.5, p_yes)
