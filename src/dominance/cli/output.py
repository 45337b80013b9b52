"""What commands print: tables on stdout for people, one JSON document for programs."""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import typer

from dominance.cli.statuses import EXIT_INTERRUPTED, exit_status
from dominance.errors import InputError
from dominance.files import unwritable_parent
from dominance.records import Gate, PromptResult, RunResult


def print_json(document: object) -> None:
    """One JSON document on standard output, escaped where the terminal's encoding cannot hold it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2)
    sys.stdout.write(text + "\n")


def note(line: str) -> None:
    """A line for people on standard error."""
    typer.echo(line, err=True)


def note_foreign_pictures(judge: str, model: str | None) -> None:
    """Says so where the bundled judge, which was taught on drawings, is to look at pictures that are none.

    Args:
        model: that makes the pictures; None for pictures made elsewhere.
    """
    from dominance.models.folders import BUNDLED_MODELS

    drawn = model is not None and (model in BUNDLED_MODELS or (Path(model) / "dominance.json").is_file())
    if judge == "miniature" and not drawn:
        note(
            "note: the judge 'miniature' was taught on drawings of the miniature world; what it says of other pictures"
            " means nothing: give --judge, see `dominance list judges`"
        )


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


def gate_from(
    suite_gate: Gate | None, max_collapse: float | None, min_presence: float | None, max_unscored: float | None
) -> Gate | None:
    """The suite's gate with the limits of the command line in place of its own; None when there is none at all."""
    limits = {"max_collapse": max_collapse, "min_presence": min_presence, "max_unscored": max_unscored}
    given = {name: share for name, share in limits.items() if share is not None}
    return dataclasses.replace(suite_gate or Gate(), **given) if given else suite_gate


def check_writable(path: Path | None) -> None:
    """Refuses, before any work is done, a file that could not be written at its end."""
    if path is None:
        return
    try:
        usable = not path.is_dir() and unwritable_parent(path) is None
    except OSError:
        usable = False
    if not usable:
        raise InputError(f"cannot write a file at {str(path)[:120]!r}; give a file in a folder that can be written")


@contextlib.contextmanager
def resumable(kept: object, otherwise: str = "") -> Generator[None]:
    """Ctrl-C in the block says that what is finished lies in ``kept``, and ends the command with status 130."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"stopped; what is finished lies in {kept}: run the same command again to resume{otherwise}")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def deliver(
    work: Callable[[], RunResult], folder: Path, junit: Path | None, json: bool, gate: Gate | None = None
) -> None:
    """Does the work, writes and prints what came of it, and ends the command with its exit status.

    Args:
        gate: whose blind spots are noted; None where there is no gate, or none is known.
    """
    from dominance.report import write_junit, write_report
    from dominance.runs.audit.document import as_document
    from dominance.runs.stages.scoring import let_pass

    with resumable(folder):
        result = work()
        written = [write_report(result, folder), *([write_junit(result, junit)] if junit else [])]
    if json:
        print_json(as_document(result))
    else:
        print_result(result, written)
    missed = None if gate is None else let_pass(gate, result.prompts)
    if missed:
        note(f"note: {missed}")
    raise typer.Exit(exit_status(result))


def print_result(result: RunResult, written: Sequence[Path]) -> None:
    """The run's table and where its files lie."""
    rows = [_row(prompt) for prompt in result.prompts]
    columns = ("prompt", "verdict", "collapsed", "balanced", "lost", "DvD", "95% interval", "present")
    print_table(f"{result.suite}: {result.model}, judged by {result.judge}", columns, rows)
    typer.echo(f"{result.images} images, {result.scored} scored, {result.unscored} unscored")
    if result.gate is not None:
        typer.echo(f"gate {'passed' if result.gate.passed else 'FAILED'}: {result.gate.reason}")
    for path in written:
        typer.echo(f"wrote {path}")


def _row(result: PromptResult) -> tuple[str, ...]:
    of = f"/{result.scored}"
    mean = "–" if result.dvd_mean is None else f"{result.dvd_mean:.0f}"
    interval = "–" if result.dvd_interval is None else f"{result.dvd_interval[0]:.0f} to {result.dvd_interval[1]:.0f}"
    present = ", ".join(f"{name} {rate.count}{of}" for name, rate in result.presence.items())
    verdict = result.verdict or "unscored"
    if result.verdict == "dominance" and result.dominating:
        verdict = f"{result.dominating} dominates"
    counts = tuple(f"{count}{of}" for count in (result.collapsed, result.balanced, result.lost))
    return (result.prompt.text, verdict, *counts, mean, interval, present)
