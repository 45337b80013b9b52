"""The frozen records that flow between the stages. ``None`` always means "not measured", never 0."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from dominance.baseline import Baseline
from dominance.beside import Beside
from dominance.measures import MeasuredMean, PictureScores
from dominance.mentions import mention
from dominance.run_settings import RunSettings
from dominance.verdicts import COLLAPSE, DOUBTFUL, ImageVerdict, Interval, PromptVerdict, is_present

Kind = Literal["artist", "landmark", "character", "object"]
KINDS: tuple[Kind, ...] = ("artist", "landmark", "character", "object")


@dataclass(frozen=True)
class Concept:
    """One thing a prompt names.

    >>> Concept("neuschwanstein castle", "landmark").name
    'neuschwanstein castle'
    """

    name: str
    kind: Kind = "object"


@dataclass(frozen=True)
class Prompt:
    """One prompt of a suite.

    Attributes:
        id: unique in its suite; names the prompt's folder of images.
        text: what the model is given, without brackets.
        concepts: what must survive, in the order of the text.
        group: what the prompt is compared with, for instance ``dominance`` or ``balanced``.
        negative_prompt: what its images should not show; None for the run's.
        seeds: of its images; None for those of the run.
    """

    id: str
    text: str
    concepts: tuple[Concept, ...]
    group: str | None = None
    negative_prompt: str | None = None
    seeds: tuple[int, ...] | None = None

    @property
    def names_its_concepts(self) -> bool:
        """Whether the text mentions each of the concepts; rows of the official prompt files do not always."""
        return all(mention(self.text, concept.name) is not None for concept in self.concepts)

    @property
    def group_name(self) -> str:
        """The group, or the kinds of the concepts where none is named."""
        return self.group or "–".join(sorted(concept.kind for concept in self.concepts))


@dataclass(frozen=True)
class Gate:
    """What a suite must hold to pass; a limit that is None is not checked.

    Attributes:
        max_collapse: highest share of a prompt's scored images that may collapse, 0 to 1.
        min_presence: lowest share of a prompt's scored images that must show each of its concepts, 0 to 1.
        max_unscored: highest share of the run's images that may stay without a score, 0 to 1.
    """

    max_collapse: float | None = None
    min_presence: float | None = None
    max_unscored: float = 0.0


@dataclass(frozen=True)
class Suite:
    """Prompts to audit together, and optionally the gate that they must pass."""

    name: str
    prompts: tuple[Prompt, ...]
    description: str = ""
    gate: Gate | None = None


@dataclass(frozen=True)
class Question:
    """A yes/no question about one concept.

    Attributes:
        concept: name of the concept asked about.
        text: the question, the concept's name filled in.
        grade: number of the question among the concept's, from 1, the most lenient.
    """

    concept: str
    text: str
    grade: int


@dataclass(frozen=True)
class Answer:
    """A judge's answer to one question about one image.

    Attributes:
        yes: the counted answer; None when the judge could not answer.
        p_yes: the judge's probability of yes, 0 to 1; None when it gives none.
        problem: one line that says why there is no answer.
    """

    question: Question
    yes: bool | None
    p_yes: float | None = None
    problem: str | None = None

    @property
    def doubtful(self) -> bool:
        """Whether the judge could as well have said the opposite; never without a probability."""
        return self.p_yes is not None and DOUBTFUL[0] < self.p_yes < DOUBTFUL[1]


@dataclass(frozen=True)
class Rate:
    """A count out of n with its 95% Wilson interval."""

    count: int
    n: int
    interval: Interval | None

    @property
    def share(self) -> float | None:
        return self.count / self.n if self.n else None


@dataclass(frozen=True)
class ScoredImage:
    """One image and all that was found out about it.

    Attributes:
        prompt_id: of the prompt that it was made for.
        name: identifies it among the prompt's images: its seed, or its file's name.
        file: path relative to the run folder, or absolute for an image made elsewhere; None when it was not made.
        seed: of its noise; None for an image made elsewhere.
        answers: the judge's answers, in the order of the concepts and, within each, of the grades.
        yes: for each concept, how many of its questions were answered yes; None when one is unscored.
        dvd: the larger of the DvD scores over ordered pairs of concepts, 0 to 100; None with one concept or unscored.
        soft_dvd: the same from sums of P(yes).
        dominating, dominated: the direction of ``dvd``; None when the score is 0, None, or the same both ways.
        pairs: the DvD score of every ordered pair (dominating, dominated).
        verdict: None when unscored.
        problem: one line that says why it is unscored.
        doubtful: the concepts that doubtful answers decide: present with one way to settle them, absent with another.
        could_be: the other verdicts that it has with some way to settle its doubtful answers.
        soft_presence: mean P(yes) over its concepts, 0 to 1; None when unscored.
        scores: by models that answer no questions; None where none was asked for.
    """

    prompt_id: str
    name: str
    file: str | None
    seed: int | None = None
    answers: tuple[Answer, ...] = ()
    yes: dict[str, int | None] = field(default_factory=dict)
    dvd: float | None = None
    soft_dvd: float | None = None
    dominating: str | None = None
    dominated: str | None = None
    pairs: dict[tuple[str, str], float] = field(default_factory=dict)
    verdict: ImageVerdict | None = None
    problem: str | None = None
    doubtful: tuple[str, ...] = ()
    could_be: tuple[ImageVerdict, ...] = ()
    soft_presence: float | None = None
    scores: PictureScores | None = None

    @property
    def hangs(self) -> bool:
        """Whether its verdict hangs on doubtful answers."""
        return bool(self.could_be)

    @property
    def collapses(self) -> tuple[tuple[str, str], ...]:
        """Every direction (dominating, dominated) in which a collapsed image collapses.

        What is present is not dominated: of 5, 3 and 0 yes only the third collapses, though 5 against 3 give DvD 40.
        """
        if self.verdict != "collapsed":
            return ()
        return tuple(pair for pair, dvd in self.pairs.items() if dvd >= COLLAPSE and not self.shows(pair[1]))

    def shows(self, concept: str) -> bool:
        """Whether the concept is present; an image without its answers shows nothing."""
        questions = sum(1 for answer in self.answers if answer.question.concept == concept)
        return is_present(self.yes.get(concept) or 0, questions)


def hanging(images: Iterable[ScoredImage]) -> dict[ImageVerdict, int] | None:
    """By verdict, how many images hang on doubtful answers; None where no scored image has an answer with P(yes)."""
    scored = [image for image in images if image.verdict is not None]
    if not any(answer.p_yes is not None for image in scored for answer in image.answers):
        return None
    return {name: sum(image.hangs and image.verdict == name for image in scored) for name in get_args(ImageVerdict)}


@dataclass(frozen=True)
class PromptResult:
    """One prompt's images, taken together.

    Attributes:
        dvd_mean: mean DvD of its scored images, 0 to 100; ``dvd_interval`` is its bootstrap interval.
        presence: for each concept, in how many of the scored images the majority of its questions was yes.
        dominating: what dominates in the most frequent direction of collapse; None when none collapse.
        verdict: None when nothing is scored.
    """

    prompt: Prompt
    images: tuple[ScoredImage, ...]
    dvd_mean: float | None
    dvd_interval: Interval | None
    balanced: int
    collapsed: int
    lost: int
    mixed: int
    presence: dict[str, Rate]
    dominating: str | None
    verdict: PromptVerdict | None

    @property
    def scored(self) -> int:
        return self.balanced + self.collapsed + self.lost + self.mixed

    @property
    def hanging(self) -> dict[ImageVerdict, int] | None:
        return hanging(self.images)


@dataclass(frozen=True)
class LeftOut:
    """Images, or a folder of them, that a command was given and does not use.

    Attributes:
        file: relative to what the user gave.
        reason: what it is, or why it cannot be used.
        images: how many images it stands for.
        missing: whether the result lacks them; false for what is no image of a prompt, such as a contact sheet.
    """

    file: str
    reason: str
    images: int = 1
    missing: bool = False


@dataclass(frozen=True)
class GroupResult:
    """The prompts of one group, taken together; the interval is clustered by prompt."""

    name: str
    prompts: int
    scored: int
    dvd_mean: float | None
    dvd_interval: Interval | None
    collapsed: Rate
    balanced: Rate


@dataclass(frozen=True)
class GateResult:
    """Whether the gate holds, and why in one line.

    Attributes:
        failures: all that each failing prompt failed, by its id: the id, a colon, and its reasons between semicolons.
        lets_pass: what the gate's limits do not see, in one line; None where nothing slips through.
        run_failures: what fails the whole run, whatever its prompts show.
        known: what breaks a limit and did so in the baseline, by prompt, in the same form; it does not fail.
    """

    passed: bool
    reason: str
    failures: dict[str, str] = field(default_factory=dict)
    lets_pass: str | None = None
    run_failures: tuple[str, ...] = ()
    known: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JudgeWarning:
    """A reason to mistrust every answer of a judge.

    Attributes:
        kind: ``another world``: the judge was not made for such pictures; ``always yes``, ``always no``: one answer to
            everything.
        says: what was found, as the end of a sentence that may follow another: no capital, no full stop.
        unfit: whether a gate fails for it; false where nothing but the answers themselves is known.
    """

    kind: Literal["another world", "always yes", "always no"]
    says: str
    unfit: bool = True

    @property
    def told(self) -> str:
        """What was found, and what to do about it."""
        looks = "give a judge that looks at any picture: --judge, see `dominance list judges`"
        find_out = "find out more with `dominance judge check`, or give another --judge"
        return f"{self.says}; {looks if self.kind == 'another world' else find_out}"


@dataclass(frozen=True)
class Identity:
    """What a run shows of a concept that the model was taught; a rate is None where no image can say.

    Attributes:
        taught: the concept, as the prompts name it.
        composition: of the images of prompts that name it and something else, those that show all of their concepts.
        dvd_towards: mean over these images of the DvD score towards it, 0 to 100; its interval is clustered by prompt.
        presence: of the images of prompts that name it, those that show it.
        alone: the same of prompts that name nothing else.
        others: of the images of prompts that do not name it, those that show all of their concepts.
        leakage: of the images of prompts that do not name it, those that show it all the same.
        leaked: files of the images that do.
        references: number of its reference pictures that were compared; 0 for none.
        similarity: median over images that should show it of the median cosine to the references, -1 to 1.
        ceiling: the same of the references against one another: lower quartile, median, upper quartile.
        copying: of the same images, those nearer to a reference than references are to one another.
        copied: files of the images that are, each with the reference that it is nearest to.
        embedder: what the cosines are between.
    """

    taught: str
    composition: Rate | None
    dvd_towards: float | None
    dvd_interval: Interval | None
    presence: Rate | None
    alone: Rate | None
    others: Rate | None
    leakage: Rate | None
    leaked: tuple[str, ...] = ()
    references: int = 0
    similarity: float | None = None
    similarity_interval: Interval | None = None
    ceiling: tuple[float, float, float] | None = None
    copying: Rate | None = None
    copied: tuple[tuple[str, str], ...] = ()
    embedder: str | None = None


@dataclass(frozen=True)
class RunResult:
    """A whole run, as its report shows it.

    Attributes:
        identity: what it shows of a concept that the model was taught; None where none is named.
        left_out: of images that were made elsewhere, those that the run was given and does not use.
        unread: what the model does not know of a prompt's text, by the prompt's id.
        beside: what another run makes of the same prompts; None where none was given.
        baseline: what changed since an earlier run of the same prompts; None where none was given.
        measures: presence, and with ``--similarity`` what else was measured.
    """

    run: str
    suite: str
    model: str
    judge: str
    settings: RunSettings
    prompts: tuple[PromptResult, ...]
    groups: tuple[GroupResult, ...]
    gate: GateResult | None
    manifest: dict[str, object]
    judge_warnings: tuple[JudgeWarning, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unread: dict[str, str] = field(default_factory=dict)
    identity: Identity | None = None
    beside: Beside | None = None
    baseline: Baseline | None = None
    measures: tuple[MeasuredMean, ...] = ()

    @property
    def images(self) -> int:
        return sum(1 for prompt in self.prompts for image in prompt.images if image.file is not None)

    @property
    def scored(self) -> int:
        return sum(prompt.scored for prompt in self.prompts)

    @property
    def hanging(self) -> dict[ImageVerdict, int] | None:
        return hanging(image for prompt in self.prompts for image in prompt.images)

    @property
    def unscored(self) -> int:
        """Planned images without a score: not made, not readable, or with an unanswered question."""
        return sum(len(prompt.images) for prompt in self.prompts) - self.scored
