"""Suites as JSON lines: one object a line, with the keys of a prompt."""

import json
from pathlib import Path

from dominance.errors import SuiteError
from dominance.files import numbered_lines, read_text
from dominance.records import Suite
from dominance.suites.entries import Entry, assemble, check_count, entry_of, suite_name
from dominance.wording import described, quoted


def load_jsonl_suite(path: Path) -> Suite:
    """The suite of a JSONL file, named like the file; blank lines are passed over.

    Raises:
        InputError: the file cannot be read.
        SuiteError: it is not a suite; the message starts with the line.
    """
    lines = numbered_lines(read_text(path))
    check_count(len(lines))
    return Suite(suite_name(path.stem), assemble([_entry(line, f"line {number}") for number, line in lines]))


def _entry(line: str, place: str) -> Entry:
    try:
        value = json.loads(line, object_pairs_hook=_without_duplicates)
    except SuiteError as error:
        raise SuiteError(f"{place}: {error}") from None
    except json.JSONDecodeError as error:
        raise SuiteError(f"{place}: not valid JSON at column {error.colno} ({error.msg}); give one object") from None
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{place}: JSON that cannot be read ({quoted(str(error))}); give one object") from None
    if not isinstance(value, dict):
        raise SuiteError(f'{place}: found {described(value)}; give one object a line, such as {{"prompt": "a [mug]"}}')
    return entry_of(value, place)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise SuiteError(f"the key {quoted(key)} stands there twice; keep one of the two")
        found[key] = value
    return found
