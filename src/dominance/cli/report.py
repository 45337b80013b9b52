"""``dominance report``."""

from pathlib import Path
from typing import Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import print_json, print_result
from dominance.cli.statuses import exit_status

EXAMPLE = '\x08\nExample:\n  dominance report runs/miniature'


def command(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    junit: shared.JUnit = None,
    json: shared.AsJson = False,
) -> None:
    """Write a run's report again.

    The run need not be finished; what its ledger holds is shown.
    """
    from dominance.report import write_junit, write_report
    from dominance.runs import as_document, read_result

    result = read_result(run)
    written = [write_report(result, run), *([write_junit(result, junit)] if junit else [])]
    if json:
        print_json(as_document(result))
    else:
        print_result(result, written)
    raise typer.Exit(exit_status(result))
