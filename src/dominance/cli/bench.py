"""``dominance bench``: build a DominanceBench for any model, export it, show and compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dominance.cli import options as shared
from dominance.cli.output import check_writable, note, note_foreign_pictures, print_json, print_table, resumable
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED

if TYPE_CHECKING:
    from dominance.runs.bench.compare import Comparison, Overall, Pairing, Side, Yields
    from dominance.runs.bench.result import BenchResult

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Build a DominanceBench for any model, export it, and compare models on it.",
)


@app.command(
    "build",
    epilog="\b\nExamples:\n  dominance bench build --target 6 --out runs/bench\n"
    "  dominance bench build --model owner/name --judge qwen:owner/name --target 300 --dtype float16 --out runs/bench",
)
def build(
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    judge_mode: shared.JudgeMode = "fast",
    target: Annotated[int, typer.Option(help="Dominance prompts to find; as many balanced ones are looked for.")] = 300,
    pools: Annotated[
        str | None,
        typer.Option(help="default, miniature or a YAML file; unless given, miniature for the bundled models."),
    ] = None,
    categories: Annotated[
        str | None, typer.Option(help="Some of artist,landmark,character; all that the pools hold unless given.")
    ] = None,
    styles: Annotated[
        str | None, typer.Option(help="Caption styles of the pools, by commas; all unless given.")
    ] = None,
    cap: Annotated[
        int | None,
        typer.Option(
            help="Most kept prompts with one concept, and with one object; twice the even share unless given."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Candidates to try at most.")] = None,
    order_seed: Annotated[int, typer.Option(help="Seed of the order in which candidates are tried.")] = 0,
    revision: shared.Revision = None,
    preset: shared.Preset = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="How many images a candidate (10, the default, means seeds 0 to 9), or a list: 7,8,9."),
    ] = None,
    steps: shared.Steps = None,
    guidance: shared.Guidance = None,
    height: shared.Height = None,
    width: shared.Width = None,
    scheduler: shared.Scheduler = None,
    dtype: shared.Dtype = "float32",
    out: Annotated[Path | None, typer.Option(help="Folder of the bench; the same folder resumes.")] = None,
    batch: shared.AutoBatch = "auto",
    device: shared.Device = "auto",
    offload: shared.Offload = "none",
    vae_tiling: shared.VaeTiling = False,
    questions: shared.Questions = None,
    json: shared.AsJson = False,
) -> None:
    """Find prompts on which a model lets one concept dominate, and as many balanced ones.

    Tries prompts made of concept pools in a seeded order, ten images each, and keeps those of which seven collapse in
    the same direction, and for the control set those of which seven show both concepts. Writes suite.yaml (for
    `dominance audit`), CARD.md, bench.json and contact.html into the folder. The same command resumes a build that was
    stopped. Exit status: 0 done, 2 bad input, 3 done but prompts are missing or images have no score.
    """
    from dominance.models.folders import BUNDLED_MODELS
    from dominance.report.bench_page import write_bench
    from dominance.runs.audit.options import AuditOptions
    from dominance.runs.bench.options import BenchOptions
    from dominance.runs.bench.run import build_bench
    from dominance.runs.stages.batches import parse_batch
    from dominance.seeds import parse_seeds

    given: dict[str, Any] = {} if seeds is None else {"seeds": parse_seeds(seeds)}
    audit = AuditOptions(
        **given,
        steps=steps,
        guidance=guidance,
        height=height,
        width=width,
        dtype=dtype,
        batch=parse_batch(batch),
        device=device,
        offload=offload,
        vae_tiling=vae_tiling,
        revision=revision,
        preset=preset,
        scheduler=scheduler,
        judge_mode=judge_mode,
        questions=questions,
    )
    chosen = BenchOptions(
        target=target,
        categories=_names(categories),
        cap=cap,
        pools=pools or ("miniature" if model in BUNDLED_MODELS else "default"),
        styles=_names(styles),
        order_seed=order_seed,
        limit=limit,
        audit=audit,
    )
    folder = out or Path("runs") / f"bench-{Path(model).name}"
    with resumable(folder, ", or with --limit to end with what was found"):
        bench = build_bench(model, judge, folder, chosen, note)
        note_foreign_pictures(judge, model)
        written = write_bench(bench, folder)
    if json:
        from dominance.runs.bench.result import bench_as_document

        print_json(bench_as_document(bench))
    else:
        print_bench(bench)
        for path in written:
            typer.echo(f"wrote {path}")
    if bench.stopped:
        note(bench.stopped)
    raise typer.Exit(EXIT_DONE if bench.complete else EXIT_UNSCORED)


@app.command(
    "export",
    epilog="\b\nExamples:\n  dominance bench export runs/bench --format csv --out prompts.csv\n"
    "  dominance bench export runs/bench --format official-images --out pictures",
)
def export(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished bench.")],
    format: Annotated[
        str, typer.Option(help="csv (official columns), jsonl, parquet, yaml (a suite) or official-images (a folder).")
    ],
    out: Annotated[Path, typer.Option(help="File to write; for official-images a new folder.")],
    part: Annotated[
        str | None,
        typer.Option(help="dominance, balanced or all; dominance for official formats, else all, unless given."),
    ] = None,
) -> None:
    """Write a finished bench for other programs."""
    from dominance.report.export import FORMATS, export_bench
    from dominance.runs.bench.result import read_bench

    if format in FORMATS and format != "official-images":
        check_writable(out)
    bench = read_bench(folder)
    written = export_bench(bench, folder, format, out, part)
    if bench.stopped:
        note(f"the bench is incomplete: {bench.stopped}")
    typer.echo(f"wrote {written}")


@app.command(
    "show",
    epilog="\b\nExamples:\n  dominance bench show runs/bench\n"
    "  dominance bench show runs/bench runs/audit-of-other-model --csv both.csv",
)
def show(
    first: Annotated[Path, typer.Argument(help="Folder of a bench or of an audit of its suite, or official results.")],
    second: Annotated[Path | None, typer.Argument(help="Another one, to compare with the first.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the comparison as CSV, one row a prompt.")] = None,
    json: shared.AsJson = False,
) -> None:
    """Show a bench, or compare two benches or one bench under two models, prompt by prompt."""
    from dominance.errors import InputError
    from dominance.runs.bench.compare import compare, read_side
    from dominance.runs.bench.result import bench_as_document, read_bench

    check_writable(csv)
    if second is None:
        if csv is not None:
            raise InputError("--csv writes a comparison; give two folders, or use `dominance bench export`")
        bench = read_bench(first)
        print_json(bench_as_document(bench)) if json else print_bench(bench)
        return
    comparison = compare(read_side(first), read_side(second))
    if csv is not None:
        from dominance.files import write_whole
        from dominance.report.export import comparison_csv

        note(f"wrote {write_whole(csv, comparison_csv(comparison))}")
    print_json(comparison.document()) if json else print_comparison(comparison)


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def print_bench(bench: "BenchResult") -> None:
    """The bench's yields and prompts."""
    from dominance.report.bench_card import shown_yield

    streams = [(t.name, str(t.kept), str(t.target), str(t.tried), shown_yield(t)) for t in bench.tallies]
    columns = ("stream", "kept", "target", "tried", "yield [95%]")
    print_table(f"DominanceBench of {bench.run.model}, judged by {bench.run.judge}", columns, streams)
    rows = []
    for entry in bench.entries:
        seen = "both present" if entry.direction is None else f"{entry.direction[0]} over {entry.direction[1]}"
        of = f"{entry.agreeing}/{len(entry.result.images)}"
        rows.append((entry.result.prompt.text, entry.kept.part, entry.kept.category, seen, of, _mean(entry.result)))
    print_table("prompts", ("prompt", "part", "category", "seen", "images", "DvD"), rows)


