"""When a judge's answers cannot be read, one after another, going on costs time or money and brings nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.records import Answer
from dominance.wording import on_one_line

AT_FIRST: int = 10
"""Unreadable answers in a row at which a run stops, as long as none of this judge could be read in its folder."""
LATER: int = 200
"""The same once some could be read: a judge may refuse all images of a prompt or two."""
SEVERAL: int = 3
"""Images that they must be about: one odd image says nothing about a judge."""


@dataclass
class Unread:
    """The answers that could not be read since the last one that could.

    Attributes:
        read: whether any answer of this judge could be read.
    """

    read: bool
    count: int = 0
    images: int = 0
    reason: str = ""

    def add(self, answers: Sequence[Answer]) -> None:
        """The answers about one more image."""
        silent = False
        for answer in answers:
            if answer.yes is not None:
                self.read, self.count, self.images, silent = True, 0, 0, False
                continue
            self.count += 1
            self.images += not silent
            self.reason, silent = answer.problem or "no answer", True

    @property
    def too_many(self) -> bool:
        return self.images >= SEVERAL and self.count >= (LATER if self.read else AT_FIRST)

    def told(self, judge: str) -> str:
        """Why the run stops, and what to do."""
        return (
            f"the judge {on_one_line(judge, 120)} gave {self.count} answers in a row that cannot be read, about"
            f" {self.images} images; the last: {self.reason}; what was answered is kept: change the judge or its"
            " --judge-option, or run the same command again to go on with the other images"
        )
