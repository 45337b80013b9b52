"""Tables that say which image belongs to which prompt or caption: a CSV, or the metadata beside the images."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dominance.errors import InputError
from dominance.files import is_file, numbered_lines, read_table, read_text
from dominance.images.links import followed, real_path
from dominance.records import LeftOut
from dominance.wording import on_one_line, quoted, suggestion

PATHS = ("path", "file_name", "file", "image", "filename")
TEXTS = ("prompt", "text", "caption")
IDS = ("id", "prompt_id")
STRENGTHS = ("strength", "lora_strength", "lora_weight")
CHECKPOINTS = ("checkpoint", "lora")
SEEDS = ("seed",)
METADATA = ("metadata.jsonl", "metadata.csv")
"""The names that such a table has among the images."""

_Wanted = Mapping[str, tuple[str, ...]]
_PATH_AND_PROMPT: _Wanted = {"path": PATHS, "prompt": (*TEXTS, *IDS)}
_PATH_AND_CONCEPT: _Wanted = {"path": PATHS, "concept": ("concept", *TEXTS, *IDS)}
"""The columns that a list needs, each with the names that will do."""


@dataclass(frozen=True)
class Row:
    """One image, or the whole folder where it names no file.

    Attributes:
        where: file and line, for messages.
        path: of the image, relative to the table's folder; None if the row is about the folder.
        text: the prompt or caption; None if there is none.
        id: of the prompt; None if there is none.
        box: left, top, width and height of the subject in pixels, as COCO has it; None if there is none.
        strength, checkpoint, seed: of the adapter and the noise that drew the image, as written; None if there is none.
        concept, category: of the image, and its heading; None if there is none, a concept "" where its column is empty.
    """

    where: str
    path: Path | None
    text: str | None
    id: str | None
    box: tuple[float, float, float, float] | None = None
    strength: str | None = None
    checkpoint: str | None = None
    seed: str | None = None
    concept: str | None = None
    category: str | None = None


def is_table(path: Path) -> bool:
    """Whether a path is a table of images rather than a folder."""
    return path.suffix.lower() in (".csv", ".tsv", ".jsonl") and is_file(path)


def read_list(file: Path, or_concept: bool = False) -> tuple[Row, ...]:
    """The rows of a table that a user gives for a folder: each names an image, and a prompt or its id.

    Args:
        or_concept: whether a concept will do in place of the prompt.

    Raises:
        InputError: not such a table, or a path that leads out of the table's folder; names the line.
    """
    wanted = _PATH_AND_CONCEPT if or_concept else _PATH_AND_PROMPT
    rows = tuple(_rows(file, wanted))
    for row in rows:
        told = row.text is not None or row.id is not None or (or_concept and row.concept is not None)
        if row.path is None or not told:
            lacking = "path" if row.path is None else "concept or caption" if or_concept else "prompt"
            raise InputError(f"{row.where}: the {lacking} is empty; fill it in")
    return rows


def metadata_of(folder: Path) -> tuple[Row, ...]:
    """The rows of the metadata in a folder; none where there is none.

    ``metadata.jsonl`` or ``metadata.csv`` names a file and its text in each row, as an image folder of ``datasets``
    has it. One row that names no file is about the whole folder, as GenEval has it; several such rows say nothing.

    Raises:
        InputError: it cannot be read, or a path in it leads out of the folder; names the line.
    """
    for name in METADATA:
        if is_file(folder / name):
            rows = tuple(_rows(folder / name))
            if len(rows) == 1 and rows[0].path is None:
                return rows
            return tuple(row for row in rows if row.path is not None)
    return ()


def absent(rows: Mapping[Path, Row], root: Path) -> list[LeftOut]:
    """What is said of rows whose images are not there; their paths are relative to the root."""
    return [
        LeftOut(path.as_posix(), f"is listed in {on_one_line(row.where, 80)} but is not there", missing=True)
        for path, row in rows.items()
        if not (root / path).exists()
    ]


def _rows(file: Path, wanted: _Wanted | None = None) -> Iterator[Row]:
    base = real_path(file.parent)
    for where, record in _records(file, wanted):
        path, text, id = (_first(record, names) for names in (PATHS, TEXTS, IDS))
        if path is not None:
            path = _with_slashes(path, file.parent)
            check_inside(path, file.parent, base, where)
        box = _read_box(record, where)
        drawn = (_first(record, names, (str, int, float)) for names in (STRENGTHS, CHECKPOINTS, SEEDS))
        concept = "" if record.get("concept") == "" else _first(record, ("concept",))
        category = _first(record, ("category",))
        place = None if path is None else Path(os.path.normpath(path))
        yield Row(where, place, text, id, box, *drawn, concept=concept, category=category)


def _read_box(record: Mapping[str, Any], where: str) -> tuple[float, float, float, float] | None:
    """The subject's rectangle: ``bbox``, or the only one of ``objects``, as datasets of found objects have them.

    A CSV has it as JSON in quotes, ``"[8, 8, 40, 48]"``.

    Raises:
        InputError: it is given, but is not four numbers.
    """
    value, objects = record.get("bbox"), record.get("objects")
    if value is None and isinstance(objects, Mapping) and len(listed := objects.get("bbox") or ()) == 1:
        value = listed[0]
    if value is None or value == "":
        return None
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    numbers = [part for part in value if isinstance(part, int | float)] if isinstance(value, list) else []
    if len(numbers) != 4 or len(value) != 4:
        raise InputError(f"{where}: the bbox is {quoted(str(value))}; write [left, top, width, height] in pixels")
    left, top, width, height = map(float, numbers)
    return left, top, width, height


def _with_slashes(path: str, folder: Path) -> str:
    """A path as Windows writes it, with slashes, unless a file has that very name."""
    return path if "\\" not in path or os.path.lexists(folder / path) else path.replace("\\", "/")


def _first(record: Mapping[str, Any], names: tuple[str, ...], kinds: tuple[type, ...] = (str, int)) -> str | None:
    """The first of these fields that is filled in."""
    values = (record.get(name) for name in names)
    filled = (str(value).strip() for value in values if isinstance(value, kinds))
    return next((text for text in filled if text), None)


def check_inside(path: str, folder: Path, base: Path, where: str) -> None:
    """Refuses a path of a table that leads out of the table's folder.

    Args:
        base: the folder, its links followed.

    Raises:
        InputError: it does; the message starts with where.
    """
    try:
        place = Path(os.path.normpath(path))
        inside = not place.is_absolute() and ".." not in place.parts and followed(folder / place, base) is not None
    except (OSError, ValueError):  # not a valid file name
        inside = False
    if not inside:
        raise InputError(
            f"{where}: the path {quoted(path)} leads out of {on_one_line(folder, 80)}; give paths within the table's"
            " own folder"
        )


def _records(file: Path, wanted: _Wanted | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = on_one_line(file, 120)
    if file.suffix.lower() == ".jsonl":
        for line, text in numbered_lines(read_text(file)):
            where = f"{name}: line {line}"
            try:
                record = json.loads(text)
            except (ValueError, RecursionError):
                raise InputError(f"{where}: not valid JSON; write one object per line") from None
            if not isinstance(record, dict):
                raise InputError(f'{where}: not an object; write {{"file_name": "a.png", "text": "a mug"}}')
            yield where, {str(key).lower(): value for key, value in record.items()}
        return
    table = read_table(read_text(file), file, (*PATHS, *TEXTS, *IDS, "concept", "category"))
    if wanted is not None and table.columns:
        _check_columns(table.columns, wanted, name)
    for line, row in table.rows:
        yield f"{name}: line {line}", row


def _check_columns(columns: tuple[str, ...], wanted: _Wanted, name: str) -> None:
    for column, names in wanted.items():
        if not set(names) & set(columns):
            missing = f"the column {column!r} is missing{suggestion(column, columns)}"
            raise InputError(
                f"{name}: {missing} the first line must name the columns {' and '.join(wanted)}, but is"
                f" {quoted(','.join(columns), 100)}"
            )
