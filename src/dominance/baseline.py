"""What changed since an earlier run of the same prompts and seeds: in which of its images each concept shows."""

from dataclasses import dataclass

from dominance.verdicts import Interval


@dataclass(frozen=True)
class Change:
    """A count over the same images of two runs.

    Attributes:
        there, here: in how many of the ``n`` images it is so in the baseline, and in this run.
        change: of its share, here less there, -1 to 1.
        interval: of the change, paired by image.
    """

    n: int
    there: int
    here: int
    change: float
    interval: Interval

    @property
    def fell(self) -> bool:
        """Whether it is clearly fewer here."""
        return self.interval[1] < 0

    @property
    def rose(self) -> bool:
        """Whether it is clearly more here."""
        return self.interval[0] > 0


@dataclass(frozen=True)
class PromptChange:
    """One prompt, over the images that have a score in both runs.

    Attributes:
        id: in this run.
        images: how many images are paired.
        alone: scored images of this run that the baseline lacks, or could not score.
        presence: of each concept.
        collapse: of images that collapse.
    """

    id: str
    text: str
    images: int
    alone: int
    presence: dict[str, Change]
    collapse: Change


@dataclass(frozen=True)
class Baseline:
    """A run, "here", against an earlier one, "there"; prompts are paired by text and concepts, images by seed.

    Several prompts of the same text and concepts are paired by their ids; images that were made elsewhere, by names.

    Attributes:
        run: folder of the baseline.
        here, there: what drew the images of this run and of the baseline.
        prompts: those with images to pair.
        unpaired: why a prompt of this run has none, by its id.
        only_there: the prompts that this run lacks, by text, and by id where others have the same text.
        change: mean over the prompts of the mean change of their concepts' presence, -1 to 1; None without prompts.
        interval: of it, over prompts; None of a single one.
    """

    run: str
    here: str
    there: str
    prompts: tuple[PromptChange, ...]
    unpaired: dict[str, str]
    only_there: tuple[str, ...]
    change: float | None
    interval: Interval | None

    def of(self, prompt: str) -> PromptChange | None:
        """What changed of the prompt with this id; None where nothing can be paired."""
        return next((change for change in self.prompts if change.id == prompt), None)

    @property
    def images(self) -> int:
        """How many images are paired."""
        return sum(prompt.images for prompt in self.prompts)
