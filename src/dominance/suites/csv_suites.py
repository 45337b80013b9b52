"""Suites as CSV (RFC 4180): the project's own columns, or those of the official DominanceBench prompt file."""

from collections.abc import Callable, Mapping
from pathlib import Path

from dominance.errors import SuiteError
from dominance.files import Table, read_table, read_text
from dominance.records import KINDS, Prompt, Suite
from dominance.suites.brackets import clean_text, concept_of, prompt_of
from dominance.suites.entries import PROMPT_KEYS, Entry, assemble, check_count, entry_of, suite_name
from dominance.wording import quoted, suggestion

OFFICIAL_COLUMNS = ("case_num", "content_type", "content", "nm_word", "prompt")
_PASSED_OVER = ("object_prompt_phrase", "template_id", "source")
"""Columns that one of the official prompt files has besides."""


def load_csv_suite(path: Path) -> Suite:
    """The suite of a CSV file, named like the file.

    The first line names the columns. The own ones are ``prompt`` and perhaps ``id``, ``group`` and ``concepts``
    (``tower:landmark;mug``). Of a file with the official ones, every row becomes a prompt of the group
    ``dominance`` whose concepts are ``content``, which is expected to dominate, and then ``nm_word``, whether or
    not the prompt mentions them: such a file is read as it is.

    Raises:
        InputError: the file cannot be read, or is not valid CSV.
        SuiteError: it is not a suite; the message starts with the line.
    """
    table = read_table(read_text(path), path, (*PROMPT_KEYS, *OFFICIAL_COLUMNS, *_PASSED_OVER))
    if not table.columns:
        raise SuiteError("is empty; start with a line that names the columns, such as id,prompt,group,concepts")
    entry = _entry_of_columns(table)
    rows = list(table.rows)
    check_count(len(rows))
    return Suite(suite_name(path.stem), assemble([entry(row, f"line {line}") for line, row in rows]))


def _entry_of_columns(table: Table) -> Callable[[dict[str, str], str], Entry]:
    """What makes an entry of a row with these columns."""
    header, line = table.columns, table.line
    official = any(name in OFFICIAL_COLUMNS for name in header if name != "prompt")
    known = OFFICIAL_COLUMNS if official else PROMPT_KEYS
    for name in header:
        if name not in known and not (official and name in _PASSED_OVER):
            wanted = f"the columns are {', '.join(known)}, separated by commas"
            raise SuiteError(f"line {line}: unknown column {quoted(name)}{suggestion(name, known)} {wanted}")
    missing = [name for name in (OFFICIAL_COLUMNS if official else ("prompt",)) if name not in header]
    if missing:
        raise SuiteError(f"line {line}: the column {quoted(missing[0])} is missing; the columns are {', '.join(known)}")
    return _official_entry if official else _own_entry


def _own_entry(row: dict[str, str], where: str) -> Entry:
    filled: dict[str, object] = {name: text for name, text in row.items() if text or name == "prompt"}
    if isinstance(listed := filled.get("concepts"), str):
        filled["concepts"] = listed.split(";")
    return entry_of(filled, where)


def _official_entry(row: dict[str, str], where: str) -> Entry:
    return Entry(where, official_prompt(row, where), named=True)


def official_prompt(row: Mapping[str, str], where: str) -> Prompt:
    """The prompt of a row with the official columns; its id is ``caseNNN``.

    Raises:
        SuiteError: a case number, kind, concept or prompt that cannot be used; the message starts with the location.
    """
    number, kind = row["case_num"], row["content_type"].lower()
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise SuiteError(f"{where}: case_num is {quoted(number)}; give a whole number, such as 7")
    kind = kind.removesuffix("s") if kind.removesuffix("s") in KINDS else kind
    concepts = (
        concept_of(row["content"], kind, f"{where}: content"),
        concept_of(row["nm_word"], "object", f"{where}: nm_word"),
    )
    id = f"case{int(number):03d}"
    try:
        return prompt_of(clean_text(row["prompt"], f"prompt {id}"), concepts, id, "dominance")
    except SuiteError as error:
        raise SuiteError(f"{where}: {error}") from None
