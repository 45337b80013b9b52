"""Keeps a judge's answers, and why there are none, as they arrive."""

from collections.abc import Sequence

from dominance.errors import ItemError
from dominance.records import Answer, Question
from dominance.runs.stages.unread import Unread
from dominance.runs.store.ledger import Ledger

Item = tuple[str, tuple[Question, ...]]
Given = list[tuple[Answer, ...]]


class Record:
    """Records answers and failures as they arrive.

    Attributes:
        failed: the reason for each item that stays unscored.
        unread: the answers in a row that cannot be read.
    """

    def __init__(self, ledger: Ledger, identity: str) -> None:
        self._ledger, self._identity = ledger, identity
        self.failed: dict[str, str] = {}
        self.unread = Unread(read=ledger.has_answers(identity))

    def fail(self, item: str, reason: str) -> None:
        self._ledger.add_failure(item, "judge", reason)
        self.failed[item] = reason

    def keep(self, asked: Sequence[Item], given: Given) -> list[tuple[Answer, ...] | ItemError]:
        outcomes = [_complete(answers, wanted) for answers, (_, wanted) in zip(given, asked, strict=True)]
        both = [(item, outcome) for (item, _), outcome in zip(asked, outcomes, strict=True)]
        self._ledger.add_answers(
            self._identity, [(item, outcome) for item, outcome in both if not isinstance(outcome, ItemError)]
        )
        for item, outcome in both:
            if not isinstance(outcome, ItemError):
                self.unread.add(outcome)
            if (problem := _problem(outcome)) is not None:
                self.fail(item, problem)
        return outcomes


def _complete(answers: tuple[Answer, ...], wanted: Sequence[Question]) -> tuple[Answer, ...] | ItemError:
    if len(answers) == len(wanted):
        return answers
    return ItemError(f"the judge gave {len(answers)} answers to {len(wanted)} questions")


def _problem(outcome: tuple[Answer, ...] | ItemError) -> str | None:
    """Why an image stays unscored; None if all questions are answered."""
    if isinstance(outcome, ItemError):
        return str(outcome)
    return next((answer.problem or "the judge gave no answer" for answer in outcome if answer.yes is None), None)
