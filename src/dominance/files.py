"""Files and folders that users name: read as text or CSV, and written whole or not at all."""

import codecs
import contextlib
import csv
import io
import itertools
import os
import re
import shlex
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError, RunError
from dominance.wording import complaint, on_one_line, quoted, suggestion

MAX_BYTES = 20_000_000
_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
"""The one that is most often in the header line separates; the first of them where several are as often there."""
_GIVEN_SEPARATOR = re.compile(r"\s*sep=([,;\t])[ ]*(?=[\r\n])", re.IGNORECASE)
"""What Excel takes as the first line of a CSV file."""
_UNNAMED = re.compile(r"unnamed: \d+(?:[._]\d+)*")
"""What pandas calls a column that has no name."""


def is_folder(path: Path) -> bool:
    """Whether the folder exists; a name too long for any file system does not."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether the file exists; a name too long for any file system does not."""
    try:
        return path.is_file()
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Whether anything is there; at a name that no file system can hold, nothing is."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def unwritable_parent(path: Path) -> Path | None:
    """The nearest existing parent, if nothing can be created in it; None if the path can be created.

    Raises:
        OSError: the path cannot be looked at.
    """
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    return None if parent.is_dir() and os.access(parent, os.W_OK) else parent


def check_writable(path: Path | None) -> None:
    """Refuses, before any work is done, a file that could not be written afterwards.

    Raises:
        InputError: it is a folder, or its folder cannot be written.
    """
    if path is None:
        return
    try:
        usable = not path.is_dir() and unwritable_parent(path) is None
    except OSError:
        usable = False
    if not usable:
        raise InputError(f"cannot write a file at {str(path)[:120]!r}; give a file in a writable folder")


