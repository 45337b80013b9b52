"""``dominance score``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import check_writable, deliver, gate_from, note, note_foreign_pictures
from dominance.errors import InputError

if TYPE_CHECKING:
    from dominance.records import RunResult

EXAMPLE = (
    "\x08\nExample:\n  dominance score pictures/ --suite campaign.yaml --judge miniature"
    " --max-collapse 0.2 --min-presence 0.9"
)


def command(
    images: Annotated[Path, typer.Argument(help="Folder with one subfolder of images a prompt, named by its id.")],
    suite: Annotated[str, typer.Option(help="The prompts that the images were made from.")],
    judge: shared.JudgeName = "miniature",
    judge_mode: shared.JudgeMode = "fast",
    limit: shared.Limit = None,
    out: shared.Out = None,
    device: shared.Device = "auto",
    questions: shared.Questions = None,
    max_collapse: shared.MaxCollapse = None,
    min_presence: shared.MinPresence = None,
    max_unscored: shared.MaxUnscored = None,
    junit: shared.JUnit = None,
    export: Annotated[
        str | None,
        typer.Option(help="official: also write official-results.csv into the run folder, in the release's columns."),
    ] = None,
    json: shared.AsJson = False,
) -> None:
    """Judge and score images that were made elsewhere."""
    from dominance.report.export_official import check_official, write_official
    from dominance.runs.audit.options import AuditOptions
    from dominance.runs.audit.score import score
    from dominance.suites import load_suite

    if export not in (None, "official"):
        raise InputError(f"no export {export[:60]!r}; give official")
    loaded = load_suite(suite)
    if export:
        check_official(loaded, limit)
    gate = gate_from(loaded.gate, max_collapse, min_presence, max_unscored)
    chosen = AuditOptions(limit=limit, device=device, questions=questions, gate=gate, judge_mode=judge_mode)
    folder = out or Path("runs") / f"score-{loaded.name}"
    check_writable(junit)

    def work() -> "RunResult":
        result = score(images, loaded, judge, folder, chosen)
        note_foreign_pictures(judge, None)
        if export:
            note(f"wrote {write_official(result, folder)}")
        return result

    deliver(work, folder, junit, json, gate)
