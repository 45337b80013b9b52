"""The result of a mitigation, as its page shows it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field

from dominance.documents import Counted
from dominance.measures import MeasuredChange, PictureScores
from dominance.records import Identity, ImageVerdict, Interval, JudgeWarning
from dominance.runs.stages.method_names import PLAIN


@dataclass(frozen=True)
class Cost:
    """What images cost, over the plain images of the same prompts and seeds in the same run.

    Attributes:
        time: drawing time, on a CPU that of the processor; None where no image of the pairs was timed.
        evaluations: samples that the denoiser was run on; None where they could not be counted.
        seconds: mean drawing time of one image.
        images: pairs that were timed, which are those that this folder's own command drew.
        apart: of these, pairs whose images were timed in different runs of the command or on different devices.
    """

    time: float | None
    evaluations: float | None
    seconds: float | None
    images: int
    apart: int = 0


@dataclass(frozen=True)
class LeftPlain:
    """Prompts that a method leaves plain for one reason.

    Attributes:
        images: of these prompts, over all seeds.
    """

    why: str
    prompts: int
    images: int


@dataclass(frozen=True)
class MethodResult:
    """One method against plain drawing, on pairs of images from the same prompt and seed.

    Attributes:
        method: as it was given; of the policy ``policy``, of the control ``another seed``.
        settings: of the method.
        pairs: with a score on both sides; all that follows is about these.
        unscored: pairs without.
        change: mean of the paired differences in DvD, after less before; its interval is clustered by prompt.
        kept: of the plain images that collapse, those whose dominating concept is still present.
        restored: of the same, those in which all that was lost is present.
        neither: of the same, those that show neither the dominating concept nor all that was lost.
        repaired: of the plain images that lose a concept, those that are balanced now.
        harmed: of the plain images that are balanced, those that no longer are.
        distance: mean cosine distance to the plain image, 0 to 2, by the result's embedder; None without one. Its
            interval is clustered by prompt.
        measures: presence, similarity and quality, before and after.
        left_plain: what the method does nothing to. Such an image is the plain one, and its pair is equal; where
            methods draw only what fails, it is none of the pairs.
    """

    method: str
    settings: dict[str, object]
    pairs: int
    unscored: int
    dvd_before: float | None
    dvd_after: float | None
    change: float | None
    change_interval: Interval | None
    collapsed_before: Counted
    collapsed_after: Counted
    balanced_before: Counted
    balanced_after: Counted
    kept: Counted
    restored: Counted
    neither: Counted
    repaired: Counted
    harmed: Counted
    distance: float | None
    distance_interval: Interval | None
    cost: Cost
    measures: tuple[MeasuredChange, ...] = ()
    left_plain: tuple[LeftPlain, ...] = ()


@dataclass(frozen=True)
class Shot:
    """One image of an arm.

    Attributes:
        present: the concepts of the prompt that it shows.
        verdict: None when unscored.
        seconds, evaluations: what it took; None where that is not known.
        scores: by models that answer no questions; None where none was asked for.
    """

    file: str | None
    verdict: ImageVerdict | None
    dvd: float | None
    present: tuple[str, ...]
    problem: str | None = None
    seconds: float | None = None
    evaluations: float | None = None
    scores: PictureScores | None = None


@dataclass(frozen=True)
class MitigatedImage:
    """The images of one prompt and seed.

    Attributes:
        shots: by arm: ``plain``, and each method that drew it.
        delivered: the arm whose image the policy hands over.
        left_plain: the methods that leave the prompt plain, and have no image of their own.
    """

    name: str
    shots: dict[str, Shot]
    delivered: str
    left_plain: tuple[str, ...] = ()

    @property
    def plain(self) -> Shot:
        return self.shots[PLAIN]


@dataclass(frozen=True)
class MitigatedPrompt:
    """One prompt; ``dvd`` holds its mean DvD by arm and by ``policy``, None where nothing is scored."""

    id: str
    text: Annotated[str, Field(alias="prompt")]
    group: str | None
    concepts: tuple[str, ...]
    dvd: dict[str, float | None]
    images: tuple[MitigatedImage, ...]


@dataclass(frozen=True)
class Against:
    """The other methods, and what the policy hands over, against one method, on pairs from the same prompt and seed.

    Attributes:
        baseline: the method that stands in the place of plain drawing: changes are from its images, harmed are those of
            its balanced ones that no longer are, and costs are over its own.
    """

    baseline: str
    methods: tuple[MethodResult, ...]
    policy: MethodResult

    @property
    def rows(self) -> tuple[MethodResult, ...]:
        """Methods and policy, as tables show them."""
        return (*self.methods, self.policy)


@dataclass(frozen=True)
class SecondOpinion:
    """The same images by a judge that took no part in the policy's selecting.

    Attributes:
        methods, policy, control: as in the result; the policy hands over what the first judge selected.
        agreed: of all images and concepts of their prompts that both scored, those that both say are there, or are not.
        kappa: Cohen's κ of these, −1 to 1; its interval is clustered by prompt.
        unscored: images without a score by this judge.
        against: the same against one method; None where methods are compared with plain drawing alone.
    """

    judge: str
    methods: tuple[MethodResult, ...]
    policy: MethodResult
    control: MethodResult | None
    agreed: Counted
    kappa: float | None
    kappa_interval: Interval | None
    unscored: int
    judge_warnings: tuple[JudgeWarning, ...] = ()
    against: Against | None = None

    @property
    def rows(self) -> tuple[MethodResult, ...]:
        """Methods, policy and control, as tables show them."""
        return (*self.methods, self.policy, *([] if self.control is None else [self.control]))


@dataclass(frozen=True)
class MitigationResult:
    """The same prompts and seeds, plain and repaired.

    Attributes:
        only_failing: whether methods drew only what lost a concept; then each method's pairs are the images that it was
            given, and only the policy is about all.
        methods: in the order given.
        policy: plain images where they are balanced, else the first method's that is; where none is, the one that
            shows most. The judge that selects also scores.
        control: each image against the plain one of the prompt's next seed: what drawing again does without a method;
            None where no prompt has two seeds.
        embedder: what distances are between; None where none are measured.
        second: what a judge says that did not select; None where none was asked.
        identities: what plain images, each method's (not where they drew only what fails) and the policy's show of what
            the model was taught; empty where that is not known.
        against: the other methods against one of them; None where they are compared with plain drawing alone.
    """

    UNPRINTED: ClassVar[set[str]] = {"manifest"}

    run: str
    suite: str
    model: str
    judge: str
    settings: dict[str, object]
    only_failing: bool
    methods: tuple[MethodResult, ...]
    policy: MethodResult
    control: MethodResult | None
    prompts: tuple[MitigatedPrompt, ...]
    embedder: str | None = None
    notes: tuple[str, ...] = ()
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    second: SecondOpinion | None = None
    identities: dict[str, Identity] = field(default_factory=dict)
    against: Against | None = None

    @property
    def shots(self) -> Iterator[Shot]:
        """Every image, plain and repaired."""
        return (shot for prompt in self.prompts for image in prompt.images for shot in image.shots.values())

    @property
    def images(self) -> int:
        return sum(shot.file is not None for shot in self.shots)

    @property
    def unscored(self) -> int:
        """Images without a score."""
        return sum(shot.verdict is None for shot in self.shots)

    @property
    def rows(self) -> tuple[MethodResult, ...]:
        """Methods, policy and control, as tables show them."""
        return (*self.methods, self.policy, *([] if self.control is None else [self.control]))

    def steered(self, row: MethodResult) -> int:
        """Images that a method drew itself, scored or not."""
        images = row.pairs + row.unscored
        return images if self.only_failing else images - sum(left.images for left in row.left_plain)

    @property
    def best(self) -> MethodResult:
        """What lowers DvD most over all images: the policy where only that is about all, else a method."""
        if self.only_failing:
            return self.policy
        return min(self.methods, key=lambda row: 0.0 if row.change is None else row.change)
