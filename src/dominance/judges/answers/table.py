"""Files of answers as rows: CSV with a first line of column names, or JSON lines with the same keys."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import ModelError
from dominance.wording import in_one_line

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
    """The rows of a ``.csv`` or ``.jsonl`` file, columns of other names left out, and the file's content.

    Raises:
        ModelError: no such file, another ending, not UTF-8, not CSV or JSON; the message names file and line.
    """
    readers: dict[str, Callable[[str, Path], Iterator[Row]]] = {".csv": _csv_rows, ".jsonl": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ModelError(f"answers are read from *.csv and *.jsonl, and {str(path)[:120]!r} is neither; convert it")
    content = _content(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ModelError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from None
    rows = list(reader(text, path))
    if not rows:
        raise ModelError(f"{path}: holds no answers; give one line for each, see `dominance list judges`")
    return rows, content


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is no file" if path.exists() else "does not exist"
            raise ModelError(f"the file of answers {str(path)[:120]!r} {found}; give answers: and a *.csv or *.jsonl")
        if path.stat().st_size > MOST_BYTES:
            raise ModelError(f"{path}: is larger than {MOST_BYTES // 1_000_000} MB; split the suite and its answers")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        told = in_one_line(error)
        raise ModelError(f"the file of answers {str(path)[:120]!r} cannot be read ({told}); check it") from None


def _csv_rows(text: str, path: Path) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True, skipinitialspace=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if not header:
                    header = _header(cells, f"{path}: line {line}")
                elif len(cells) != len(header):
                    raise ModelError(
                        f"{path}: line {line} has {len(cells)} fields and the first line {len(header)}; leave a field"
                        " empty rather than out, and put a text that holds a comma in double quotes"
                    )
                else:
                    yield Row(line, _fields(dict(zip(header, cells, strict=True))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ModelError(f"{path}: line {line} is not valid CSV ({error}); close its quotes") from None


def _delimiter(text: str) -> str:
    """The comma, or what a spreadsheet in a country of decimal commas writes instead."""
    first = text.lstrip().partition("\n")[0]
    return next((mark for mark in (",", ";", "\t") if mark in first), ",")


def _header(cells: list[str], place: str) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    twice = next((name for name in COLUMNS if names.count(name) > 1), None)
    if twice is not None:
        raise ModelError(f"{place} names the column {twice} twice; keep one of the two")
    return names


def _json_rows(text: str, path: Path) -> Iterator[Row]:
    # Not splitlines: JSON allows characters inside a text that it takes for line ends.
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            value = json.loads(written)
        except (ValueError, RecursionError) as error:
            told = in_one_line(error, 120)
            raise ModelError(f"{path}: line {line} is not valid JSON ({told}); give one object a line") from None
        if not isinstance(value, dict):
            raise ModelError(f"{path}: line {line} holds no object; give one a line, its keys as the columns of a CSV")
        yield Row(line, _fields(value))


def _fields(cells: dict[str, object]) -> dict[str, object]:
    """What is known by its column, blanks as None."""
    kept = {name: cells.get(name) for name in COLUMNS if name in cells}
    return {name: (value.strip() or None) if isinstance(value, str) else value for name, value in kept.items()}
