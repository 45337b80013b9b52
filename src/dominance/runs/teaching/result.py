"""What a fine-tuning came to: its checkpoints, what was measured at each, and which still composes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dominance.records import Identity, JudgeWarning, LeftOut, Rate


@dataclass(frozen=True)
class Watched:
    """What an audit found at one checkpoint.

    Attributes:
        run: the audit's run folder, relative to that of the training.
        identity: what it shows of the taught concept.
    """

    run: str
    scored: int
    unscored: int
    identity: Identity

    @property
    def composition(self) -> float | None:
        """Share of the images of prompts that name the concept and another which show all; None without any."""
        found = self.identity.composition
        return None if found is None else found.share


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

    @property
    def composition(self) -> float | None:
        """As ``Watched.composition``; None without an audit, too."""
        return None if self.watched is None else self.watched.composition

    @property
    def alone(self) -> Rate | None:
        """How often the concept appears where it is named alone; where no prompt does so, wherever it is named."""
        found = None if self.watched is None else self.watched.identity
        return None if found is None else found.alone or found.presence

    def learned(self, floor: float) -> bool:
        """Whether the concept is there, so that it could compose: named alone, it appears in the floor's share."""
        return self.alone is None or self.alone.share is None or self.alone.share >= floor


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
    """A whole fine-tuning.

    Attributes:
        taught: the concept as the suite names it; the token without a suite.
        train: ``lora`` or ``unet``.
        images: pictures that are learned from; ``prior`` those of other things.
        floor: the smallest share of images that must show both concepts.
        composes: the last step that composes at the floor or above it; 0 where the model does so before training alone;
            None where none does, or it was not measured.
        falls: the first step after it that was audited, which is under the floor; None where there is none.
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

    @property
    def measured(self) -> tuple[Checkpoint, ...]:
        """The checkpoints whose composition is known."""
        return tuple(checkpoint for checkpoint in self.checkpoints if checkpoint.composition is not None)

    @property
    def audited(self) -> bool:
        """Whether anything was."""
        return any(checkpoint.watched is not None for checkpoint in self.checkpoints)

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
    """The last step that composes, and the first audited one after it, which does not.

    What lies before does not count: a concept that is not learned yet cannot compose. The base counts where no trained
    step composes.
    """
    measured = [(one.step, share) for one in checkpoints if (share := one.composition) is not None]
    composes = max((step for step, share in measured if share >= floor), default=None)
    if composes is None:
        return None, None
    return composes, next((step for step, _ in measured if step > composes), None)
