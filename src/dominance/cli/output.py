"""What commands print: tables on stdout for people, one JSON document for programs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from dominance.records import Gate, PromptResult, RunResult


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def note(line: str) -> None:
    """A line for people on standard error."""
    typer.echo(line, err=True)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output; the first column is text, the others align right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console() if sys.stdout.isatty() else Console(width=140)
    console.print(table)


def gate_from(
    suite_gate: Gate | None, max_collapse: float | None, min_presence: float | None, max_unscored: float | None
) -> Gate | None:
    """The suite's gate with the limits of the command line in place of its own; None when there is none at all."""
    if max_collapse is None and min_presence is None:
        if suite_gate is None or max_unscored is None:
            return suite_gate
        return Gate(suite_gate.max_collapse, suite_gate.min_presence, max_unscored)
    base = suite_gate or Gate()
    return Gate(
        base.max_collapse if max_collapse is None else max_collapse,
        base.min_presence if min_presence is None else min_presence,
        base.max_unscored if max_unscored is None else max_unscored,
    )


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
