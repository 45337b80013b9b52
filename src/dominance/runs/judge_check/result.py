"""What a check of a judge found out, as its page and its document show it."""

from dataclasses import asdict, dataclass
from typing import Literal

from dominance.metrics import Bin, Confusion, Discernment
from dominance.records import Interval, Rate

Trust = Literal["good", "care", "none", "unknown"]
"""What a judge's yes is worth: ``unknown`` where too little was answered, or where it hardly ever says yes."""


@dataclass(frozen=True)
class Tally:
    """Answers about one kind of image.

    Attributes:
        images: how often an image was asked about a concept.
        yes: of all answers.
        grades: the same by the questions' grade, from 1, the most lenient.
        present: of concepts with every question answered, how many have a majority of yes.
        unanswered: questions without an answer; they are in none of the rates.
    """

    images: int
    yes: Rate
    grades: tuple[Rate, ...]
    present: Rate
    unanswered: int

    def document(self) -> dict[str, object]:
        return {
            "images": self.images,
            "yes": rate_document(self.yes),
            "grades": [rate_document(rate) for rate in self.grades],
            "present": rate_document(self.present),
            "unanswered": self.unanswered,
        }


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
class ControlFindings:
    """One judge's answers about one kind of control.

    Attributes:
        certain: whether every yes is wrong.
        worst: images with the most false yeses, at most a handful.
    """

    name: str
    shows: str
    certain: bool
    tally: Tally
    worst: tuple[FalseYes, ...]


@dataclass(frozen=True)
class Calibration:
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

    truth: str
    level: Literal["question", "concept"]
    labels: int
    images: int
    unanswered: int
    discernment: Discernment
    bins: tuple[Bin, ...] | None = None
    error: float | None = None
    error_interval: Interval | None = None
    chance: Interval | None = None
    brier: float | None = None
    area: float | None = None
    area_interval: Interval | None = None
    threshold: float | None = None
    held_out: float | None = None

    def document(self) -> dict[str, object]:
        found = asdict(self)
        del found["discernment"]
        return found | {
            "sensitivity": rate_document(self.discernment.sensitivity),
            "specificity": rate_document(self.discernment.specificity),
            "balanced_accuracy": self.discernment.balanced_accuracy,
            "bins": None if self.bins is None else [
                {"low": one.low, "high": one.high, "mean": one.mean, "yes": rate_document(one.yes)}
                for one in self.bins
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class JudgeFindings:
    """All about one judge.

    Attributes:
        mode: as it was loaded; None for a judge that was brought loaded.
        own: its answers about images as they are and what their prompts name: what the controls are compared with.
        unanswered: questions that it left without an answer; ``problem`` is one of its reasons.
        verdict: one sentence; ``details`` are what must be known to read it.
    """

    name: str
    mode: str | None
    identity: str
    own: Tally
    controls: tuple[ControlFindings, ...]
    calibrations: tuple[Calibration, ...]
    unanswered: int
    problem: str | None
    trust: Trust
    verdict: str
    details: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name, and its mode where that is not the ordinary one."""
        return self.name if self.mode in (None, "fast") else f"{self.name} ({self.mode})"

    def document(self) -> dict[str, object]:
        return {
            "judge": self.name,
            "mode": self.mode,
            "identity": self.identity,
            "trust": self.trust,
            "verdict": self.verdict,
            "details": list(self.details),
            "own": self.own.document(),
            "controls": [
                {"control": one.name, "certain": one.certain, **one.tally.document()} for one in self.controls
            ],
            "calibration": [one.document() for one in self.calibrations],
            "unanswered": self.unanswered,
            "problem": self.problem,
        }


@dataclass(frozen=True)
class AgreementRow:
    """Two judges on some of the questions; κ and its interval are None where it has no value."""

    name: str
    images: int
    confusion: Confusion
    kappa: float | None
    interval: Interval | None

    def document(self) -> dict[str, object]:
        agreed = None if not self.confusion.n else self.confusion.agreed / self.confusion.n
        return {
            "name": self.name,
            "images": self.images,
            "questions": self.confusion.n,
            "agreement": agreed,
            "kappa": self.kappa,
            "kappa_interval": None if self.interval is None else list(self.interval),
            **asdict(self.confusion),
        }


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

    def document(self) -> dict[str, object]:
        return {
            "sentence": self.sentence,
            "total": self.total.document(),
            "kinds": [row.document() for row in self.kinds],
            "grades": [row.document() for row in self.grades],
            "controls": self.controls.document(),
            "together": self.together.document(),
            "disagreements": [asdict(one) for one in self.disagreements],
        }


@dataclass(frozen=True)
class JudgeCheck:
    """A judge checked, or two beside each other.

    Attributes:
        images: as they are, made elsewhere or drawn for the check.
        notes: what the reader must know, such as a kind of control that could not be made.
    """

    run: str
    suite: str
    images: int
    judges: tuple[JudgeFindings, ...]
    agreement: Agreement | None
    notes: tuple[str, ...]
    settings: dict[str, object]
    manifest: dict[str, object]

    @property
    def unanswered(self) -> int:
        """Questions that one of the judges left without an answer."""
        return sum(judge.unanswered for judge in self.judges)

    def document(self) -> dict[str, object]:
        """As ``dominance judge check --json`` prints it."""
        return {
            "run": self.run,
            "suite": self.suite,
            "images": self.images,
            "verdict": self.judges[0].verdict,
            "judges": [judge.document() for judge in self.judges],
            "agreement": None if self.agreement is None else self.agreement.document(),
            "notes": list(self.notes),
            "settings": self.settings,
        }


def rate_document(rate: Rate) -> dict[str, object]:
    """A rate with its share, for JSON."""
    interval = None if rate.interval is None else list(rate.interval)
    return {"count": rate.count, "n": rate.n, "share": rate.share, "interval": interval}
