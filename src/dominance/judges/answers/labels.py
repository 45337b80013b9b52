"""What the rows of a file of answers say: one vote each, on a concept or on a question about an image."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dominance.errors import ModelError
from dominance.judges.answers.table import Row
from dominance.records import Answer, Question
from dominance.wording import described

Subject = Literal["concept", "grade", "question"]
"""What a file's answers are about: a concept's presence, a question by its concept and grade, or by its text."""
_YES = {"yes", "y", "true", "present", "1", "1.0"}
_NO = {"no", "n", "false", "absent", "0", "0.0"}
_UNSURE = {"unsure", "unknown", "?"}
_VALUES = ("present", "answer", "p_yes")


@dataclass(frozen=True)
class Key:
    """What a vote is about.

    Attributes:
        about: the concept or the question's text, case and spaces evened out.
        grade: of the question, where the file names grades.
    """

    prompt_id: str
    image: str
    about: str
    grade: int | None = None


@dataclass(frozen=True)
class Vote:
    """What one labeller says; ``yes`` is None for someone who could not tell.

    Attributes:
        p_yes: a probability where the file gives one, else None.
    """

    line: int
    labeller: str | None
    yes: bool | None
    p_yes: float | None = None


@dataclass(frozen=True)
class Labels:
    """All votes of a file."""

    file: str
    subject: Subject
    votes: dict[Key, tuple[Vote, ...]]


def even(text: str) -> str:
    """The text as it is compared: without case, spaces as one, letters and their accents composed."""
    return composed(" ".join(text.split()).casefold())


def composed(text: str) -> str:
    """The text in the form that most programs write; some file systems and editors take accents apart."""
    return unicodedata.normalize("NFC", text)


def read_labels(file: str, rows: Sequence[Row]) -> Labels:
    """The votes of all rows.

    Raises:
        ModelError: a column or value is missing or cannot be read, or a labeller contradicts themselves; the message
            names the line.
    """
    subject, value = _shape(file, rows[0])
    votes: dict[Key, list[Vote]] = {}
    for row in rows:
        where = f"{file}: line {row.line}"
        key = _key(row, subject, where)
        yes, p_yes = _value(row.fields.get(value), value, where)
        labeller = row.fields.get("labeller")
        vote = Vote(row.line, None if labeller is None else str(labeller), yes, p_yes)
        known = votes.setdefault(key, [])
        earlier = next((other for other in known if other.labeller == vote.labeller), None)
        if earlier is None:
            known.append(vote)
        elif (earlier.yes, earlier.p_yes) != (yes, p_yes):
            who = f" by {vote.labeller!r}" if vote.labeller else ""
            raise ModelError(
                f"{where}: contradicts line {earlier.line} about {key.about[:60]!r} in image {key.image[:60]!r}{who};"
                " keep one of the two, or add a column labeller"
            )
    return Labels(file, subject, {key: tuple(listed) for key, listed in votes.items()})


def _shape(file: str, first: Row) -> tuple[Subject, str]:
    """What the file's answers are about, and the column that they stand in."""
    columns = first.fields
    where = f"{file}: line {first.line}" if file.lower().endswith(".jsonl") else file
    for name in ("prompt_id", "image"):
        if name not in columns:
            raise ModelError(f"{where}: no column {name}; it needs {_needed()}")
    subject: Subject
    if "question" in columns:
        subject = "question"
    elif "concept" in columns:
        subject = "grade" if "grade" in columns else "concept"
    else:
        raise ModelError(f"{where}: no column concept or question; it needs {_needed()}")
    values = [name for name in _VALUES if name in columns]
    if len(values) != 1:
        found = f"the columns {' and '.join(values)}" if values else f"no column {' or '.join(_VALUES)}"
        raise ModelError(f"{where}: {found}; give exactly one; it needs {_needed()}")
    return subject, values[0]


def _needed() -> str:
    return (
        "prompt_id, image, then concept and present (one label per concept), or question (or concept and grade) and"
        " answer or p_yes"
    )


def _key(row: Row, subject: Subject, where: str) -> Key:
    prompt_id, image = _name(row, "prompt_id", where), _name(row, "image", where)
    about = even(_name(row, "question" if subject == "question" else "concept", where))
    if subject != "grade":
        return Key(prompt_id, image, about)
    grade = _name(row, "grade", where)
    if not (grade.isascii() and grade.isdigit() and 1 <= int(grade[:9]) <= 1000):
        raise ModelError(f"{where}: grade is {grade[:40]!r}; give the number of the concept's question, from 1")
    return Key(prompt_id, image, about, int(grade[:9]))


def _name(row: Row, column: str, where: str) -> str:
    value = row.fields.get(column)
    if value is None:
        raise ModelError(f"{where}: {column} is empty; fill it in, or delete the line")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ModelError(f"{where}: {column} is {described(value)}; give a text")
    return composed(str(value))


def _value(value: object, column: str, where: str) -> tuple[bool | None, float | None]:
    """Yes or no, and the probability; both None for someone who could not tell."""
    if value is None or (isinstance(value, str) and value.lower() in _UNSURE):
        return None, None
    if column != "p_yes" and (yes := _as_yes(value)) is not None:
        return yes, None
    try:
        probability = (
            float("nan") if isinstance(value, bool) or not isinstance(value, str | int | float) else float(value)
        )
    except (ValueError, OverflowError):
        probability = float("nan")
    if not 0 <= probability <= 1:
        shown = repr(str(value)[:40]) if isinstance(value, str | int | float) else described(value)
        wanted = "" if column == "p_yes" else "yes or no, or "
        raise ModelError(f"{where}: {column} is {shown}; give {wanted}a probability from 0 to 1, or leave it empty")
    return probability >= 0.5, probability


def _as_yes(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    told = str(value).lower()
    return True if told in _YES else False if told in _NO else None


def decided(question: Question, votes: Sequence[Vote], missing: str) -> Answer:
    """The majority of the votes; a tie, or no vote at all, is unscored and says so.

    ``p_yes`` is the mean of the votes' probabilities where they give any, the share of yes where there are several
    votes, and None for a single yes or no.

    Args:
        missing: what to say when nobody voted.
    """
    given = [vote for vote in votes if vote.yes is not None]
    if not given:
        lines = ", ".join(str(vote.line) for vote in votes[:5])
        return Answer(question, None, None, f"{missing} except 'unsure' (line {lines})" if votes else missing)
    yes = sum(1 for vote in given if vote.yes)
    if 2 * yes == len(given):
        lines = ", ".join(str(vote.line) for vote in given[:6])
        told = f"{yes} of {len(given)} labels say yes about {question.concept!r}: a tie (lines {lines})"
        return Answer(question, None, None, told)
    return Answer(question, 2 * yes > len(given), _probability(given, yes))


def _probability(given: Sequence[Vote], yes: int) -> float | None:
    known = [vote.p_yes for vote in given if vote.p_yes is not None]
    if known:
        return sum(known) / len(known)
    return yes / len(given) if len(given) > 1 else None


def agreement(labels: Labels) -> float | None:
    """Share of pairs of votes on the same thing that agree, 0 to 1; None where nothing was labelled twice."""
    pairs = agreeing = 0
    for votes in labels.votes.values():
        given = [vote.yes for vote in votes if vote.yes is not None]
        yes = sum(given)
        pairs += len(given) * (len(given) - 1) // 2
        agreeing += (yes * (yes - 1) + (len(given) - yes) * (len(given) - yes - 1)) // 2
    return agreeing / pairs if pairs else None
