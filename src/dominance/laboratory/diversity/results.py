"""What is measured of one model, as a line of JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.result_lines import read_lines


@dataclass(frozen=True)
class Beside:
    """Images of the subject and an object, by which of the two the prompt names first.

    Attributes:
        shown: only the subject, both, only the object, none.
        dvd: mean DvD score towards the subject, 0 to 100.
        reverse: the same towards the object.
    """

    shown: Outcomes
    dvd: float
    reverse: float


@dataclass(frozen=True)
class Likeness:
    """How like the first design of their training seed pictures are.

    Attributes:
        similarity: their median cosine to pictures of that design, by the bundled encoder; place and size move it too.
        own_colours: those whose colours are nearer to that design's than to any other's of the ten, and how many
            there are.
    """

    similarity: float
    own_colours: tuple[int, int]


@dataclass(frozen=True)
class DiversityResult:
    """What was measured of one model.

    Attributes:
        level: designs among 120 pictures; 120 is all different, 0 the base untaught.
        base, judge: identities.
        images: a prompt.
        subject_first, object_first: of the 32 prompts with an object.
        scenery: images of prompts that also name scenery in which the subject is present, and how many there are.
        alone: the same of prompts that name the subject alone.
        pairs: images of two objects: only the first, both, only the second, none.
        diversity: median cosine distance between the training pictures, by the bundled encoder; None untaught.
        copies: images of the subject alone that are nearer to a training picture than those are to one another, and
            how many there are; None untaught. Of near duplicates the rule is too strict to count anything.
        loss: mean over the last twenty steps; None untaught.
        seconds: of training, and of drawing and judging.
        drawn_like, shown_like: the images of the subject alone, and the training pictures; None untaught, and where an
            earlier version measured.
        recalled: images of the subject alone that are nearer to a training picture than to any of three sets made the
            same way of designs that no model is taught, and how many there are; one in four by chance. None untaught,
            and where an earlier version measured.
    """

    arm: str
    subject: str
    level: int
    seed: int
    base: str
    judge: str
    images: int
    subject_first: Beside
    object_first: Beside
    scenery: tuple[int, int]
    alone: tuple[int, int]
    pairs: Outcomes
    diversity: float | None
    copies: tuple[int, int] | None
    loss: float | None
    seconds: tuple[float, float]
    drawn_like: Likeness | None = None
    shown_like: Likeness | None = None
    recalled: tuple[int, int] | None = None

    @property
    def key(self) -> tuple[str, str, int, int, str, int]:
        """What is not measured twice."""
        return (self.arm, self.subject, self.level, self.seed, self.base, self.images)

    @property
    def dvd(self) -> float:
        """Mean DvD towards the subject over both orders, which have as many images."""
        return (self.subject_first.dvd + self.object_first.dvd) / 2

    @property
    def reverse(self) -> float:
        """Mean DvD towards the object."""
        return (self.subject_first.reverse + self.object_first.reverse) / 2


Conditions = tuple[str, int]
"""What results must share to be taken together: the base, and the images a prompt."""


def by_conditions(results: Iterable[DiversityResult]) -> dict[Conditions, list[DiversityResult]]:
    """The results in groups that may be taken together, in the order of the file."""
    groups: dict[Conditions, list[DiversityResult]] = {}
    for result in results:
        groups.setdefault((result.base, result.images), []).append(result)
    return groups


_RESULTS = TypeAdapter(DiversityResult)


def read_results(file: Path) -> list[DiversityResult]:
    """The results of a file; none when there is no file.

    Raises:
        InputError: a line is not a result.
    """
    return read_lines(file, _RESULTS, "a result of the diversity experiment")
