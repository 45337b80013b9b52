"""What a lesson came to: its checkpoints, what was measured at each, and which still composes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dominance.documents import Counted
from dominance.records import Interval, JudgeWarning, LeftOut


@dataclass(frozen=True)
class Watched:
    """What an audit found at one checkpoint; None where the suite has no prompt for it.

    Attributes:
        run: the audit's run folder, relative to the lesson's.
        composition: of the images of prompts that name the taught concept and another, those that show all.
        dvd_towards: mean DvD of the taught concept over the others, 0 to 100, in these images.
        presence: of all images of prompts that name the taught concept, those that show it.
        alone: of the images of prompts that name nothing else, those that show it.
        others: of the images of prompts without it, those that show all their concepts.
        leakage: of the same images, those that show the taught concept all the same.
        similarity: median over the images that name it alone, else over all that name it, of the median cosine to the
            pictures.
        ceiling: median cosine among the pictures themselves.
        copying: of the same images, those nearer to a picture than any two different pictures are to one another.
    """

    run: str
    scored: int
    unscored: int
    composition: Counted
    dvd_towards: float | None
    dvd_interval: Interval | None
    presence: Counted
    alone: Counted
    others: Counted
    leakage: Counted
    similarity: float | None = None
    ceiling: float | None = None
    copying: Counted | None = None


@dataclass(frozen=True)
class Sample:
    """One image of a sample sheet; its file is relative to the run folder."""

    prompt: str
    seed: int
    file: str


@dataclass(frozen=True)
class Checkpoint:
    """The model after so many steps; step 0 is the model as it was.

    Attributes:
        path: relative to the run folder; None for step 0.
        loss: mean over the steps since the checkpoint before; None for step 0.
    """

    step: int
    path: str | None
    loss: float | None
    samples: tuple[Sample, ...]
    watched: Watched | None


@dataclass(frozen=True)
class Pair:
    """The same prompt and seed before and after composition fell; files are relative to the run folder."""

    prompt: str
    seed: int
    before: str
    before_shows: str
    after: str
    after_shows: str


@dataclass(frozen=True)
class TeachingResult:
    """A whole lesson.

    Attributes:
        taught: the concept as the suite names it; the token without a suite.
        train: ``lora`` or ``unet``.
        images: pictures that are learned from; ``prior`` those of other things.
        floor: the smallest share of images that must show both concepts.
        composes: the last step, from 0, before composition first falls below the floor; None without an audit.
        falls: the first step at which it does; None if it does nowhere, or without an audit.
        pairs: images on both sides of the fall; of the first and last step where there is none.
        stopped: why training ended before its last step.
    """

    run: str
    model: str
    token: str
    taught: str
    train: str
    steps: int
    images: int
    prior: int
    captions: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    settings: dict[str, object]
    suite: str | None
    judge: str | None
    floor: float
    checkpoints: tuple[Checkpoint, ...]
    composes: int | None
    falls: int | None
    pairs: tuple[Pair, ...]
    manifest: dict[str, object]
    judge_warnings: tuple[JudgeWarning, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    stopped: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every picture could be used and every audited image has a score."""
        unscored = any(checkpoint.watched and checkpoint.watched.unscored for checkpoint in self.checkpoints)
        return not unscored and not any(entry.missing for entry in self.left_out)

    def at(self, step: int | None) -> Checkpoint | None:
        """The checkpoint of a step."""
        return next((checkpoint for checkpoint in self.checkpoints if checkpoint.step == step), None)


@dataclass(frozen=True)
class Looked:
    """What was seen of one checkpoint, as the ledger keeps it."""

    samples: tuple[Sample, ...]
    watched: Watched | None
    judge_warnings: tuple[JudgeWarning, ...] = field(default=())


def fall(checkpoints: Sequence[Checkpoint], floor: float) -> tuple[int | None, int | None]:
    """The last step that composes, and the first that does not, by the audits in the order of their steps.

    A checkpoint after a fall does not count, even where composition rises again by chance.
    """
    before = None
    for checkpoint in checkpoints:
        composition = checkpoint.watched.composition.share if checkpoint.watched else None
        if composition is None:
            continue
        if composition < floor:
            return before, checkpoint.step
        before = checkpoint.step
    return before, None
