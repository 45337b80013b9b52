"""``dominance audit``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import check_writable, deliver, gate_from, note_foreign_pictures

if TYPE_CHECKING:
    from dominance.records import RunResult

EXAMPLE = (
    '\x08\nExamples:\n  dominance audit "a [tower:landmark] and a [mug]" --max-collapse 0.2 --min-presence 0.9\n'
    "  dominance audit prompts.csv --model owner/name --dtype float16 --preset paper-sd14"
)


def command(
    suite: Annotated[str, typer.Argument(help="Bundled suite, YAML, CSV or JSONL file, or one bracketed prompt.")] = (
        "miniature"
    ),
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    judge_mode: shared.JudgeMode = "fast",
    revision: shared.Revision = None,
    preset: shared.Preset = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="How many images a prompt (10, the default, means seeds 0 to 9), or a list: 7,8,9."),
    ] = None,
    steps: shared.Steps = None,
    guidance: shared.Guidance = None,
    height: shared.Height = None,
    width: shared.Width = None,
    scheduler: shared.Scheduler = None,
    dtype: shared.Dtype = "float32",
    limit: shared.Limit = None,
    out: shared.Out = None,
    batch: shared.AutoBatch = "auto",
    device: shared.Device = "auto",
    offload: shared.Offload = "none",
    vae_tiling: shared.VaeTiling = False,
    engine: Annotated[str, typer.Option(help="Where to run: local.")] = "local",
    method: Annotated[str, typer.Option(help="Mitigation while generating: none.")] = "none",
    questions: shared.Questions = None,
    max_collapse: shared.MaxCollapse = None,
    min_presence: shared.MinPresence = None,
    max_unscored: shared.MaxUnscored = None,
    junit: shared.JUnit = None,
    json: shared.AsJson = False,
) -> None:
    """Find the prompts that lose a concept.

    Generates images, asks the judge five questions about each concept, scores, and writes a report.
    The same command resumes an interrupted run. Exit status: 0 done and the gate (if any) holds, 1 the gate
    fails, 2 bad input, 3 done but some images have no score.
    """
    from dominance.runs.audit.options import AuditOptions
    from dominance.runs.audit.run import audit
    from dominance.runs.stages.batches import parse_batch
    from dominance.seeds import parse_seeds
    from dominance.suites import load_suite

    loaded = load_suite(suite)
    given = {} if seeds is None else {"seeds": parse_seeds(seeds)}
    chosen = AuditOptions(
        **given,
        steps=steps,
        guidance=guidance,
        height=height,
        width=width,
        dtype=dtype,
        limit=limit,
        batch=parse_batch(batch),
        device=device,
        offload=offload,
        vae_tiling=vae_tiling,
        revision=revision,
        preset=preset,
        scheduler=scheduler,
        judge_mode=judge_mode,
        engine=engine,
        method=method,
        questions=questions,
        gate=gate_from(loaded.gate, max_collapse, min_presence, max_unscored),
    )
    folder = out or Path("runs") / loaded.name
    check_writable(junit)

    def work() -> "RunResult":
        result = audit(loaded, model, judge, folder, chosen)
        note_foreign_pictures(judge, model)
        return result

    deliver(work, folder, junit, json, chosen.gate)
