"""``dominance bench``: build a DominanceBench for any model, export it, show and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import GROUPS, new_app
from dominance.cli.delivery import estimate_lines, not_done, print_measures
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.files import check_writable
from dominance.numbers import difference, mean, plural, rate, share_difference
from dominance.runs.audit.options import WHAT
from dominance.runs.bench.options import BenchOptions

if TYPE_CHECKING:
    from dominance.runs.bench.compare import Comparison, Overall, Pairing, Side, Yields
    from dominance.runs.bench.estimate import BenchEstimate
    from dominance.runs.bench.result import BenchResult

app = new_app("bench", GROUPS["bench"], help_epilogue="Example:\n  dominance bench build --target 6 --out runs/bench\n")


@app.command(
    help_epilogue="Examples:\n"
    "  dominance bench build --target 6 --out runs/bench\n"
    "  dominance bench build --model owner/name --judge qwen:owner/name\n",
)
def build(
    *,
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    options: BenchOptions = BenchOptions(),
    output: shared.Estimated = shared.Estimated(),
) -> int:
    """Find prompts on which one concept dominates, and as many balanced prompts.

    Tries prompts made from concept pools in a seeded order, ten images each. Keeps prompts with seven images that
    collapse in the same direction, and for the control set prompts with seven images that show both concepts. Writes
    suite.yaml (for `dominance audit`), CARD.md, bench.json and contact.html. The same command resumes.
    Exit status: 0 done, 2 bad input, 3 done but prompts are missing or images have no score.
    """
    from dominance.runs.bench.estimate import estimate_bench
    from dominance.runs.bench.run import build_bench

    if output.estimate:
        return tell_bounds(estimate_bench(model, judge, output.out, options), output.json)
    return deliver(build_bench(model, judge, output.out, options), output.json, output.page_images)


def deliver(bench: "BenchResult", json: bool, images: shared.PageImages = "auto") -> int:
    """Writes the bench's files and prints it; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.report.bench.page import write_bench
    from dominance.report.parts.next_steps import after_bench
    from dominance.runs.bench.result import document_of

    results_are_in(Path(bench.run.run))
    written = write_bench(bench, Path(bench.run.run), images)
    if json:
        print_json(printed(document_of(bench)))
    else:
        print_bench(bench)
        warn_again(bench.run.judge_warnings)
        tell_written(written)
        tell_next(after_bench(bench))
    if bench.stopped:
        note(bench.stopped)
    return EXIT_DONE if bench.complete else EXIT_UNSCORED


def tell_bounds(found: "BenchEstimate", json: bool) -> int:
    """Prints the least and the most that a bench would still take; gives the command's exit status."""
    from dominance.documents import printed

    if json:
        print_json(printed(found))
        return EXIT_DONE
    least, most = ([f"  {line}" for line in estimate_lines(each)] for each in (found.least, found.most))
    echo(
        f"{found.least.suite}: {found.least.model}, judged by {found.least.judge}",
        f"{plural(found.prompts, 'prompt')} to find among {plural(found.candidates, 'candidate')},"
        f" at {found.images_first} to {plural(found.images_each, 'image')} each",
        f"at the least, with {plural(found.found, 'prompt')} found:",
        *least,
        "at the most, with every candidate tried to its last image:",
        *most,
        not_done(found.least.run),
    )
    return EXIT_DONE


@app.command(
    help_epilogue="Examples:\n"
    "  dominance bench export runs/bench --format csv --out prompts.csv\n"
    "  dominance bench export runs/bench --format official-images --out images\n",
)
def export(
    folder: Annotated[Path, Parameter(group=WHAT, help="Folder of a finished bench.")],
    *,
    format: Annotated[
        str,
        Parameter(
            group=shared.OUTPUT,
            help="csv (official columns), jsonl, parquet, yaml (a suite) or official-images (a folder).",
        ),
    ],
    out: Annotated[Path, Parameter(group=shared.OUTPUT, help="File to write; for official-images a new folder.")],
    part: Annotated[
        str | None,
        Parameter(
            group=WHAT, help="dominance, balanced or all; by default dominance for official formats, all for others."
        ),
    ] = None,
) -> None:
    """Write a finished bench in another format, to --out.

    Exit status: 0 done, 2 bad input.
    """
    from dominance.report.bench.export import FORMATS, export_bench
    from dominance.runs.bench.result import read_bench

    if format in FORMATS and format != "official-images":
        check_writable(out)
    bench = read_bench(folder)
    written = export_bench(bench, folder, format, out, part)
    if bench.stopped:
        note(f"the bench is incomplete: {bench.stopped}")
    tell_written([written])


