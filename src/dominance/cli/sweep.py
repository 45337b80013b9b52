"""``dominance sweep``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.delivery import print_measures, tell_estimate
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.errors import InputError
from dominance.numbers import plural
from dominance.runs.audit.options import WHAT
from dominance.runs.sweep.options import SweepOptions

if TYPE_CHECKING:
    from dominance.runs.sweep.result import AdapterSweep

app = new_app(
    "sweep",
    help_epilogue="Examples:\n"
    "  dominance sweep prompts.csv --model owner/name --adapter brand.safetensors --min-presence 0.9\n"
    "  dominance sweep prompts.csv --model owner/name --checkpoints runs/brand --taught brandmug\n"
    "  dominance sweep prompts.csv --images outputs/txt2img-grid --taught brandmug --judge qwen:owner/judge\n",
)


@app.default
def command(
    suite: shared.Suite,
    *,
    model: shared.Model = "miniature",
    images: Annotated[
        Path | None,
        Parameter(
            group=WHAT,
            help="Images made elsewhere, in place of --model and --adapter: a folder of them, whose files say their"
            " prompt, <lora:NAME:STRENGTH> and seed, or a CSV with the columns path, prompt and strength, and perhaps"
            " checkpoint and seed.",
        ),
    ] = None,
    judge: shared.JudgeName = "miniature",
    options: SweepOptions = SweepOptions(),
    output: shared.Estimated = shared.Estimated(),
) -> int:
    """Find the strength, start step or checkpoint at which an adapter still leaves room for the rest of the prompt.

    Draws the suite under every cell of a grid from the same noise, and measures how often the taught concept is there
    (identity) and how often all concepts are (composition). With two adapters, both orders of naming are drawn. With
    --images, it measures a grid that ComfyUI or A1111's web UI made. Writes sweep.html. The same command resumes. Exit
    status: 0 done (even if no cell qualifies), 2 bad input, 3 done but some images have no score, or were left
    out that may belong to the grid.
    """
    from dominance.runs.sweep.brought import estimate_images, sweep_images
    from dominance.runs.sweep.run import estimate_sweep, sweep_suite

    if images is not None:
        if model != "miniature":
            raise InputError("--images are there already, so no --model draws them; leave out one of the two")
        if output.estimate:
            return tell_estimate(estimate_images(suite, images, judge, output.out, options), output.json)
        return deliver(sweep_images(suite, images, judge, output.out, options), output.json, output.page_images)
    if output.estimate:
        return tell_estimate(estimate_sweep(suite, model, judge, output.out, options), output.json)
    return deliver(sweep_suite(suite, model, judge, output.out, options), output.json, output.page_images)


def deliver(result: "AdapterSweep", json: bool, images: shared.PageImages = "auto") -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines
    from dominance.report.parts.next_steps import after_sweep
    from dominance.report.sweep.page import write_sweep

    results_are_in(Path(result.run))
    page = write_sweep(result, Path(result.run), images)
    note(*left_out_lines(result.left_out), *(f"warning: {line}" for line in result.warnings))
    if json:
        print_json(printed(result))
    else:
        print_sweep(result)
        tell_written([page])
        tell_next(after_sweep(result))
    return EXIT_DONE if result.complete else EXIT_UNSCORED


def print_sweep(result: "AdapterSweep") -> None:
    """What was found, on one screen."""
    from dominance.report.sweep.page import cell_measures, cell_rows, doubt_sentence, order_sentences, sweep_headline

    rows = [(row.name, row.composition, row.presence, row.dvd, row.standing) for row in cell_rows(result)]
    columns = ("cell", "composition", "identity", "DvD towards it", "")
    title = f"{result.suite}: {result.model} with {', '.join(result.adapters)}, judged by {result.judge}"
    print_table(title, columns, rows, "in sweep.html, and printed by --json")
    print_measures(cell_measures(result), "cell")
    echo(sweep_headline(result), *order_sentences(result))
    warn_again(result.judge_warnings)
    echo(f"{plural(result.images, 'image')}, {result.unscored} unscored")
    if said := doubt_sentence(result):
        echo(said)
