"""``dominance report``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.delivery import deliver
from dominance.files import check_writable
from dominance.runs.audit.options import WHAT

app = new_app("report", help_epilogue="Example:\n  dominance report runs/miniature\n")


@app.default
def command(
    run: Annotated[Path, Parameter(group=WHAT, help="A run folder.")],
    *,
    junit: shared.JUnit | None = None,
    output: shared.Printed = shared.Printed(),
) -> int:
    """Write the pages of a run folder again.

    The run need not be finished; what its ledger holds is shown.
    """
    from dominance.runs.audit.result import read_result

    check_writable(junit)
    return deliver(read_result(run), junit, output.json)
