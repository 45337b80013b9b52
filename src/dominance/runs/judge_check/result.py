"""What a judge check found, as its page and document show it."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field, computed_field

from dominance.documents import Counted
from dominance.metrics import Bin, Confusion, Discernment
from dominance.records import Interval, JudgeWarning, LeftOut
from dominance.runs.judge_check.controls import CONTROLS
from dominance.runs.judge_check.generated_result import GeneratedFindings
from dominance.runs.judge_check.readers import ReaderAgreement

Trust = Literal["good", "care", "none", "unknown"]
"""How far a judge's "yes" can be trusted; ``unknown`` if it answered too little or rarely says yes."""


@dataclass(frozen=True)
class YesTally:
    """Answers about one kind of image.

    Attributes:
        images: pairs of an image and a concept asked about.
        yes: share of all answers.
        grades: the same by the questions' grade, from 1, the most lenient.
        present: of fully answered concepts, those with a majority of yes.
        unanswered: questions without an answer, excluded from all rates.
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
        yes: number of yes among the ``questions`` about the concept.
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
        worst: a few images with the most false yeses; never printed.
    """

    name: Annotated[str, Field(alias="control")]
    certain: bool
    worst: tuple[FalseYes, ...] = ()

    @property
    def shows(self) -> str:
        """What the images show, in words."""
        return next(control.shows for control in CONTROLS if control.name == self.name)


@dataclass(frozen=True)
class ReliabilityBin(Bin):
    """A bin that writes its rate with its share."""

    yes: Counted


@dataclass(frozen=True, kw_only=True)
class JudgeCalibration(Discernment):
    """One judge against the known truth.

    Attributes:
        truth: where the truth comes from.
        level: ``question``, or ``concept`` if a label only says whether a concept is present; then the judge's answer
            is the majority of its answers to the questions, and its probability is their mean.
        labels, images: number of labels compared, and of the images they are about.
        unanswered: labels without an answer of the judge.
        bins, error, error_interval, chance, brier, area, area_interval, threshold, held_out: None if the judge gives
            no probabilities; the last four also if all labels are the same, intervals also with a single image.
        error: expected calibration error; ``chance`` is what a perfectly calibrated judge would show.
        threshold: P(yes) with the best balanced accuracy; ``held_out`` estimates that accuracy on other images.
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
    """A judge's name, with its mode unless that is the default."""
    return name if mode in (None, "fast") else f"{name} ({mode})"


@dataclass(frozen=True)
class JudgeFindings:
    """Everything found about one judge.

    Attributes:
        mode: as loaded; None for a judge object given by the caller.
        own: its answers about unaltered images and their own concepts, the baseline for the controls.
        generated: how it does against the labels of pictures that models drew; None on other images.
        unanswered: questions it did not answer; ``problem`` is one of the reasons.
        verdict: one sentence; ``details`` qualify it.
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
    generated: GeneratedFindings | None = None

    @property
    def title(self) -> str:
        return shown_title(self.name, self.mode)


@dataclass(frozen=True)
class AgreementRow(Confusion):
    """Two judges on some of the questions; κ and its interval are None if undefined."""

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
        """Share of the questions that both answer alike."""
        return self.agreed / self.n if self.n else None

    @computed_field
    @property
    def kappa(self) -> float | None:
        return super().kappa


@dataclass(frozen=True)
class Difference:
    """A question that two judges answer differently, with their probabilities if any."""

    question: str
    first: bool
    second: bool
    p_first: float | None
    p_second: float | None


@dataclass(frozen=True)
class Disagreement:
    """An image on which two judges differ; both answered ``questions`` questions about it."""

    file: str
    prompt: str
    name: str
    questions: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Agreement:
    """Two judges on the same questions: about unaltered images, controls, and both together."""

    total: AgreementRow
    kinds: tuple[AgreementRow, ...]
    grades: tuple[AgreementRow, ...]
    controls: AgreementRow
    together: AgreementRow
    disagreements: tuple[Disagreement, ...]
    sentence: str


@dataclass(frozen=True)
class JudgeCheck:
    """One judge checked, or two side by side.

    Attributes:
        images: unaltered ones: given, or the labelled pictures.
        notes: caveats, such as a kind of control that could not be made.
        left_out: images of plain folders that are not used.
        readers: how far the readers agree who labelled the pictures that models drew; None on other images.
    """

    UNPRINTED: ClassVar[dict] = {
        "manifest": True,
        "judges": {"__all__": {"controls": {"__all__": {"worst"}}, "generated": GeneratedFindings.UNPRINTED}},
    }

    run: str
    suite: str
    images: int
    judges: tuple[JudgeFindings, ...]
    agreement: Agreement | None
    notes: tuple[str, ...]
    settings: dict[str, object]
    left_out: tuple[LeftOut, ...] = ()
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    readers: ReaderAgreement | None = None

    @computed_field
    @property
    def verdict(self) -> str:
        """The first judge's."""
        return self.judges[0].verdict

    @property
    def unanswered(self) -> int:
        """Questions that a judge did not answer."""
        return sum(judge.unanswered for judge in self.judges)

    @property
    def complete(self) -> bool:
        """Whether every question has an answer, and no image was without a prompt."""
        return not self.unanswered and not any(entry.missing for entry in self.left_out)