@app.command(
    help_epilogue="Examples:\n"
    "  dominance bench show runs/bench\n"
    "  dominance bench show runs/bench runs/audit --csv both.csv\n",
)
def show(
    first: Annotated[
        Path, Parameter(group=WHAT, help="Folder of a bench or of an audit of its suite, or official results.")
    ],
    second: Annotated[
        Path | None, Parameter(group=WHAT, help="Another such folder or file, to compare with the first.")
    ] = None,
    *,
    csv: Annotated[
        Path | None, Parameter(group=shared.OUTPUT, help="Also write the comparison as CSV, one row per prompt.")
    ] = None,
    output: shared.Printed = shared.Printed(),
) -> None:
    """Show a bench, or compare two benches or one bench under two models, prompt by prompt.

    Writes a file only with --csv. Exit status: 0 done, 2 bad input.
    """
    from dominance.documents import printed, to_json
    from dominance.errors import InputError
    from dominance.runs.bench.compare import compare, read_side
    from dominance.runs.bench.result import document_of, read_bench

    check_writable(csv)
    if second is None:
        if csv is not None:
            raise InputError("--csv writes a comparison; give two folders, or use `dominance bench export`")
        bench = read_bench(first)
        print_json(printed(document_of(bench))) if output.json else print_bench(bench)
        return
    comparison = compare(read_side(first), read_side(second))
    if csv is not None:
        from dominance.files import write_whole
        from dominance.report.bench.export import comparison_csv

        note(f"wrote {write_whole(csv, comparison_csv(comparison))}")
    print_json(to_json(comparison)) if output.json else print_comparison(comparison)


def print_bench(bench: "BenchResult") -> None:
    """The bench's yields and prompts."""
    from dominance.report.parts.measures import measured_view
    from dominance.runs.bench.result import yield_of, yield_words

    streams = [(t.name, str(t.kept), str(t.target), str(t.tried), rate(yield_of(t))) for t in bench.tallies]
    columns = ("stream", "kept", "target", "tried", "yield (95%)")
    print_table(f"DominanceBench of {bench.run.model}, judged by {bench.run.judge}", columns, streams)
    echo(yield_words(bench.tallies))
    rows, whole = [], f"in {Path(bench.run.run) / 'bench.json'}, and printed by --json"
    for entry in bench.entries:
        seen = "both present" if entry.direction is None else f"{entry.direction[0]} over {entry.direction[1]}"
        figures = (f"{entry.agreeing}/{len(entry.result.images)}", mean(entry.result.dvd_mean))
        rows.append((entry.result.prompt.text, entry.kept.part, entry.kept.category, seen, *figures))
    print_measures(measured_view(list(bench.measures.items())))
    print_table("prompts", ("prompt", "part", "category", "seen", "images", "DvD"), rows, whole)


def print_comparison(comparison: "Comparison") -> None:
    """The two sides, prompt by prompt and together."""
    echo(f"first:  {comparison.first}\nsecond: {comparison.second}")
    columns = ("prompt", "first", "second", "collapse, difference", "DvD, difference")
    rows = [_row(pairing) for pairing in comparison.pairings]
    print_table("prompt by prompt", columns, rows, "written by --csv FILE, and printed by --json")
    columns = ("group", "prompts", "dominance: first", "second", "both", "collapse, difference", "DvD, difference")
    if comparison.overall:
        print_table(
            "together (intervals resample prompts)", columns, [_overall_row(overall) for overall in comparison.overall]
        )
    if comparison.yields:
        columns = ("stream", "first: yield", "second: yield", "difference (95%)")
        print_table("candidates that qualified", columns, [_yields_row(yields) for yields in comparison.yields])


def _row(pairing: "Pairing") -> tuple[str, ...]:
    return (
        pairing.prompt,
        _side(pairing.first),
        _side(pairing.second),
        share_difference(*(pairing.collapse_difference or (None,))),
        difference(*(pairing.dvd_difference or (None,))),
    )


def _side(side: "Side | None") -> str:
    if side is None:
        return "not in it"
    dvd = "" if side.dvd_mean is None else f", DvD {mean(side.dvd_mean)}"
    return f"{side.verdict or 'unscored'}, {side.collapsed}/{side.scored} collapsed{dvd}"


def _overall_row(overall: "Overall") -> tuple[str, ...]:
    counts = (str(count) for count in (overall.prompts, *overall.dominance))
    dvd = difference(*(overall.dvd_difference or (None,)))
    return (overall.name, *counts, share_difference(*overall.collapse_difference), dvd)


def _yields_row(yields: "Yields") -> tuple[str, ...]:
    between = share_difference(*(yields.difference or (None,)))
    return (yields.name, rate(yields.first), rate(yields.second), between)
