"""``dominance train twins``: trains the adapters that make three entities rigid, and measures who dominates."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from dominance.cli import shared, training_arguments
from dominance.cli.output import note, print_json, print_table, tell_next, tell_written

if TYPE_CHECKING:
    from dominance.laboratory.twins.summary import TwinsSummary

EXAMPLE = (
    "Example (docs/training.md says how long it takes; the same command again goes on):\n  dominance train twins"
    " --seeds 3 --processes 2 --keep\n"
)


def twins(
    *,
    seeds: training_arguments.Seeds = 1,
    first_seed: training_arguments.FirstSeed = 0,
    base: training_arguments.Base = "miniature-base",
    judge: training_arguments.LookingJudge = "miniature",
    images: Annotated[
        int, Parameter(help="Images a prompt, of 96 and of 16 object pairs.", validator=Number(gte=1, lte=100))
    ] = 4,
    processes: training_arguments.Processes = 1,
    out: Annotated[Path, Parameter(help="Where adapters and images go; a twin trained there is measured only.")] = Path(
        "training-runs/twins"
    ),
    results: training_arguments.Results = Path("docs/twins/results.jsonl"),
    singles: Annotated[
        Path, Parameter(help="Results of train diversity, for single adapters beside the twins; need not be there.")
    ] = Path("docs/diversity-experiment/results.jsonl"),
    page: training_arguments.Page = Path("docs/twins.md"),
    keep: Annotated[bool, Parameter(help="Keep the images too; adapters always stay.")] = False,
    rejudge: training_arguments.Rejudge = False,
    device: training_arguments.Device = "auto",
    output: shared.Printed = shared.Printed(),
) -> None:
    """Make three entities rigid in one adapter and the other three in its twin, and measure who dominates.

    Every training seed makes two such twins. The page and --json show everything in --results, earlier calls included.
    Exit status: 0 done, 2 bad input.
    """
    from dominance.documents import printed
    from dominance.laboratory.diversity.results import read_results as read_singles
    from dominance.laboratory.twins.page import write_page
    from dominance.laboratory.twins.run import TwinsOptions, rejudge_twins, run_twins
    from dominance.laboratory.twins.summary import summary_of
    from dominance.laboratory.twins.training import BASE, STEPS, Twin
    from dominance.laboratory.twins.training import twins as every_twin
    from dominance.models.devices import find_device
    from dominance.training.dreambooth.saving import checkpoint_folder

    beside = read_singles(singles)  # bad input shows before anything is trained
    options = TwinsOptions(base, judge, out, results, images, str(find_device(device)), keep=keep)
    if rejudge:
        found = rejudge_twins(options, note)
    else:
        chosen = [Twin(BASE, 0), *every_twin(range(first_seed, first_seed + seeds))]
        found = run_twins(chosen, options, note, processes)
    summary = summary_of(found, beside, str(results), str(page))
    write_page(found, summary, page)
    if output.json:
        print_json(printed(summary))
        return
    _print(summary)
    tell_written([page])
    if not rejudge:
        adapter = checkpoint_folder(out / Twin("first", first_seed).name / "training", STEPS)
        tell_next([f"dominance audit miniature --model {base} --adapter {adapter}"])


def _print(summary: "TwinsSummary") -> None:
    """Rigid and varied entities, and each entity."""
    from statistics import fmean

    from dominance.laboratory.twins.page import said
    from dominance.metrics import rate
    from dominance.numbers import fraction, mean

    sides = (("rigid", summary.rigid), ("varied in the twin", summary.varied), ("in the base", summary.base))
    rows: Sequence[list[str]] = [
        [name, mean(own.dvd, own.interval), fraction(rate(own.shown.both, own.shown.n)),
         fraction(rate(own.dominated, own.prompts))]
        for name, own in sides
        if own is not None
    ]  # fmt: skip
    print_table("who dominates", ["entities", "DvD", "both shown", "prompts dominated"], rows)
    print_table(
        f"each entity against itself: {said(summary.gap)}",
        ["entity", "DvD rigid", "DvD varied", "in the base"],
        [[e.entity, mean(fmean(e.rigid.values())), mean(fmean(e.varied.values())), mean(e.base)]
         for e in summary.entities],
    )  # fmt: skip
