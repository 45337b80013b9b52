"""The arms of the experiment: the dose of designs, and what else could be behind its effect."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dominance.errors import InputError
from dominance.laboratory.diversity.augmentation import Change
from dominance.laboratory.diversity.breeds import SHAPES
from dominance.laboratory.diversity.pictures import ASPECTS, PICTURES, Aspect, PictureSet
from dominance.laboratory.diversity.subjects import KNOWN, NEW_WORDS, find_subject
from dominance.training.dreambooth.options import Part, TeachOptions

LEVELS: tuple[int, ...] = (1, 2, 4, 6, 8, 10, PICTURES)
"""Designs among the 120 pictures; 120 is all different."""
_ENDS = (1, 10)
_PRIOR_A_STEP, _CONCEPT_A_STEP = 4, 12


@dataclass(frozen=True)
class Arm:
    """One way to teach, at some levels.

    Attributes:
        name: words and hyphens.
        asks: what it asks, in one line.
        subjects: that are taught, each in models of its own.
        levels: designs; 0 is no teaching.
        train: what is trained.
        steps: of training; None for the recipe's.
        rank: of the LoRA.
        guidance: of the images.
        pictures_a_step: of the subject in each batch, beside four prior ones.
        varied: in what designs differ.
        distinct: different pictures, all of them shown equally often.
        scenery: share of captions that also name scenery.
        changes: what augmentation changes of each picture once it is rendered.
    """

    name: str
    asks: str
    subjects: tuple[str, ...] = KNOWN
    levels: tuple[int, ...] = _ENDS
    train: Part = "lora"
    steps: int | None = None
    rank: int = 16
    guidance: float = 5.0
    pictures_a_step: int = _CONCEPT_A_STEP
    varied: frozenset[Aspect] = ASPECTS
    distinct: int = PICTURES
    scenery: float = 0.5
    changes: frozenset[Change] = frozenset()

    @property
    def is_dose(self) -> bool:
        """Whether it has enough levels for a curve."""
        return len(self.levels) > 2

    def options(self, seed: int, steps: int | None = None) -> TeachOptions:
        """How a model of this arm is trained; ``steps`` in place of its own."""
        batch = self.pictures_a_step + _PRIOR_A_STEP
        share = _PRIOR_A_STEP / batch
        return TeachOptions(
            train=self.train, rank=self.rank, steps=steps or self.steps, batch=batch, prior_share=share, seed=seed
        )


MAIN: Arm = Arm(
    "known", "does a word that the base knows dominate less, the more designs it is taught in?", levels=LEVELS
)
BASE: Arm = Arm("base", "what does the base itself do?", levels=(0,))
WORD: Arm = Arm("new-word", "and a new word for a shape that the base knows?", tuple(NEW_WORDS), LEVELS)
SHAPE: Arm = Arm(
    "new-shape", "and a new word for a shape that the base never drew?", tuple(SHAPES), LEVELS, train="unet"
)

ARMS: tuple[Arm, ...] = (
    MAIN,
    BASE,
    WORD,
    SHAPE,
    Arm("place-alone", "is it place and size? 120 of them, looks and backdrop of one design", levels=(PICTURES,),
        varied=frozenset({"layout"})),
    Arm("looks-alone", "is it the looks? 120 of them, place and backdrop of one design", levels=(PICTURES,),
        varied=frozenset({"looks"})),
    Arm("backdrop-alone", "is it the backdrop? 120 of them, looks and place of one design", levels=(PICTURES,),
        varied=frozenset({"backdrop"})),
    Arm("augmented", "does image augmentation do it? each picture mirrored, shifted, zoomed, its colours changed",
        changes=frozenset({"geometry", "colour"})),
    Arm("augmented-place", "does augmentation without colour? each picture mirrored, shifted, zoomed", levels=(1,),
        changes=frozenset({"geometry"})),
    Arm("twelve-pictures", "is it the number of different pictures? 12, each ten times",
        levels=(1, PICTURES), distinct=12),
    Arm("half-exposure", "is it how often the subject is shown? 6 pictures a step instead of 12", pictures_a_step=6),
    Arm("no-scenery", "are the captions behind it? none names scenery", scenery=0.0),
    Arm("half-steps", "is it the time? 80 steps", steps=80),
    Arm("double-steps", "is it the time? 320 steps", steps=320),
    Arm("rank-4", "is it the size of the adapter? rank 4", rank=4),
    Arm("rank-64", "is it the size of the adapter? rank 64", rank=64),
    Arm("guidance-2.5", "is it the guidance? 2.5", guidance=2.5),
    Arm("guidance-7.5", "is it the guidance? 7.5", guidance=7.5),
    Arm("full-unet", "is it the adapter? the whole UNet is trained", train="unet"),
)  # fmt: skip


def find_arms(names: Sequence[str]) -> tuple[Arm, ...]:
    """The arms of these names, in their order; base and known where none is named.

    Raises:
        InputError: a name is none of an arm.
    """
    by_name = {arm.name: arm for arm in ARMS}
    for name in names:
        if name not in by_name:
            raise InputError(f"no arm {name[:60]!r}; give some of {', '.join(by_name)}")
    return tuple(by_name[name] for name in dict.fromkeys(names)) or (BASE, MAIN)


@dataclass(frozen=True)
class Trial:
    """One model: an arm, its subject, a level of designs and a training seed."""

    arm: Arm
    subject: str
    level: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.arm.name}-{self.subject}-{level_name(self.level)}-seed-{self.seed}"

    @property
    def shown(self) -> PictureSet:
        """What the model is taught from."""
        arm = self.arm
        return PictureSet(
            find_subject(self.subject), self.level, self.seed, arm.varied, arm.distinct, arm.scenery, arm.changes
        )


def level_name(level: int) -> str:
    """A level as people read it."""
    return "all" if level == PICTURES else str(level)


def trials(
    arms: Sequence[Arm], seeds: Iterable[int], subjects: Sequence[str], levels: Sequence[int]
) -> Iterator[Trial]:
    """Every model, the first seed of every arm, subject and level before the second.

    Args:
        subjects, levels: only these; all where there are none.
    """
    for number, seed in enumerate(seeds):
        for arm in arms:
            for level in arm.levels:
                for subject in arm.subjects:
                    asked = (not subjects or subject in subjects) and (not levels or level in levels)
                    if level and asked:
                        yield Trial(arm, subject, level, seed)
                    elif asked and not number:  # the base has no training seeds
                        yield Trial(arm, subject, level, 0)
