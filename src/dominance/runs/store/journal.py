"""A ledger in memory that notes what it is told, so that the process that keeps the run's can enter the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.files import write_whole
from dominance.records import Answer
from dominance.runs.store.bench_ledger import RememberingLedger
from dominance.runs.store.ledger import ImageRow, Ledger


@dataclass(frozen=True)
class Forgotten:
    """These images were deleted."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Answered:
    """A judge answered about these images."""

    judge: str
    given: tuple[tuple[str, tuple[Answer, ...]], ...]


@dataclass(frozen=True)
class Failed:
    """An image could not be made or judged."""

    item: str
    stage: str
    message: str


Told = ImageRow | Forgotten | Answered | Failed


class Journal(RememberingLedger):
    """Of one piece of work.

    Attributes:
        told: all that was written, in order.
    """

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))
        self.told: list[Told] = []

    def add_image(self, row: ImageRow) -> None:
        super().add_image(row)
        self.told.append(row)

    def forget_images(self, items: Iterable[str]) -> None:
        forgotten = tuple(items)
        super().forget_images(forgotten)
        self.told.append(Forgotten(forgotten))

    def add_answers(self, judge: str, answered: Sequence[tuple[str, Sequence[Answer]]]) -> None:
        super().add_answers(judge, answered)
        self.told.append(Answered(judge, tuple((item, tuple(answers)) for item, answers in answered)))

    def add_failure(self, item: str, stage: str, message: str) -> None:
        super().add_failure(item, stage, message)
        self.told.append(Failed(item, stage, message))


def enter(told: Iterable[Told], files: Mapping[str, bytes], ledger: Ledger, folder: Path) -> None:
    """Enters it all in another ledger, each image after its file.

    Args:
        files: the contents of images, by the names that their rows have.

    Raises:
        RunError: the disk refuses.
    """
    for entry in told:
        match entry:
            case ImageRow():
                write_whole(folder / entry.file, files[entry.file])
                ledger.add_image(entry)
            case Forgotten(items):
                ledger.forget_images(items)
            case Answered(judge, given):
                ledger.add_answers(judge, given)
            case Failed(item, stage, message):
                ledger.add_failure(item, stage, message)
