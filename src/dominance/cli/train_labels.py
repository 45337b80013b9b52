"""``dominance train labels``: pictures that readers label, and the table of what they saw."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dominance.cli import training_arguments
from dominance.cli.output import note

EXAMPLE = (
    "Examples (about ten minutes on two cores; the same command again goes on):\n"
    "  dominance train labels --out training-runs/labels\n"
    "  dominance train labels --out training-runs/labels --gather training-runs/labels/reader-1"
    " --gather training-runs/labels/reader-2\n"
)


def labels(
    *,
    out: Annotated[Path, Parameter(help="Where sheets, pictures and the table go.")] = Path("training-runs/labels"),
    gather: Annotated[
        tuple[Path, ...],
        Parameter(
            help="Repeatable: the folder of a reader's answers, one file a sheet; writes the table of all readers.",
            metavar="FOLDER",
            show_default=False,
        ),
    ] = (),
    device: training_arguments.Device = "auto",
) -> None:
    """Draw pictures with the bundled models on numbered sheets for readers to label, and gather what they saw.

    `dominance judge check` measures judges on these pictures; HOW.md in the folder tells the readers what to do.
    Exit status: 0 done, 2 bad input.
    """
    from dominance.laboratory.labels.run import draw_sheets, gather_labels

    if gather:
        for line in gather_labels(out, gather):
            note(line)
        return
    for line in draw_sheets(out, device):
        note(line)
