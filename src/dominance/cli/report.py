"""``dominance report``."""

from pathlib import Path
from typing import Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import check_writable, deliver

EXAMPLE = "\x08\nExample:\n  dominance report runs/miniature"


def command(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    junit: shared.JUnit = None,
    json: shared.AsJson = False,
) -> None:
    """Write a run's report again.

    The run need not be finished; what its ledger holds is shown.
    """
    from dominance.runs.audit.result import read_result

    check_writable(junit)
    deliver(lambda: read_result(run), run, junit, json)
