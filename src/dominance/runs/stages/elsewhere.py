"""What workers do for the stages: draw batches, and ask the judge about batches of images."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image

from dominance.errors import DominanceError, ItemError
from dominance.files import is_folder, write_whole
from dominance.judges.options import Asking
from dominance.judges.protocol import Judge, JudgeStoppedError
from dominance.judges.registry import load_judge
from dominance.pictures import open_image, png_bytes
from dominance.records import Answer, Question
from dominance.runs.engines.crew import Crew
from dominance.runs.engines.holder import sent_back
from dominance.runs.engines.supply import Supply
from dominance.runs.engines.work import Ended
from dominance.runs.stages.drawing import DrawingTask, DrawsPlanned, Made, draw_batch, in_halves
from dominance.runs.store.leftovers import apart


class Drawer(Protocol):
    """Loads what draws; sent to workers, so that it pickles."""

    def __call__(self) -> DrawsPlanned: ...


@dataclass(frozen=True)
class DrawingWork:
    """Draws batches of planned images."""

    drawer: Drawer

    def __call__(self) -> Callable[[DrawingTask], Made]:
        model, room = self.drawer(), _room()

        def draw(task: DrawingTask) -> Made:
            made = draw_batch(model, task.images, task.settings)
            if made.too_many is not None:
                return made
            drawn = zip(task.images, made.images, strict=True)
            images = [
                _handed_over(planned.file, image, task.into) if isinstance(image, Image.Image) else image
                for planned, image in drawn
            ]
            return Made(images, made.records, roomy=room())

        return draw


def _handed_over(name: str, image: Image.Image, into: Path | None) -> bytes | None:
    """The image as the content of its file; None once it is written."""
    content = png_bytes(image)
    if into is None:
        return content
    file = into / name
    write_whole(apart(file), content).replace(file)
    return None


def _room() -> Callable[[], bool]:
    """Whether twice as many images would fit; nothing ever does where no GPU is in use."""
    if "torch" not in sys.modules:
        return lambda: False
    import torch

    from dominance.models.memory import GpuRoom

    return GpuRoom(torch.device("cuda" if torch.cuda.is_initialized() else "cpu"))


@dataclass(frozen=True)
class NamedJudgeLoader:
    """A judge by its name, loaded where it is asked.

    Attributes:
        folder: that the name says, if it says any.
    """

    name: str
    device: str
    mode: str
    options: Mapping[str, object] = field(default_factory=dict)
    folder: Path | None = None

    @classmethod
    def of(cls, name: str, device: str, asking: Asking) -> "NamedJudgeLoader":
        """What loads the judge on a worker, which has one device of its kind."""
        _, _, place = name.partition(":")
        folder = Path(place).absolute() if place and is_folder(Path(place)) else None
        return cls(name, device.partition(":")[0], asking.judge_mode, asking.options, folder)

    def __call__(self) -> Judge:
        name = self.name if self.folder is None else f"{self.name.partition(':')[0]}:{self.folder}"
        return load_judge(name, self.device, self.mode, self.options)


@dataclass(frozen=True)
class GivenJudge:
    """A judge that was made in Python."""

    judge: Judge

    def __call__(self) -> Judge:
        return self.judge


Shown = tuple[str, bytes | None, tuple[Question, ...]]
"""An image's path, its content where workers cannot open that, and its questions."""


@dataclass(frozen=True)
class Judged:
    """What came of a batch.

    Attributes:
        outcomes: of each image; None for one about which the judge was not asked.
        stopped: why it answers no more; None while it does.
    """

    outcomes: Sequence[tuple[Answer, ...] | ItemError | None]
    stopped: Exception | None = None


@dataclass(frozen=True)
class JudgingWork:
    """Answers questions about batches of images."""

    judge: Callable[[], Judge]

    def __call__(self) -> Callable[[Sequence[Shown]], Judged]:
        judge = self.judge()

        def answer(shown: Sequence[Shown]) -> Judged:
            opened = [_opened(Path(path), content) for path, content, _ in shown]
            seen = {index: image for index, image in enumerate(opened) if isinstance(image, Image.Image)}
            found: dict[int, tuple[Answer, ...] | ItemError] = {
                index: image for index, image in enumerate(opened) if isinstance(image, ItemError)
            }

            def ask(part: Sequence[int]) -> list[tuple[Answer, ...]]:
                try:
                    given = judge.answer([seen[index] for index in part], [shown[index][2] for index in part])
                except JudgeStoppedError as stopped:
                    if len(stopped.answers) == len(part):
                        found.update(zip(part, stopped.answers, strict=True))
                    raise
                if len(given) == len(part):  # what one half answered survives the end of the other
                    found.update(zip(part, given, strict=True))
                return given

            try:
                found.update(zip(seen, in_halves(ask, list(seen)) if seen else [], strict=True))
            except DominanceError as error:
                return Judged([found.get(index) for index in range(len(shown))], sent_back(error))
            return Judged([found[index] for index in range(len(shown))])

        return answer


def _opened(path: Path, content: bytes | None) -> Image.Image | ItemError:
    if content is None:
        return open_image(path)
    with tempfile.TemporaryDirectory() as folder:
        sent = Path(folder) / path.name
        sent.write_bytes(content)
        image = open_image(sent)
    return ItemError(str(image).replace(str(sent), str(path))) if isinstance(image, ItemError) else image


def shown_to(path: Path, questions: tuple[Question, ...], *, by_path: bool) -> Shown:
    """An image as workers are given it; one that cannot be read here is left for them to say so."""
    content = None
    if not by_path:
        try:
            content = path.read_bytes()
        except OSError:
            content = None
    return str(path), content, questions


@dataclass(frozen=True)
class WorkersJudge:
    """A judge that a worker asks, for the few questions that are not about images of a run.

    Attributes:
        known_as: the judge that the crew was lent.
    """

    name: str
    identity: str
    crew: Crew
    known_as: Judge

    def check(self, questions: Sequence[Question]) -> None:
        """As the judge itself."""
        self.known_as.check(questions)

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """As the judge itself.

        Raises:
            ItemError: a picture that it cannot answer about.
        """
        shown = [("picture.png", png_bytes(i), tuple(asked)) for i, asked in zip(images, questions, strict=True)]
        supply, answers = Supply([shown], lambda: 1), list[tuple[Answer, ...]]()
        for _, given in self.crew.carry_out(self.crew.lent(self.known_as), supply, lambda batch: batch[0]):
            if isinstance(given, Ended):
                raise ItemError(f"every worker that looked at them {given.how}")
            if given.stopped is not None:
                raise given.stopped
            for outcome in given.outcomes:
                if isinstance(outcome, ItemError):
                    raise outcome
                answers.append(outcome)
        return answers