def print_comparison(comparison: "Comparison") -> None:
    """The two sides, prompt by prompt and together."""
    typer.echo(f"first:  {comparison.first}\nsecond: {comparison.second}")
    columns = (
        "prompt",
        "first",
        "collapsed",
        "DvD",
        "second",
        "collapsed",
        "DvD",
        "collapse, difference",
        "DvD, difference",
    )
    print_table("prompt by prompt", columns, [_row(pairing) for pairing in comparison.pairings])
    columns = ("group", "prompts", "dominance: first", "second", "both", "collapse, difference", "DvD, difference")
    if comparison.overall:
        print_table("together (intervals resample prompts)", columns, [_overall_row(one) for one in comparison.overall])
    if comparison.yields:
        columns = ("stream", "first: yield", "second: yield", "difference [95%]")
        print_table("candidates that qualified", columns, [_yields_row(one) for one in comparison.yields])


def _mean(side: "Side | object") -> str:
    mean = getattr(side, "dvd_mean", None)
    return "–" if mean is None else f"{mean:.0f}"


def _row(pairing: "Pairing") -> tuple[str, ...]:
    collapse, dvd = pairing.collapse_difference, pairing.dvd_difference
    return (
        pairing.prompt.text,
        *_side(pairing.first),
        *_side(pairing.second),
        "–" if collapse is None else _difference(100 * collapse[0], [100 * end for end in collapse[1]], "%"),
        "–" if dvd is None else _difference(dvd[0], dvd[1]),
    )


def _side(side: "Side | None") -> tuple[str, str, str]:
    if side is None:
        return ("not asked", "–", "–")
    return (side.verdict or "unscored", f"{side.collapsed}/{side.scored}", _mean(side))


def _overall_row(one: "Overall") -> tuple[str, ...]:
    share, ends = one.collapse_difference
    scaled = None if ends is None else [100 * end for end in ends]
    dvd = "–" if one.dvd_difference is None else _difference(*one.dvd_difference)
    counts = (str(count) for count in (one.prompts, *one.dominance))
    return (one.name, *counts, _difference(100 * share, scaled, "%"), dvd)


def _yields_row(one: "Yields") -> tuple[str, ...]:
    sides = (f"{rate.count} of {rate.n}" for rate in (one.first, one.second))
    if one.difference is None:
        return (one.name, *sides, "–")
    value, ends = one.difference
    return (one.name, *sides, _difference(100 * value, [100 * end for end in ends], "%"))


def _difference(value: float, interval: Sequence[float] | None, unit: str = "") -> str:
    shown = f"{value:+.0f}{unit}"
    return shown if interval is None else f"{shown} [{interval[0]:+.0f} to {interval[1]:+.0f}]"
