"""What a check found on pictures that models drew and readers labelled."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, computed_field

from dominance.documents import Counted
from dominance.metrics.intervals import alike_rate
from dominance.miniature.labelled import Label


@dataclass(frozen=True)
class Mistakes:
    """A judge against the labels of some pictures, or of some concepts on them; doubtful ones count for neither side.

    A concept is present to the judge if most of its answers are yes.

    Attributes:
        name: what they are.
        pictures: how many.
        false_no: of the concepts that readers call plain, those that the judge calls absent.
        false_yes: of the concepts that readers call absent, those that the judge calls present.
        doubtful: of the concepts that readers call doubtful or disagree about, those that the judge calls present.
        unanswered: concepts with a question that it did not answer, excluded from all rates.
    """

    name: str
    pictures: int
    false_no: Counted
    false_yes: Counted
    doubtful: Counted
    unanswered: int = 0

    @computed_field
    @property
    def agreed(self) -> Counted:
        """Of the concepts that readers call plain or absent, those that the judge calls the same.

        The interval takes those of a picture for one and the same.
        """
        n = self.false_no.n + self.false_yes.n
        return alike_rate(n - self.false_no.count - self.false_yes.count, n, min(n, self.pictures))


@dataclass(frozen=True)
class DoubtfulAnswers:
    """Of the answers about concepts with this label that have a probability, those between 0.25 and 0.75."""

    label: Label
    answers: Counted


@dataclass(frozen=True)
class WrongPicture:
    """A picture of which the judge and the labels say the contrary about a concept.

    Attributes:
        file: relative to the check's folder.
        number: on the sheets and in the table of labels.
        model: with its adapter, if any.
        yes: its answers to the questions about the concept, by grade; ``p_yes`` their probabilities, if any.
    """

    file: str
    number: int
    model: str
    prompt: str
    concept: str
    label: Label
    yes: tuple[bool, ...]
    p_yes: tuple[float | None, ...]


@dataclass(frozen=True)
class Criterion:
    """One thing that is wanted of a judge.

    Attributes:
        found: a rate; None where nothing was counted.
        most: the largest share that is accepted; ``least`` the smallest. One of them is None.
    """

    name: Annotated[str, Field(alias="criterion")]
    found: Counted
    most: float | None = None
    least: float | None = None

    @computed_field
    @property
    def holds(self) -> bool | None:
        """Whether the share is as wanted; None where nothing was counted."""
        share = self.found.share
        if share is None:
            return None
        return share <= self.most if self.most is not None else share >= (self.least or 0.0)


@dataclass(frozen=True)
class GeneratedFindings:
    """One judge on pictures that models drew.

    Attributes:
        total: all concepts of the world on all pictures.
        named: only the concepts that each picture's prompt names; ``others`` the other ones.
        scenes: by how the model knows the prompt's entities; ``named_scenes`` only what each prompt names.
        makers: by what drew the picture.
        concepts: by concept.
        answers: how many answers are doubtful, by label.
        wrong: the worst first; never printed.
        criteria: what is wanted of a judge, on these pictures and on the controls.
    """

    UNPRINTED: ClassVar[dict] = {"wrong": True}

    total: Mistakes
    named: Mistakes
    others: Mistakes
    scenes: tuple[Mistakes, ...]
    named_scenes: tuple[Mistakes, ...]
    makers: tuple[Mistakes, ...]
    concepts: tuple[Mistakes, ...]
    answers: Annotated[tuple[DoubtfulAnswers, ...], Field(alias="doubtful_answers")]
    criteria: tuple[Criterion, ...]
    wrong: tuple[WrongPicture, ...] = ()

    @property
    def missed(self) -> tuple[Criterion, ...]:
        """What is wanted and not reached."""
        return tuple(criterion for criterion in self.criteria if criterion.holds is False)
