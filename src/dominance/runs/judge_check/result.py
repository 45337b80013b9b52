"""What a check of a judge found out, as its page and its document show it."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field, computed_field

from dominance.documents import Counted
from dominance.metrics import Bin, Confusion, Discernment
from dominance.records import Interval
from dominance.runs.judge_check.controls import CONTROLS

Trust = Literal["good", "care", "none", "unknown"]
"""What a judge's yes is worth: ``unknown`` where too little was answered, or where it hardly ever says yes."""


@dataclass(frozen=True)
class YesTally:
    """Answers about one kind of image.

    Attributes:
        images: how often an image was asked about a concept.
        yes: of all answers.
        grades: the same by the questions' grade, from 1, the most lenient.
        present: of concepts with every question answered, how many have a majority of yes.
        unanswered: questions without an answer; they are in none of the rates.
    """

    images: int
    yes: Counted
    grades: tuple[Counted, ...]
    present: Counted
    unanswered: int


@dataclass(frozen=True)
class FalseYes:
    """A control image that the judge says yes about.

    Attributes:
        file: relative to the check's folder, or absolute.
        yes: to how many of the ``questions`` about the concept.
        p_yes: mean of the judge's probabilities; None where it gives none.
    """

    file: str
    concept: str
    yes: int
    questions: int
    p_yes: float | None


@dataclass(frozen=True)
class ControlFindings(YesTally):
    """One judge's answers about one kind of control.

    Attributes:
        certain: whether every yes is wrong.
        worst: images with the most false yeses, at most a handful; no printed document has them.
    """

    name: Annotated[str, Field(alias="control")]
    certain: bool
    worst: tuple[FalseYes, ...] = ()

    @property
    def shows(self) -> str:
        """What is to be seen, in words."""
        return next(control.shows for control in CONTROLS if control.name == self.name)


@dataclass(frozen=True)
class ReliabilityBin(Bin):
    """A bin whose rate is written with its share."""

    yes: Counted


@dataclass(frozen=True, kw_only=True)
class JudgeCalibration(Discernment):
    """One judge against what is known to be true.

    Attributes:
        truth: where that is known from.
        level: ``question``, or ``concept`` where a label says only whether a concept is there; then the judge says
            yes by the majority of its questions, and its probability is the mean of theirs.
        labels, images: what was compared, and about how many images.
        unanswered: labels about which the judge gave no answer.
        bins, error, error_interval, chance, brier, area, area_interval, threshold, held_out: None where the judge
            gives no probabilities; the last four also where all labels are the same, intervals also with one image.
        error: expected calibration error; ``chance`` is what a perfectly calibrated judge would show.
        threshold: of P(yes), with the best balanced accuracy, which on other images would be ``held_out``.
    """

    sensitivity: Counted
    specificity: Counted
    truth: str
    level: Literal["question", "concept"]
    labels: int
    images: int
    unanswered: int
    bins: tuple[ReliabilityBin, ...] | None = None
    error: float | None = None
    error_interval: Interval | None = None
    chance: Interval | None = None
    brier: float | None = None
    area: float | None = None
    area_interval: Interval | None = None
    threshold: float | None = None
    held_out: float | None = None

    @computed_field
    @property
    def balanced_accuracy(self) -> float | None:
        return super().balanced_accuracy


def shown_title(name: str, mode: str | None) -> str:
    """A judge's name, and its mode where that is not the ordinary one."""
    return name if mode in (None, "fast") else f"{name} ({mode})"


@dataclass(frozen=True)
class JudgeFindings:
    """All about one judge.

    Attributes:
        mode: as it was loaded; None for a judge that was brought loaded.
        own: its answers about images as they are and what their prompts name: what the controls are compared with.
        unanswered: questions that it left without an answer; ``problem`` is one of its reasons.
        verdict: one sentence; ``details`` are what must be known to read it.
    """

    name: Annotated[str, Field(alias="judge")]
    mode: str | None
    identity: str
    own: YesTally
    controls: tuple[ControlFindings, ...]
    calibrations: Annotated[tuple[JudgeCalibration, ...], Field(alias="calibration")]
    unanswered: int
    problem: str | None
    trust: Trust
    verdict: str
    details: tuple[str, ...]

    @property
    def title(self) -> str:
        """Its name, and its mode where that is not the ordinary one."""
        return shown_title(self.name, self.mode)


@dataclass(frozen=True)
class AgreementRow(Confusion):
    """Two judges on some of the questions; κ and its interval are None where it has no value."""

    name: str
    images: int
    interval: Annotated[Interval | None, Field(alias="kappa_interval")]

    @computed_field
    @property
    def questions(self) -> int:
        return self.n

    @computed_field
    @property
    def agreement(self) -> float | None:
        """Share of the questions to which both give the same answer."""
        return self.agreed / self.n if self.n else None

    @computed_field
    @property
    def kappa(self) -> float | None:
        return super().kappa


@dataclass(frozen=True)
class Difference:
    """A question to which two judges give different answers, with their probabilities where they give any."""

    question: str
    first: bool
    second: bool
    p_first: float | None
    p_second: float | None


@dataclass(frozen=True)
class Disagreement:
    """An image on which two judges differ, of so many ``questions`` that both answered."""

    file: str
    prompt: str
    name: str
    questions: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Agreement:
    """Two judges on the same questions: about images as they are, about the controls, and about both together."""

    total: AgreementRow
    kinds: tuple[AgreementRow, ...]
    grades: tuple[AgreementRow, ...]
    controls: AgreementRow
    together: AgreementRow
    disagreements: tuple[Disagreement, ...]
    sentence: str


@dataclass(frozen=True)
class JudgeCheck:
    """A judge checked, or two beside each other.

    Attributes:
        images: as they are, made elsewhere or drawn for the check.
        notes: what the reader must know, such as a kind of control that could not be made.
    """

    UNPRINTED: ClassVar[dict] = {"manifest": True, "judges": {"__all__": {"controls": {"__all__": {"worst"}}}}}

    run: str
    suite: str
    images: int
    judges: tuple[JudgeFindings, ...]
    agreement: Agreement | None
    notes: tuple[str, ...]
    settings: dict[str, object]
    manifest: dict[str, object] = field(default_factory=dict)

    @computed_field
    @property
    def verdict(self) -> str:
        """Of the first judge."""
        return self.judges[0].verdict

    @property
    def unanswered(self) -> int:
        """Questions that one of the judges left without an answer."""
        return sum(judge.unanswered for judge in self.judges)
