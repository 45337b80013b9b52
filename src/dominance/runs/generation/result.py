"""The result of generating usable images, as its page shows it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from dominance.documents import Counted
from dominance.measures import MeasuredMean, PictureScores
from dominance.records import ImageVerdict, Interval, JudgeWarning
from dominance.runs.generation.policy import Outcome

if TYPE_CHECKING:
    from PIL import Image

Ended = Literal["done", "budget", "noises", "refused", "no way"]


@dataclass(frozen=True)
class UsableImage:
    """One image in which the judge sees every concept, as the iterator hands it over.

    Attributes:
        prompt: its text.
        way: ``plain``, or the method that drew it.
        file: in the run folder.
        evaluations: network evaluations since the image before, tries that failed included; None where they could not
            be counted.
        looks: images that the judge was asked about since then.
    """

    prompt: str
    seed: int
    way: str
    file: Path
    evaluations: float | None
    looks: int

    @property
    def image(self) -> "Image.Image":
        """The picture itself."""
        from PIL import Image

        with Image.open(self.file) as opened:
            return opened.convert("RGB")


@dataclass(frozen=True)
class Attempt:
    """One image that was begun.

    Attributes:
        item: its key in the ledger.
        outcome: ``given up`` at 40% of the steps; ``failed``: finished, and a concept is missing; ``error``: nothing
            came of it.
        file: of the finished image.
        early_file: of the picture predicted at 40% of the steps.
        early_score: what the judge makes of that, 0 to 1; None where it was not asked, or gave no answer.
        present: the concepts that it shows, as far as it was finished.
        evaluations, seconds: what it took; None where that is not known.
        looks: how often the judge was asked about it: at 40%, at the end.
        finished: of one that was given up and finished for a check: whether it would have been usable.
        scores: of a usable one, by models that answer no questions; None where none was asked for.
    """

    item: str
    seed: int
    way: str
    outcome: Outcome
    file: str | None = None
    early_file: str | None = None
    early_score: float | None = None
    verdict: ImageVerdict | None = None
    present: tuple[str, ...] = ()
    evaluations: float | None = None
    seconds: float | None = None
    looks: int = 0
    problem: str | None = None
    finished: bool | None = None
    scores: PictureScores | None = None


@dataclass(frozen=True)
class Rejection:
    """Plain drawing of one prompt, until as many images are usable or the budget is spent; what is not is thrown away.

    Attributes:
        images: that were drawn.
        evaluations: that they took.
    """

    images: int
    usable: int
    evaluations: float


@dataclass(frozen=True)
class GeneratedPrompt:
    """One prompt, and all that was drawn for it.

    Attributes:
        risk, score, threshold: what preflight says; None without it.
        risk_evaluations: what that took; a forward that stops half way counts as one.
        attempts: in order.
        ended: ``noises``: every given seed was tried by every way; ``refused``: it cannot be drawn; ``no way``: no way
            can serve it.
        rejection: plain drawing beside it, where it was checked.
    """

    id: str
    text: Annotated[str, Field(alias="prompt")]
    group: str | None
    concepts: tuple[str, ...]
    risk: str | None
    score: float | None
    threshold: float | None
    risk_evaluations: float
    attempts: tuple[Attempt, ...]
    ended: Ended
    problem: str | None = None
    rejection: Rejection | None = None

    @property
    def usable(self) -> tuple[Attempt, ...]:
        return tuple(each for each in self.attempts if each.outcome == "usable")

    @property
    def evaluations(self) -> float:
        """Network evaluations of all that was begun, and of preflight."""
        return self.risk_evaluations + sum(each.evaluations or 0.0 for each in self.attempts)

    @property
    def looks(self) -> int:
        """Images that the judge was asked about."""
        return sum(each.looks for each in self.attempts)


@dataclass(frozen=True)
class EarlyLook:
    """The judge's look at 40% of the steps: its threshold, and what its calibration says of it on other prompts."""

    at: float
    threshold: float | None
    caught: Counted
    false_aborts: Counted


@dataclass(frozen=True)
class GenerationResult:
    """Usable images, what they took, and what plain rejection takes.

    Attributes:
        wanted: usable images of each prompt.
        budget: most network evaluations for each prompt.
        plain_evaluations: of one plain image.
        early: None where no image is given up.
        per_usable: network evaluations for a usable image, all that failed and preflight included; None without any.
        expected_plain: the same for plain rejection, by how often plain images of prompts at the same risk are usable
            on the prompts of the early calibration; None without one.
        plain_per_usable: the same, drawn beside for a check; None where it was not, or gave none.
        ratio: ``per_usable`` over ``plain_per_usable``; its interval is clustered by prompt.
        false_aborts: of the images that were given up and finished for a check, those that are usable.
        measures: presence, and with ``--similarity`` what else was measured, over the usable images.
        measures_by_way: the same of those that were drawn plain, and by each method.
    """

    UNPRINTED: ClassVar[set[str]] = {"manifest"}

    run: str
    suite: str
    model: str
    judge: str
    settings: dict[str, object]
    wanted: int
    budget: int
    plain_evaluations: float
    early: EarlyLook | None
    prompts: tuple[GeneratedPrompt, ...]
    per_usable: float | None
    expected_plain: float | None
    plain_per_usable: float | None
    ratio: float | None
    ratio_interval: Interval | None
    false_aborts: Counted | None
    notes: tuple[str, ...] = ()
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    measures: tuple[MeasuredMean, ...] = ()
    measures_by_way: dict[str, tuple[MeasuredMean, ...]] = field(default_factory=dict)

    @property
    def usable(self) -> int:
        """Usable images, of all prompts."""
        return sum(len(prompt.usable) for prompt in self.prompts)

    @property
    def missing(self) -> int:
        """Usable images that are wanted and not there."""
        return sum(max(0, self.wanted - len(prompt.usable)) for prompt in self.prompts)

    @property
    def evaluations(self) -> float:
        return sum(prompt.evaluations for prompt in self.prompts)

    @property
    def looks(self) -> int:
        return sum(prompt.looks for prompt in self.prompts)

    @property
    def given_up(self) -> int:
        return sum(each.outcome == "given up" for prompt in self.prompts for each in prompt.attempts)