def check_new_or_empty(folder: Path) -> None:
    """Raises a RunError unless the folder is new or empty; creates nothing."""
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise write_failed(folder, error) from None
    if taken:
        raise RunError(f"{on_one_line(folder, 120)} is not an empty folder; give a new or empty --out")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark, line ends unchanged.

    Raises:
        InputError: no such file, not a file, not readable, over 20 MB, binary, or in another encoding.
    """
    return as_text(read_bytes(path), path)


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """The content of a file of at most ``most`` bytes.

    Raises:
        InputError: no such file, not a file, not readable, or larger.
    """
    name = on_one_line(path)
    try:
        mode = path.stat().st_mode
        data = _first_bytes(path, most + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError:
        raise InputError(f"{name}: no such file; check the path") from None
    except PermissionError:
        raise InputError(f"{name}: permission denied; make the file readable, for instance with chmod u+r") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read ({complaint(error)}); check the path") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{name}: is a folder; give a file")
    if not stat.S_ISREG(mode):
        raise InputError(f"{name}: is a pipe or a device; save its content to a file and give that file")
    if len(data) > most:
        raise InputError(f"{name}: is larger than {most // 1_000_000} MB; split it into smaller files")
    return data


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def as_text(data: bytes, path: Path) -> str:
    """The content of a UTF-8 file as text, without its byte order mark.

    Raises:
        InputError: it is binary, or in another encoding.
    """
    name = on_one_line(path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name}: is UTF-16, not UTF-8; convert it with: {_conversion(path, 'utf-16')}")
    if (zero := data.find(b"\0")) >= 0:
        raise InputError(f"{name}: is a binary file (a NUL byte at offset {zero}); give a text file in UTF-8")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}: is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start} (line {line}); "
            f"convert it, for example from Latin-1 with: {_conversion(path, 'latin1')}"
        ) from None


def _conversion(path: Path, encoding: str) -> str:
    """The command that writes a UTF-8 copy next to the file, with the same suffix."""
    copy = path.with_name(f"{path.stem}.utf8{path.suffix}")
    return on_one_line(
        f"iconv -f {encoding} -t utf-8 {shlex.quote(str(path))} > {shlex.quote(str(copy))}", longest=20_000
    )


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """The non-blank lines of a JSONL file, with their numbers."""
    # Not splitlines, which also splits at characters that JSON allows inside a string.
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


@dataclass(frozen=True)
class Table:
    """A CSV file (RFC 4180), or one with another separator.

    Attributes:
        columns: as the header names them, in lower case; empty for an empty file.
        line: number of the header line.
        rows: the number of each row's first line, and its fields by column; read and checked lazily.
    """

    columns: tuple[str, ...]
    line: int
    rows: Iterator[tuple[int, dict[str, str]]]


def read_table(text: str, path: Path, columns: Collection[str], needed: Collection[str] = ()) -> Table:
    """The table in a file's text: its header line says what separates the fields, a comma, a semicolon or a tab.

    Blank rows are skipped, and names and fields are stripped. Columns without a name are left out: the row numbers that
    pandas and R write, and empty ones at the end of a spreadsheet. Other columns that the caller does not know are
    allowed.

    Args:
        columns: that must not appear twice.
        needed: that must be there, unless the file is empty.

    Raises:
        InputError: not valid CSV, one of the columns twice or missing, a row with more or fewer fields than columns, or
            a field in a column without a name; the message names file and line.
    """
    name = on_one_line(path)
    given = _GIVEN_SEPARATOR.match(text)
    first = re.match(r"\s*([^\r\n]*)", text)
    unquoted = re.sub(r'"[^"]*"', "", first[1]) if first else ""
    separator = given[1] if given else max(_SEPARATORS, key=unquoted.count)
    rows = _csv_rows(text, separator, name)
    line, header = next(rows, (1, []))
    if given:
        line, header = next(rows, (2, []))
    header = [_UNNAMED.sub("", column.lower()) for column in header]
    _check_header(header, columns, needed, f"{name}: line {line}")
    return Table(tuple(filter(None, header)), line, _by_column(rows, header, separator, name))


def _check_header(header: list[str], columns: Collection[str], needed: Collection[str], where: str) -> None:
    twice = next((column for column in header if column in columns and header.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"{where}: the column {quoted(twice)} appears twice; keep one of the two")
    missing = next((column for column in needed if column not in header), None)
    if missing is not None and any(header):
        raise InputError(
            f"{where}: the column {quoted(missing)} is missing{suggestion(missing, header)} the first line must name"
            f" {_listed(needed)}, but is {quoted(','.join(filter(None, header)), 100)}"
        )


def _listed(columns: Collection[str]) -> str:
    *others, last = columns
    return f"the columns {', '.join(others)} and {last}" if others else f"the column {last}"


def _csv_rows(text: str, separator: str, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if any(fields):
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        advice = "close the quotes, and double any quotes inside"
        raise InputError(f"{name}: line {line}: not valid CSV ({error}); {advice}") from None


def _by_column(
    rows: Iterator[tuple[int, list[str]]], header: list[str], separator: str, name: str
) -> Iterator[tuple[int, dict[str, str]]]:
    numbers = next((index for index, column in enumerate(header) if column), 0)
    for line, row in rows:
        if len(row) != len(header):
            raise InputError(
                f"{name}: line {line}: {_counted(row, 'field')} for {_counted(header, 'column')}; keep empty"
                f" fields, and put text that contains {_SEPARATORS[separator]} in double quotes"
            )
        fields = list(zip(header, row, strict=True))
        lost = next((field for column, field in fields[numbers:] if field and not column), None)
        if lost is not None:
            raise InputError(
                f"{name}: line {line}: {quoted(lost)} is in a column without a name; name it in the first line"
            )
        yield line, {column: field for column, field in fields if column}


def _counted(listed: list[str], noun: str) -> str:
    return f"{len(listed)} {noun}{'' if len(listed) == 1 else 's'}"


_FORMULA = re.compile(r"'*[=+@\t\r-]")
"""How a text begins that a spreadsheet takes for a formula, with the marks that were set before it."""


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet runs: a ' before what it would take for a formula; see ``plain``.

    >>> harmless("=1+1"), harmless("'=1+1"), harmless("a mug"), plain(harmless("'=1+1"))
    ("'=1+1", "''=1+1", 'a mug', "'=1+1")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def plain(cell: str) -> str:
    """What ``harmless`` made the cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def harmless_table(content: str) -> bytes:
    r"""CSV with every cell in quotes, and a ' before what a spreadsheet would take for a formula and is no number.

    >>> print(harmless_table("prompt,change\n=1+1,-0.5").decode())
    "prompt","change"
    "'=1+1","-0.5"
    <BLANKLINE>
    """
    rows = csv.reader(io.StringIO(content, newline=""))
    text = io.StringIO(newline="")
    cells = ([cell if _is_number(cell) or cell.startswith("'") else harmless(cell) for cell in row] for row in rows)
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(cells)
    return text.getvalue().encode(errors="replace")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def csv_bytes(rows: Iterable[Sequence[object]], line_end: str = "\n") -> bytes:
    """The rows as CSV in UTF-8, quoted where needed; what UTF-8 cannot write becomes a question mark."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode(errors="replace")


def write_failed(path: Path, error: OSError) -> RunError:
    """The error for a file or disk that cannot be written."""
    return RunError(
        f"cannot write {path} ({complaint(error)}); finished work is kept: free some space or fix the"
        " permissions, then run the same command again to resume"
    )


def write_whole(path: Path, *chunks: bytes, then: Iterable[bytes] = ()) -> Path:
    """Writes the chunks, then those still to be made; a kill or a full disk leaves the whole file or none.

    Raises:
        RunError: the disk refuses; what was at ``path`` before is still there.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for chunk in itertools.chain(chunks, then):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise write_failed(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path
