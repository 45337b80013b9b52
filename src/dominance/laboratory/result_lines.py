"""Results as JSON lines: what a file holds is not measured again, whatever killed the last run."""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from dominance.errors import InputError
from dominance.files import write_failed, write_whole

Result = TypeVar("Result")


def read_lines(file: Path, kind: TypeAdapter[Result], what: str) -> list[Result]:
    """The results of a file, one a line; none when there is no file. A line that a kill tore off is passed over.

    Args:
        what: the kind in words, for messages.

    Raises:
        InputError: a line is not a result.
    """
    if not file.exists():
        return []
    results = []
    whole, _, _torn = file.read_text(encoding="utf-8").rpartition("\n")
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            results.append(kind.validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the line"
            raise InputError(
                f"{file}, line {number} is not {what} ({field}: {first['msg']}); fix it, or give another file"
            ) from None
    return results


def append_line(file: Path, result: Any) -> None:
    """Writes one result, a dataclass, as a line; several processes may share the file.

    What a kill left of a line is cut off first, so that it does not run into this one.

    Raises:
        RunError: the disk refuses.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+b", buffering=0) as lines:
            fcntl.flock(lines, fcntl.LOCK_EX)  # until it is closed
            _cut_torn(lines)
            line = _line(result)
            while line:  # a disk may take a part of it; the next write then says why
                line = line[lines.write(line) :]
            os.fsync(lines.fileno())
    except OSError as error:
        raise write_failed(file, error) from None


def replace_lines(file: Path, results: Sequence[Any]) -> None:
    """Writes these results, dataclasses, in place of what the file holds: all of them or, if the disk refuses, none.

    Raises:
        RunError: the disk refuses.
    """
    write_whole(file, b"".join(_line(result) for result in results))


def _line(result: Any) -> bytes:
    return (json.dumps(asdict(result)) + "\n").encode()


def _cut_torn(lines: BinaryIO) -> None:
    lines.seek(0)
    written = lines.read()
    if written and not written.endswith(b"\n"):
        lines.truncate(written.rfind(b"\n") + 1)
