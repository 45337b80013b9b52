"""What commands print: tables on stdout for people, one JSON document for programs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path


def echo(*lines: str) -> None:
    """Lines for people on standard output."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def note(*lines: str) -> None:
    """Lines for people on standard error."""
    for line in lines:
        sys.stderr.write(f"{line}\n")


def tell_written(files: Sequence[Path]) -> None:
    """Names the files that a command wrote."""
    echo(*(f"wrote {file}" for file in files))


def tell_next(line: str) -> None:
    """Says what to do next."""
    echo(f"next: {line}")


def print_json(document: object) -> None:
    """One JSON document on standard output, escaped where the terminal's encoding cannot hold it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2)
    sys.stdout.write(text + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output; the first column is text, the others align right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # As Text, because rich would take brackets and colons in a plain string for its markup.
    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console() if sys.stdout.isatty() else Console(width=140)
    # Apart from the table, which would wrap it to its own width: in the middle of a path, of a list of layers.
    console.print(Text(title, style="table.title"), soft_wrap=True)
    console.print(table)
