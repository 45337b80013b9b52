"""What commands print: tables on stdout for people, one JSON document for programs."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from dominance.records import JudgeWarning
from dominance.wording import on_one_line

Item = TypeVar("Item")

MOST_ROWS, SHOWN = 40, 20
"""A table of prompts with more rows than the first shows the second number of them."""
_LONGEST_TITLE = 1000


def echo(*lines: str) -> None:
    """Lines for people on standard output."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def note(*lines: str) -> None:
    """Lines for people on standard error."""
    for line in lines:
        sys.stderr.write(f"{line}\n")


def warn_again(warnings: Sequence[JudgeWarning]) -> None:
    """What is wrong with the judge, beside the figures that rest on it."""
    echo(*(f"warning: {warning.told}" for warning in warnings))


def tell_written(files: Sequence[Path]) -> None:
    """Names the files that a command wrote."""
    echo(*(f"wrote {file}" for file in files))


def tell_next(steps: Sequence[object]) -> None:
    """Says what to do next, a line each."""
    echo(*(f"next: {step}" for step in steps))


def print_json(document: object) -> None:
    """One JSON document on standard output, escaped where the terminal's encoding cannot hold it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2)
    sys.stdout.write(text + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], whole: str = "") -> None:
    """A table on standard output, as wide as the terminal, or 80 columns elsewhere.

    Args:
        whole: where all rows are; if given, only the first 20 of more than 40 rows are shown.
    """
    from dominance.cli.tables import laid_out

    shown = rows[:SHOWN] if whole and len(rows) > MOST_ROWS else rows
    head, body = laid_out(columns, shown, shutil.get_terminal_size().columns)
    # The title is one line however narrow the table, so that a path in it can be copied.
    echo(on_one_line(title, _LONGEST_TITLE), *map(_bold, head), *body)
    if len(shown) < len(rows):
        echo(f"  the first {len(shown)} of {len(rows)}; all are {whole}")
    echo("")


def worst_of(items: Sequence[Item], ranked: Callable[[Sequence[Item]], Sequence[Item]]) -> Sequence[Item]:
    """The items in their own order; the worst first where a table shows only some of them."""
    return ranked(items) if len(items) > MOST_ROWS else items


def _bold(line: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return line if plain else f"\x1b[1m{line}\x1b[0m"
