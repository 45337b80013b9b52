"""What a file of prompts holds, whatever its form: rows with keys, or texts. The content decides, then the ending."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from dominance.errors import InputError, SuiteError
from dominance.files import as_text, numbered_lines, read_bytes, read_table
from dominance.suites.documents import read_yaml
from dominance.suites.entries import PROMPT_KEYS, check_count, check_id, slug
from dominance.wording import complaint, described, on_one_line, quoted

SUITE_ENDINGS = (".yaml", ".yml", ".csv", ".tsv", ".jsonl", ".json", ".txt", ".parquet")
TEXT_KEYS = ("prompt", "prompts", "caption", "captions", "text")
"""Where a row's text may stand; the first that it has counts."""
LIST_KEYS = ("prompts", "annotations", "data", "captions", "items")
"""Where a document may keep its rows."""
_TABLE_HEADS = re.compile(rf'(?:^|[,;\t])\s*"?(?:{"|".join(TEXT_KEYS)})"?\s*(?:[,;\t]|$)', re.IGNORECASE)
_YAML_HEAD = re.compile(r"(?:^|\n)prompts:\s*(?:\n|$|\[)")
_BINARY = {
    b"\x89PNG": "a picture; score pictures with `dominance score IMAGES --suite SUITE`, and give the prompts here",
    b"\xff\xd8\xff": "a picture; score pictures with `dominance score IMAGES --suite SUITE`, and give the prompts here",
    b"GIF8": "a picture; score pictures with `dominance score IMAGES --suite SUITE`, and give the prompts here",
    b"RIFF": "a picture; score pictures with `dominance score IMAGES --suite SUITE`, and give the prompts here",
    b"PK\x03\x04": "a spreadsheet or a zip archive; save the sheet as CSV, or unpack the archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; save it as CSV",
    b"\x1f\x8b": "compressed; unpack it with gunzip",
}  # fmt: skip
_PARQUET = b"PAR1"


@dataclass(frozen=True)
class Rows:
    """What was read.

    Attributes:
        form: of the file, in words.
        listed: each row and where it is in the file: a mapping, or a text.
        columns: of a table, in lower case.
        head: what a document says beside its rows, such as the suite's name.
        strict: whether the file is a suite that a person wrote, in which an unknown key is a mistake.
    """

    form: str
    listed: Sequence[tuple[str, object]]
    columns: tuple[str, ...] = ()
    head: Mapping[str, object] = field(default_factory=dict)
    strict: bool = False


def read_rows(path: Path) -> Rows:
    """The rows of a file.

    Raises:
        InputError: the file cannot be read, or is nothing that holds prompts.
        SuiteError: it holds something else than its form says; the message starts with the place in it.
    """
    data = read_bytes(path)
    if data.startswith(_PARQUET):
        return _parquet(path)
    for start, what in _BINARY.items():
        if data.startswith(start) and not data[:200].isascii():
            raise InputError(f"{on_one_line(path)}: is {what}")
    text, ending = as_text(data, path), path.suffix.lower()
    if ending == ".parquet":
        raise InputError(f"{on_one_line(path)}: is not a Parquet file; name it after what it is, such as .csv or .txt")
    return (_as_json(text, ending) if text.lstrip().startswith(("{", "[")) else None) or _by_ending(text, ending, path)


def _by_ending(text: str, ending: str, path: Path) -> Rows:
    """The rows of a text that is no JSON as a whole: by its ending, and without one that tells, by its first line."""
    if ending == ".json":
        _refuse_json(text)
    if ending == ".jsonl":
        return _json_lines(text)
    first = text.strip().partition("\n")[0].strip()
    table = _TABLE_HEADS.search(first) and re.search("[,;\t]", first)
    if ending in (".yaml", ".yml") or (ending not in (".csv", ".tsv") and not table and _YAML_HEAD.search(text)):
        return _document(read_yaml(path), "YAML")
    if ending in (".csv", ".tsv") or table:
        return _table(text, path)
    lines = numbered_lines(text)
    check_count(len(lines))
    return Rows("text, one a line", [(f"line {number}", line.strip()) for number, line in lines])


def _table(text: str, path: Path) -> Rows:
    table = read_table(text, path, PROMPT_KEYS)
    if not table.columns:
        raise SuiteError("is empty; start with a line that names the columns, such as id,prompt,group,concepts")
    listed = [(f"line {line}", row) for line, row in table.rows]
    check_count(len(listed))
    return Rows("table", listed, table.columns, {"header": f"line {table.line}"})


