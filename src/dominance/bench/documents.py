"""Reading the files that users write: text in UTF-8, and YAML."""

import codecs
import shlex
import stat
import warnings
from pathlib import Path

from dominance.errors import InputError
from dominance.wording import on_one_line, quoted

MAX_BYTES = 20_000_000


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without its byte order mark, its line ends as they are.

    Raises:
        InputError: no such file, not a file, not readable, over 20 MB, binary, or in another encoding.
    """
    data, name = _read_bytes(path), on_one_line(path)
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
            f"convert it, from Latin-1 for instance with: {_conversion(path, 'latin1')}"
        ) from None


def _read_bytes(path: Path) -> bytes:
    name = on_one_line(path)
    try:
        mode = path.stat().st_mode
        data = _first_bytes(path) if stat.S_ISREG(mode) else b""
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file; check the path") from None
    except PermissionError:
        raise InputError(f"{name}: permission denied; make the file readable, for instance with chmod u+r") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name}: cannot be read ({reason}); check the path") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{name}: is a folder; give a file")
    if not stat.S_ISREG(mode):
        raise InputError(f"{name}: is a pipe or a device; save its content in a file and give that")
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: is larger than {MAX_BYTES // 1_000_000} MB; split it into smaller files")
    return data


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _conversion(path: Path, encoding: str) -> str:
    """The command that writes a UTF-8 copy beside the file, with the same ending."""
    copy = path.with_name(f"{path.stem}.utf8{path.suffix}")
    return on_one_line(
        f"iconv -f {encoding} -t utf-8 {shlex.quote(str(path))} > {shlex.quote(str(copy))}", longest=20_000
    )


def read_yaml(path: Path) -> object:
    """The one document of a YAML 1.2 file, as plain Python values; None when it is empty.

    Raises:
        InputError: what ``read_text`` raises, or no valid YAML: the message names line and column.
    """
    # Not at the top: it would take most of this package's import time.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLWarning
    from ruamel.yaml.reader import ReaderError

    text, name = read_text(path), on_one_line(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", YAMLWarning)
            return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = _problem_and_advice(error.problem or error.context or "it cannot be read")
    except ReaderError as error:
        place = text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position)
        problem = f"the control character {quoted(text[error.position : error.position + 1])}; remove it"
    except RecursionError:
        raise InputError(f"{name}: its YAML is nested too deeply; write it flatter") from None
    except Exception as error:  # the parser lets through whatever a malformed number, date or tag makes Python raise
        found = f"a value of its YAML cannot be read ({on_one_line(error, 120)})"
        raise InputError(f"{name}: {found}; put it in quotes") from None
    raise InputError(f"{name}: not valid YAML at line {place[0]}, column {place[1]}: {problem}")


def _problem_and_advice(problem: str) -> str:
    """The parser's words, without the values that it repeats for a duplicate key, and what to do."""
    shown, duplicate, _ = problem.partition(" with value")
    advice = "keep one of the two" if duplicate else "correct it there; put a text with [ or { or ': ' in quotes"
    return f"{on_one_line(shown, 120)}; {advice}"
