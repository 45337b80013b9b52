"""What ``POST /score`` asks and answers, as it goes between the service and the judge's process."""

from dataclasses import dataclass

from dominance.records import ImageVerdict


@dataclass(frozen=True)
class Asked:
    """One image and the prompt that it was made for.

    Attributes:
        prompt: with its concepts in brackets.
        pixels: RGB, row by row, three bytes a pixel.
    """

    prompt: str
    size: tuple[int, int]
    pixels: bytes


@dataclass(frozen=True)
class ConceptScore:
    """One concept in one image.

    Attributes:
        yes: of ``questions``, those answered yes; None where one is unanswered.
        present: the majority is yes; None where unscored.
    """

    concept: str
    yes: int | None
    questions: int
    present: bool | None


@dataclass(frozen=True)
class LiveScore:
    """What the judge finds in one image; the same as ``dominance score`` finds.

    Attributes:
        verdict: balanced: every concept is there; None when unscored.
        dvd: 0 to 100; None with one concept, or unscored.
        dominating, dominated: the direction of ``dvd``; None when the score is 0, or the same both ways.
        doubtful: the concepts that doubtful answers decide.
        problem: why it is unscored.
        warnings: why the judge's answers may mean nothing.
        batch: images that were judged together.
        judging_seconds: that the judge took for all of them.
    """

    prompt: str
    judge: str
    verdict: ImageVerdict | None
    dvd: float | None
    dominating: str | None
    dominated: str | None
    concepts: tuple[ConceptScore, ...]
    doubtful: tuple[str, ...]
    problem: str | None
    warnings: tuple[str, ...]
    batch: int
    judging_seconds: float


Answered = LiveScore | str
"""A score, or the line that says why there is none."""