def _as_json(text: str, ending: str) -> Rows | None:
    """The rows, or None if the text is not JSON and its ending does not say that it is."""
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except SuiteError as error:
        if ending in (".yaml", ".yml"):
            return None
        raise SuiteError(f"line 1: {error}" if "\n" not in text.strip() else str(error)) from None
    except (ValueError, RecursionError):
        first = text.lstrip().partition("\n")[0]
        try:
            lines = isinstance(json.loads(first), dict)
        except (ValueError, RecursionError):
            lines = False
        return _json_lines(text) if lines else None
    if isinstance(document, Mapping) and not any(isinstance(document.get(key), list) for key in LIST_KEYS):
        alone = any(key in document for key in TEXT_KEYS if key not in LIST_KEYS) or ending == ".jsonl"
        if alone:
            return Rows("JSON lines", [("line 1", document)])
    return _document(document, "JSON")


def _document(document: object, form: str) -> Rows:
    """The rows of a YAML or JSON document: a list, a mapping that holds one, or a mapping of ids."""
    if isinstance(document, list):
        check_count(len(document))
        return Rows(f"{form} list", [(f"entry {number}", row) for number, row in enumerate(document, start=1)])
    if not isinstance(document, Mapping):
        raise SuiteError(f"is not a suite: found {described(document)}; write a mapping with the key prompts")
    key = next((key for key in LIST_KEYS if isinstance(document.get(key), list)), "prompts")
    listed = document.get(key)
    if listed is None and form == "JSON" and document and _by_id(document):
        check_count(len(document))
        return Rows(
            "JSON mapping of ids", [(f"entry {quoted(id, 40)}", _with_id(id, row)) for id, row in document.items()]
        )
    if not isinstance(listed, list):
        return Rows(form, [], head={**document, "prompts": listed}, strict=True)
    check_count(len(listed))
    head = {name: value for name, value in document.items() if name != key}
    rows = [(f"{key}[{index}]", row) for index, row in enumerate(listed)]
    return Rows(form, rows, head=head if key == "prompts" else {}, strict=key == "prompts")


def _by_id(document: Mapping[object, object]) -> bool:
    """Whether all values are texts of several words, or mappings with a text."""
    return all(
        (isinstance(row, str) and " " in row.strip())
        or (isinstance(row, Mapping) and any(key in row for key in TEXT_KEYS))
        for row in document.values()
    )


def _with_id(id: object, row: object) -> Mapping[str, object]:
    """The row with its key as its id, or what is left of it where it cannot name a folder."""
    try:
        check_id(str(id), "")
    except SuiteError:
        id = slug(str(id))
    return {"id": id, **(row if isinstance(row, Mapping) else {"prompt": row})}


def _json_lines(text: str) -> Rows:
    lines = numbered_lines(text)
    check_count(len(lines))
    return Rows("JSON lines", [(f"line {number}", _json_line(line, f"line {number}")) for number, line in lines])


def _json_line(line: str, where: str) -> Mapping[str, object]:
    try:
        value = json.loads(line, object_pairs_hook=_without_duplicates)
    except SuiteError as error:
        raise SuiteError(f"{where}: {error}") from None
    except json.JSONDecodeError as error:
        raise SuiteError(
            f"{where}: not valid JSON at column {error.colno} ({error.msg}); write one object per line"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SuiteError(
            f"{where}: this JSON cannot be read ({quoted(str(error))}); write one object per line"
        ) from None
    if not isinstance(value, dict):
        raise SuiteError(
            f'{where}: found {described(value)}; write one object per line, such as {{"prompt": "a [mug]"}}'
        )
    return value


def _refuse_json(text: str) -> NoReturn:
    """Raises the SuiteError that says why a .json file is not JSON."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        found = f"at line {error.lineno}, column {error.colno} ({error.msg})"
    except (ValueError, RecursionError) as error:
        found = f"({complaint(error, 120)})"
    else:
        raise SuiteError(f"is not a suite: found {described(document)}; give a list of prompts")
    raise SuiteError(f"not valid JSON {found}; correct it there, or name the file after what it is, such as .txt")


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise SuiteError(f"the key {quoted(key)} appears twice; keep one of the two")
        found[key] = value
    return found


def _parquet(path: Path) -> Rows:
    name = on_one_line(path)
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InputError(
            f"{name}: reading Parquet needs pyarrow; install it with: pip install 'dominance[parquet]', or save as CSV"
        ) from None
    try:
        file = parquet.ParquetFile(path)
        check_count(file.metadata.num_rows)
        flat = [column for column in file.schema_arrow if not _heavy(column.type)]
        rows: list[dict[str, Any]] = file.read([column.name for column in flat]).to_pylist()
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, SuiteError):
            raise
        raise InputError(f"{name}: this Parquet file cannot be read ({complaint(error)}); save it as CSV") from None
    listed = [(f"row {number}", {str(k).lower(): v for k, v in row.items()}) for number, row in enumerate(rows, 1)]
    return Rows("Parquet", listed, tuple(column.name.lower() for column in flat))


def _heavy(kind: Any) -> bool:
    """Whether a column holds pictures or vectors."""
    from pyarrow import types

    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_struct(kind)
