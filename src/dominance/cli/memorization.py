"""``dominance memorization``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import note, print_json, print_table, resumable
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED

if TYPE_CHECKING:
    from dominance.records import Interval
    from dominance.runs.noise_norm.result import MemorizationResult

EXAMPLE = (
    "\x08\nExamples:\n  dominance memorization miniature --seeds 4\n"
    "  dominance memorization groups.csv --model owner/name --steps 50 --guidance 7.5 --json"
)


def command(
    suite: Annotated[
        str, typer.Argument(help="Bundled suite, YAML, CSV or JSONL file; its groups are compared.")
    ] = "miniature",
    model: shared.Model = "miniature",
    seeds: Annotated[str, typer.Option(help="Noises a prompt: a count, or a list of seeds 7,8,9.")] = "4",
    steps: shared.Steps = None,
    guidance: Annotated[
        float | None, typer.Option(help="Guidance scale, above 1; the model's own unless given.")
    ] = None,
    height: shared.Height = None,
    width: shared.Width = None,
    scheduler: shared.Scheduler = None,
    dtype: shared.Dtype = "float32",
    limit: shared.Limit = None,
    out: shared.Out = None,
    batch: Annotated[int | None, typer.Option(help="Latents at once; fitted to the model unless given.")] = None,
    offload: shared.Offload = "none",
    revision: shared.Revision = None,
    device: shared.Device = "auto",
    json: shared.AsJson = False,
) -> None:
    """Measure how strongly each prompt moves the predicted noise, by group: the text-conditional noise norm.

    Memorized prompts move it most. The norm is taken at step 1, over the first 10 steps and over all, from the
    predictions with and without the prompt that guidance computes anyway; no image is decoded. The same command
    resumes. Exit status: 0 done, 2 bad input, 3 done but some prompts could not be measured.
    """
    from dominance.report.memorization import write_memorization
    from dominance.runs.audit.options import AuditOptions
    from dominance.runs.noise_norm.run import memorization
    from dominance.seeds import parse_seeds

    options = AuditOptions(
        seeds=parse_seeds(seeds),
        steps=steps,
        guidance=guidance,
        height=height,
        width=width,
        dtype=dtype,
        limit=limit,
        batch=batch,
        device=device,
        scheduler=scheduler,
        offload=offload,
        revision=revision,
    )
    with resumable(out or "its run folder"):
        result = memorization(suite, model, out, options)
        written = write_memorization(result, Path(result.run))
    for line in result.notes:
        note(f"note: {line}")
    if json:
        print_json(result.document())
    else:
        _print(result, written)
    raise typer.Exit(EXIT_DONE if result.complete else EXIT_UNSCORED)


def _print(result: "MemorizationResult", written: tuple[Path, ...]) -> None:
    from dominance.report.memorization import SUMMARY_NAMES, memorization_headline

    columns = ("group", "prompts", "norms", *SUMMARY_NAMES.values())
    rows = [
        (group.name, str(group.prompts), str(group.norms), *(_mean(*group.means[name]) for name in SUMMARY_NAMES))
        for group in result.groups
    ]
    print_table(f"{result.suite}: {result.model}, norm of the {result.quantity} that the prompt adds", columns, rows)
    compared = [
        (
            f"{one.first} against {one.second}",
            SUMMARY_NAMES[one.summary],
            f"{one.test.u:g}",
            f"{one.test.effect:+.2f}",
            f"{one.test.p_value:.2g}",
            "–" if one.expected is None else f"{one.expected} higher",
            one.found,
        )
        for one in result.comparisons
    ]
    if compared:
        print_table(
            "by prompt, Mann-Whitney", ("groups", "norm", "U", "effect", "p", "the paper expects", "found"), compared
        )
    for prompt in result.prompts:
        for seed, problem in prompt.problems.items():
            typer.echo(f"not measured: {prompt.prompt.id}, seed {seed}: {problem}")
    typer.echo(memorization_headline(result))
    for path in written:
        typer.echo(f"wrote {path}")


def _mean(mean: float, interval: "Interval | None") -> str:
    return f"{mean:.3g}" if interval is None else f"{mean:.3g} ({interval[0]:.3g} to {interval[1]:.3g})"
