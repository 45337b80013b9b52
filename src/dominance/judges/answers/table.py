"""Files of answers as rows: CSV with a first line of column names, or JSON lines with the same keys."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError, ModelError
from dominance.files import as_text, numbered_lines, plain, read_bytes, read_table
from dominance.wording import complaint, described

COLUMNS: tuple[str, ...] = (
    "prompt_id",
    "image",
    "concept",
    "question",
    "grade",
    "present",
    "answer",
    "p_yes",
    "labeller",
)
MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class Row:
    """One line of the file; a field is None where it is empty or missing."""

    line: int
    fields: dict[str, object]


def read_rows(path: Path) -> tuple[list[Row], bytes]:
    """The rows of a ``.csv``, ``.tsv`` or ``.jsonl`` file, unknown columns left out, and the file's content.

    Raises:
        ModelError: no such file, another ending, not UTF-8, not CSV or JSON; the message names file and line.
    """
    readers: dict[str, Callable[[str, Path], Iterator[Row]]] = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".jsonl": _json_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ModelError(
            f"answers are read from *.csv, *.tsv or *.jsonl, but {str(path)[:120]!r} is none of them; convert it"
        )
    try:
        content = read_bytes(path, MOST_BYTES)
        rows = list(reader(as_text(content, path), path))
    except InputError as error:
        raise ModelError(f"the answers in {error}") from None
    if not rows:
        raise ModelError(f"{path}: no answers; write one per line, see `dominance list judges`")
    return rows, content


def _csv_rows(text: str, path: Path) -> Iterator[Row]:
    for line, cells in read_table(text, path, COLUMNS).rows:
        yield Row(line, _fields({name: plain(cell) for name, cell in cells.items()}))


def _json_rows(text: str, path: Path) -> Iterator[Row]:
    for line, written in numbered_lines(text):
        try:
            value = json.loads(written)
        except (ValueError, RecursionError) as error:
            told = complaint(error, 120)
            raise InputError(f"{path}: line {line}: not valid JSON ({told}); write one object per line") from None
        if not isinstance(value, dict):
            raise InputError(
                f"{path}: line {line}: found {described(value)}; write one object per line, its keys as in a CSV header"
            )
        yield Row(line, _fields(value))


def _fields(cells: Mapping[str, object]) -> dict[str, object]:
    """What is known by its column, blanks as None."""
    kept = {name: cells.get(name) for name in COLUMNS if name in cells}
    return {name: (value.strip() or None) if isinstance(value, str) else value for name, value in kept.items()}
