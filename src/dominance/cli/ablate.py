"""``dominance ablate``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import UNKNOWN, counted, effect, plural, rate
from dominance.runs.ablation.options import AblationOptions

if TYPE_CHECKING:
    from dominance.runs.ablation.cooperation import HeadSets
    from dominance.runs.ablation.interactions import Interactions
    from dominance.runs.ablation.outcomes import TrialTally
    from dominance.runs.ablation.result import AblationResult, SweepResult

app = new_app(
    "ablate",
    help_epilogue="Examples:\n"
    "  dominance ablate miniature-dominance --limit 8 --seeds 4 --sweep heads\n"
    "  dominance ablate miniature-dominance --sweep heads,multi --layers 1-10\n"
    "  dominance ablate miniature-dominance --limit 8 --seeds 1 --sweep sets --set-heads 4\n"
    "  dominance ablate miniature-dominance --edit rebalance --intervals 5\n",
)


@app.default
def command(
    suite: shared.Suite,
    *,
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    options: AblationOptions = AblationOptions(),
    output: shared.Output = shared.Output(),
) -> int:
    """Remove parts of the model while it draws, and see which restore a lost concept.

    Draws the suite, then draws its collapsed images again without single heads, several heads, feed-forward networks or
    residual branches in chosen denoising steps; or draws all images with equal attention for all concepts. The judge
    says which images are mitigated, unchanged or corrupted. Writes ablation.html. The same command resumes; more sweeps
    into the same folder reuse its images. Exit status: 0 done (even if nothing collapses), 2 bad input, 3 done but some
    images have no score.
    """
    from dominance.runs.ablation.run import ablate_suite

    return deliver(ablate_suite(suite, model, judge, output.out, options), output.json)


def deliver(result: "AblationResult", json: bool) -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.report.ablation.page import write_ablation
    from dominance.report.parts.next_steps import after_ablate

    results_are_in(Path(result.run))
    page = write_ablation(result, Path(result.run))
    if json:
        print_json(printed(result))
    else:
        print_ablation(result)
        tell_written([page])
        tell_next(after_ablate(result))
    return EXIT_UNSCORED if result.unscored else EXIT_DONE


def print_ablation(result: "AblationResult") -> None:
    """What was found, on one screen."""
    from dominance.report.ablation.page import ablation_headline

    echo(ablation_headline(result))
    for sweep in result.sweeps:
        _print_sweep(sweep)
    for found in result.interactions:
        _print_interactions(found)
    for together in result.sets:
        _print_sets(together)
    if result.windows:
        _print_windows(result)
    warn_again(result.judge_warnings)
    echo(
        *result.notes,
        f"{counted(result.unedited.collapsed)} scored images collapse without the edit;"
        f" {plural(result.edited.images, 'edited image')}, {result.unscored} unscored",
    )


def _print_sweep(sweep: "SweepResult") -> None:
    from dominance.report.ablation.page import SWEEP_TITLES

    listed: Sequence[TrialTally] = sweep.layers if len(sweep.layers) > 1 else sweep.variants
    groups = sweep.groups if len(sweep.groups) > 1 else ()
    columns = ("", "mitigated", "unchanged", "corrupted", "prompts mitigated")
    part = "residual branch" if sweep.sweep == "residual" else "layer"
    rows = [_row(tally, f"{part} {tally.name}" if len(sweep.layers) > 1 else tally.name) for tally in listed]
    rows += [_row(tally, tally.name) for tally in (*groups, sweep.total)]
    print_table(f"{SWEEP_TITLES[sweep.sweep]}, {_when(sweep.steps)}", columns, rows)


def _when(steps: str) -> str:
    return "at all steps" if steps == "all" else f"steps {steps}"


def _row(tally: "TrialTally", name: str) -> tuple[str, ...]:
    images = tally.images
    return (name, rate(images.mitigated), rate(images.unchanged), rate(images.corrupted), rate(tally.prompts))


def _print_interactions(found: "Interactions") -> None:
    from dominance.runs.ablation.variants import head_label

    rows = [
        (" and ".join(map(head_label, pair.heads)), rate(pair.together), effect(pair.value, pair.interval))
        for pair in sorted(found.pairs, key=lambda pair: pair.value or 0.0)
    ]
    columns = ("heads", "mitigated together", "interaction (95%)")
    print_table(f"Heads that do the same work (interaction below 0), {_when(found.steps)}", columns, rows)
    clusters = "; ".join(", ".join(map(head_label, cluster)) for cluster in found.clusters)
    echo(f"clusters: {clusters or 'none'}")


def _print_sets(found: "HeadSets") -> None:
    from dominance.report.ablation.sets import risen, sets_sentence
    from dominance.runs.ablation.variants import heads_label

    rows = [
        (
            str(size.size),
            risen(size.greedy),
            risen(size.best),
            risen(size.behind),
            rate(size.best_images.mitigated),
            rate(size.best_images.corrupted),
        )
        for size in found.sizes
    ]
    columns = ("heads", "greedy: rise (95%)", "best: rise (95%)", "best less greedy", "best: mitigated", "corrupted")
    if rows:
        print_table(f"Sets of heads chosen on other prompts, {_when(found.steps)}", columns, rows)
    for half in found.halves:
        shares = [(heads_label([share.head]), risen(share.shapley)) for share in half.shares]
        chosen = plural(len(half.chosen_on), "prompt")
        others = plural(len(half.reported_on), "other")
        print_table(f"Heads chosen on {chosen}, on the {others}", ("head", "Shapley value (95%)"), shares)
        echo(
            f"greedy: {', '.join(heads_label([head]) for head in half.greedy)}; best set of any size:"
            f" {heads_label(half.best_of_all.heads)}"
        )
    echo(sets_sentence(found))


def _print_windows(result: "AblationResult") -> None:
    rows = [
        (
            window.steps,
            rate(window.collapsed),
            rate(window.balanced),
            UNKNOWN if window.outcomes is None else rate(window.outcomes.mitigated),
            UNKNOWN if window.outcomes is None else rate(window.outcomes.corrupted),
        )
        for window in result.windows
    ]
    columns = ("equal attention in steps", "collapsed", "balanced", "collapsed images mitigated", "corrupted")
    print_table(f"{result.suite}: {result.model}, judged by {result.judge}", columns, rows)
