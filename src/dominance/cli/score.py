"""``dominance score``."""

from pathlib import Path
from typing import Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import check_writable, deliver, gate_from

EXAMPLE = "\x08\nExample:\n  dominance score pictures/ --suite campaign.yaml --judge miniature --min-presence 0.9"


def command(
    images: Annotated[Path, typer.Argument(help="Folder with one subfolder of images a prompt, named by its id.")],
    suite: Annotated[str, typer.Option(help="The prompts that the images were made from.")],
    judge: shared.JudgeName = "miniature",
    limit: shared.Limit = None,
    out: shared.Out = None,
    device: shared.Device = "auto",
    questions: shared.Questions = None,
    max_collapse: shared.MaxCollapse = None,
    min_presence: shared.MinPresence = None,
    max_unscored: shared.MaxUnscored = None,
    junit: shared.JUnit = None,
    json: shared.AsJson = False,
) -> None:
    """Judge and score images that were made elsewhere."""
    from dominance.bench import load_suite
    from dominance.runs import AuditOptions, score

    loaded = load_suite(suite)
    gate = gate_from(loaded.gate, max_collapse, min_presence, max_unscored)
    chosen = AuditOptions(limit=limit, device=device, questions=questions, gate=gate)
    folder = out or Path("runs") / f"score-{loaded.name}"
    check_writable(junit)
    deliver(lambda: score(images, loaded, judge, folder, chosen), folder, junit, json)
