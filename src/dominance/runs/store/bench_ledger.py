"""A ledger that caches what it reads: a bench reads it again after every few images."""

from collections.abc import Iterable, Sequence

from dominance.records import Answer
from dominance.runs.store.ledger import ImageRow, Ledger

_Answers = dict[str, dict[str, tuple[bool, float | None]]]


class RememberingLedger(Ledger):
    """Caches images, answers and failures, including its own writes; no other process writes meanwhile."""

    _images: dict[str, ImageRow] | None = None
    _answers: tuple[str, _Answers] | None = None
    _failures: dict[str, str] | None = None

    def images(self) -> dict[str, ImageRow]:
        if self._images is None:
            self._images = super().images()
        return self._images

    def add_image(self, row: ImageRow) -> None:
        super().add_image(row)
        self.images()[row.item] = row
        self._failures = None

    def forget_images(self, items: Iterable[str]) -> None:
        super().forget_images(items)
        self._images = self._answers = self._failures = None

    def answers(self, judge: str) -> _Answers:
        if self._answers is None or self._answers[0] != judge:
            self._answers = (judge, super().answers(judge))
        return self._answers[1]

    def add_answers(self, judge: str, answered: Sequence[tuple[str, Sequence[Answer]]]) -> None:
        super().add_answers(judge, answered)
        known = self.answers(judge)
        for item, answers in answered:
            given = {a.question.text: (a.yes, a.p_yes) for a in answers if a.yes is not None}
            known.setdefault(item, {}).update(given)
        self._failures = None

    def add_failure(self, item: str, stage: str, message: str) -> None:
        super().add_failure(item, stage, message)
        self._failures = None

    def failures(self) -> dict[str, str]:
        if self._failures is None:
            self._failures = super().failures()
        return self._failures
