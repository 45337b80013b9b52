"""What every judge can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from PIL import Image

from dominance.errors import ModelError
from dominance.records import Answer, Concept, Question


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
class ImageName:
    """Which image it is, for judges that know images by their names.

    Attributes:
        prompt_id: of the prompt that it was made for.
        name: identifies it among the prompt's images: its seed, or its file's name.
        file: its path, relative to the run folder or absolute.
    """

    prompt_id: str
    name: str
    file: str


@runtime_checkable
class NamedJudge(Protocol):
    """A judge that also answers about images that it is told the names of, and never sees.

    An image that several prompts share has several names.
    """

    def check_images(self, names: Sequence[ImageName], questions: Sequence[Question]) -> None:
        """Raises a ModelError if it holds an answer about another image or question than all of these."""
        ...

    def answer_named(
        self, images: Sequence[tuple[ImageName, ...]], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """For each image the answers to its own questions, in their order; an unanswered one says why."""
        ...


@runtime_checkable
class AsksItself(Protocol):
    """A judge that may bring its own questions, such as the one question of labels that say present or not."""

    def ask(self, concept: Concept) -> tuple[Question, ...] | None:
        """Its questions about a concept; None where the question set's are asked."""
        ...


@runtime_checkable
class TaughtJudge(Protocol):
    """A judge that may have been made for one closed world of pictures."""

    @property
    def world(self) -> str | None:
        """The world's name; None for a judge of any picture."""
        ...


@runtime_checkable
class PacedJudge(Protocol):
    """A judge that is slow or may fail, and says how many images it takes before their answers are kept."""

    @property
    def images_at_once(self) -> int:
        """At least 1."""
        ...


@runtime_checkable
class RemoteJudge(Protocol):
    """A judge elsewhere: every question is a call that carries its image."""

    @property
    def answer_tokens(self) -> int:
        """The most tokens that it may write in one answer."""
        ...

    def bytes_sent(self, image: Image.Image) -> int:
        """How many bytes a question about this image carries for it."""
        ...


@runtime_checkable
class DescribedJudge(Protocol):
    """A judge with more to say for a run's manifest than its name and identity."""

    def describe(self) -> dict[str, object]:
        """JSON values; no secrets."""
        ...


class JudgeStoppedError(ModelError):
    """A judge cannot go on; what it answered before that is not lost.

    Attributes:
        answers: for each image of the batch, the answers to its questions, the missing ones unscored.
    """

    def __init__(self, message: str, answers: Sequence[tuple[Answer, ...]] = ()) -> None:
        super().__init__(message)
        self.answers = list(answers)


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
        return Answer(question, None, None, f"the judge gave {p_yes}, not a probability of yes from 0 to 1")
    return Answer(question, p_yes >= 0.5, p_yes)
