"""Another run of the same prompts, as a run records it, and what comes of laying the two beside each other."""

from dataclasses import dataclass

from dominance.verdicts import ImageVerdict, Interval, PromptVerdict


@dataclass(frozen=True)
class OtherImage:
    """One image of the other run.

    Attributes:
        file: absolute, or relative to this run's folder once it was copied there; None when it was not made.
        seed: of its noise; None for an image made elsewhere.
        dvd: 0 to 100; None with one concept or unscored.
        verdict: None when unscored.
        shows: the concepts of its prompt that are present.
        could_be: the other verdicts that it has with some way to settle its doubtful answers.
    """

    name: str
    file: str | None
    seed: int | None
    dvd: float | None
    verdict: ImageVerdict | None
    shows: tuple[str, ...] = ()
    could_be: tuple[ImageVerdict, ...] = ()

    @property
    def hangs(self) -> bool:
        """Whether its verdict hangs on doubtful answers."""
        return bool(self.could_be)


@dataclass(frozen=True)
class OtherPrompt:
    """One prompt of the other run; ``dvd_mean`` is 0 to 100, and ``scored`` counts its images with a verdict.

    Attributes:
        id: in the other run; it pairs what has the text and concepts of another prompt.
    """

    text: str
    concepts: tuple[str, ...]
    images: tuple[OtherImage, ...]
    dvd_mean: float | None
    balanced: int
    scored: int
    verdict: PromptVerdict | None
    id: str = ""

    @property
    def loses(self) -> bool:
        """Whether it loses a concept, or all of them, in most of its images."""
        return loses(self.verdict)


@dataclass(frozen=True)
class OtherRun:
    """The other run as it was when this one was planned.

    Attributes:
        run: its folder.
        here, there: what drew the images of this run and of the other: the model, with what tells the two apart.
    """

    run: str
    here: str
    there: str
    prompts: tuple[OtherPrompt, ...]


@dataclass(frozen=True)
class Contrast:
    """A prompt that loses a concept in this run and keeps every one in the other.

    Attributes:
        id: of the prompt in this run.
        there: the same prompt in the other run.
        same_noises: how many of this run's images have the seed of one of the other's.
    """

    id: str
    there: OtherPrompt
    same_noises: int


@dataclass(frozen=True)
class Beside:
    """A run, "here", and another of the same prompts, "there"; prompts are paired by text and concepts, images by seed.

    Several prompts of the same text and concepts are paired by their ids.

    Attributes:
        run: folder of the other run.
        here, there: what drew the images of this run and of the other.
        prompts: how many prompts both have.
        only_here, only_there: texts of the prompts that one of them lacks.
        measured: how many of the shared prompts have a mean DvD on both sides.
        dvd_here, dvd_there: mean over these of their mean DvD, 0 to 100; None where there are none.
        change: there less here, -100 to 100; its bootstrap interval is paired by prompt, None of a single one.
        lost_here: texts of the prompts that lose a concept here and not there; only prompts scored on both sides.
        lost_there: the other way round.
        contrast: the clearest prompt of those that lose a concept here and are balanced there, by the shares of their
            images that collapse here and are balanced there, without those whose verdict hangs on doubtful answers;
            None where there is none.
    """

    run: str
    here: str
    there: str
    prompts: int
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]
    measured: int
    dvd_here: float | None
    dvd_there: float | None
    change: float | None
    change_interval: Interval | None
    lost_here: tuple[str, ...]
    lost_there: tuple[str, ...]
    contrast: Contrast | None = None


def loses(verdict: PromptVerdict | None) -> bool:
    """Whether a prompt loses a concept, or all of them, in most of its images."""
    return verdict in ("dominance", "lost")
