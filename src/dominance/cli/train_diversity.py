"""``dominance train diversity``: teaches one concept in more and more designs, and measures who dominates."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from dominance.cli import shared, training_arguments
from dominance.cli.output import note, print_json, print_table, tell_written
from dominance.errors import InputError
from dominance.written import Names

if TYPE_CHECKING:
    from dominance.laboratory.diversity.results import DiversityResult

EXAMPLE = (
    "Examples (docs/training.md says how long it takes; the same command again goes on):\n  dominance train diversity"
    " --seeds 3 --processes 2\n  dominance train diversity --arms place-alone,looks-alone --subjects castle,clown\n"
)


def diversity(
    *,
    arms: Annotated[
        Names,
        Parameter(
            help="Arms, separated by commas; see `dominance list arms`. Default: base,known.", show_default=False
        ),
    ] = (),
    subjects: Annotated[Names, Parameter(help="Only these subjects, separated by commas.", show_default=False)] = (),
    levels: Annotated[
        Names,
        Parameter(help="Only these numbers of designs, separated by commas: 1,2,4,6,8,10,all.", show_default=False),
    ] = (),
    seeds: training_arguments.Seeds = 1,
    first_seed: training_arguments.FirstSeed = 0,
    base: training_arguments.Base = "miniature-base",
    judge: training_arguments.LookingJudge = "miniature",
    images: Annotated[
        int,
        Parameter(
            help="Images per prompt, for 50 prompts and 16 object pairs; each number is measured on its own.",
            validator=Number(gte=1, lte=100),
        ),
    ] = 1,
    processes: training_arguments.Processes = 1,
    out: Annotated[Path, Parameter(help="Where picture sets, models and images go.")] = Path("training-runs/diversity"),
    results: training_arguments.Results = Path("docs/diversity-experiment/results.jsonl"),
    page: training_arguments.Page = Path("docs/diversity-experiment.md"),
    keep: Annotated[bool, Parameter(help="Keep the taught models and their images.")] = False,
    rejudge: training_arguments.Rejudge = False,
    device: training_arguments.Device = "auto",
    output: shared.Printed = shared.Printed(),
) -> None:
    """Teach a concept in 1, 2, 4, 6, 8, 10 designs or all different, and measure whether it dominates less.

    The page and --json show everything in --results, earlier calls included. Exit status: 0 done, 2 bad input.
    """
    from dominance.documents import printed
    from dominance.laboratory.diversity.arms import find_arms, trials
    from dominance.laboratory.diversity.page import write_page
    from dominance.laboratory.diversity.rejudging import rejudge as judged_again
    from dominance.laboratory.diversity.run import ExperimentOptions, run_experiment
    from dominance.laboratory.diversity.subjects import find_subject
    from dominance.laboratory.diversity.summary import summary_of
    from dominance.models.devices import find_device
    from dominance.models.folders import find_model

    for name in subjects:
        find_subject(name)
    chosen = list(trials(find_arms(arms), range(first_seed, first_seed + seeds), subjects, _levels(levels)))
    if not chosen:
        raise InputError("no arm has such a model; give other --subjects or --levels, or leave them out")
    options = ExperimentOptions(base, judge, out, results, images, str(find_device(device)), keep=keep)
    found = judged_again(options, note) if rejudge else run_experiment(chosen, options, note, processes)
    write_page(found, page, out, find_model(base).identity)
    if output.json:
        print_json(printed(summary_of(found, str(results), str(page))))
    else:
        _print([r for r in found if (r.base, r.images) == (find_model(base).identity, images)])
        tell_written([page])


def _print(results: "Sequence[DiversityResult]") -> None:
    """The levels of every arm."""
    from dominance.laboratory.diversity.arms import ARMS, level_name
    from dominance.laboratory.diversity.statistics import levels_of
    from dominance.numbers import fraction, mean

    rows = [
        [arm.name, level_name(found.level), str(found.models), mean(found.dvd, found.dvd_interval),
         fraction(found.alone), fraction(found.pairs)]
        for arm in ARMS
        for found in levels_of([result for result in results if result.arm == arm.name])
    ]  # fmt: skip
    print_table("who dominates", ["arm", "designs", "models", "DvD", "alone", "object pairs"], rows)


def _levels(listed: Names) -> tuple[int, ...]:
    from dominance.laboratory.diversity.arms import LEVELS, level_name

    by_name = {level_name(level): level for level in LEVELS}
    for name in listed:
        if name not in by_name:
            raise InputError(f"no level {name[:60]!r}; give some of {', '.join(by_name)}")
    return tuple(by_name[name] for name in listed)
