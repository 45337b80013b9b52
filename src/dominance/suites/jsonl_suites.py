"""Suites as JSON lines: one object per line, with the keys of a prompt."""

import json
from pathlib import Path

from dominance.errors import SuiteError
from dominance.files import numbered_lines, read_text
from dominance.records import Suite
from dominance.suites.entries import Entry, assemble, check_count, entry_of, suite_name
from dominance.wording import described, quoted


def load_jsonl_suite(path: Path) -> Suite:
    """The suite of a JSONL file, named like the file; blank lines are skipped.

    Raises:
        InputError: the file cannot be read.
        SuiteError: it is not a suite; the message starts with the line.
    """
    lines = numbered_lines(read_text(path))
    check_count(len(lines))
    return Suite(suite_name(path.stem), assemble([_entry(line, f"line {number}") for number, line in lines]))


def _entry(line: str, where: str) -> Entry:
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
    return entry_of(value, where)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise SuiteError(f"the key {quoted(key)} appears twice; keep one of the two")
        found[key] = value
    return found
