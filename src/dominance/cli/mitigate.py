"""``dominance mitigate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.delivery import print_measures, tell_estimate
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.judges.options import JUDGE
from dominance.numbers import plural
from dominance.runs.mitigation.options import MitigateOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dominance.report.mitigation.sentences import MethodRow
    from dominance.runs.mitigation.result import MitigationResult

app = new_app(
    "mitigate",
    help_epilogue="Examples:\n"
    "  dominance mitigate miniature-bench --method regions,overlap --seeds 4\n"
    "  dominance mitigate prompts.csv --model owner/name --judge qwen:owner/judge --only-failing\n",
)


@app.default
def command(
    suite: shared.Suite = "miniature",
    *,
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    second_judge: Annotated[
        str | None,
        Parameter(
            group=JUDGE,
            help="A judge that does not select: asked about all images in the end, in its default way. A finished run"
            " takes one later, too.",
        ),
    ] = None,
    options: MitigateOptions = MitigateOptions(),
    output: shared.Estimated = shared.Estimated(),
) -> int:
    """Draw the same prompts and seeds plain and by methods of repair, and compare them pair by pair.

    Says of each method how far it lowers the DvD score, whether what dominated is kept and what was lost is back, what
    it harms, and what it costs. With --only-failing, it draws again only what the judge finds failing. Writes
    mitigation.html into the run folder. The same command resumes. Exit status: 0 done, 2 bad input, 3 done but some
    images have no score.
    """
    from dominance.runs.mitigation.run import estimate_mitigation, mitigate_suite

    if output.estimate:
        if options.only_failing:
            note("note: at most: only images that lose a concept are drawn again")
        if second_judge is not None:
            note("note: without the questions to the second judge")
        return tell_estimate(estimate_mitigation(suite, model, judge, output.out, options), output.json)
    return deliver(
        mitigate_suite(suite, model, judge, output.out, options, second_judge), output.json, output.page_images
    )


def deliver(result: "MitigationResult", json: bool, images: shared.PageImages = "auto") -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.report.mitigation.page import write_mitigation
    from dominance.report.mitigation.steps import after_mitigate

    results_are_in(Path(result.run))
    page = write_mitigation(result, Path(result.run), images)
    if json:
        print_json(printed(result))
    else:
        print_mitigation(result)
        tell_written([page])
        tell_next(after_mitigate(result))
    return EXIT_UNSCORED if result.unscored else EXIT_DONE


def print_mitigation(result: "MitigationResult") -> None:
    """What was found, on one screen."""
    from dominance.report.mitigation.sentences import (
        control_sentence,
        cost_sentence,
        doubt_sentence,
        method_rows,
        mitigation_headline,
        plain_sentences,
        second_sentence,
    )
    from dominance.report.parts.identity import identities_view
    from dominance.report.parts.measures import measured_view

    columns = ("method", "change of DvD (95%)", "collapsed", "kept", "harmed", "time")
    print_table(f"{result.suite}: {result.model}, judged by {result.judge}", columns, _table(method_rows(result)))
    if result.second is not None:
        print_table(f"the same, judged by {result.second.judge}", columns, _table(method_rows(result, result.second)))
        echo(second_sentence(result.second))
        warn_again(result.second.judge_warnings)
    _print_against(result, columns)
    print_measures(measured_view([(row.method, row.measures) for row in result.rows]))
    if (taught := identities_view(result.identities)) is not None:
        columns = ("measure", *taught.names, "what it is")
        rows = [(name, *figures, means) for name, figures, means in taught.rows]
        print_table(f"the taught concept: {taught.taught}", columns, rows)
        echo(taught.sentence)
    told = (
        mitigation_headline(result),
        *plain_sentences(result),
        control_sentence(result),
        doubt_sentence(result),
        cost_sentence(result),
    )
    echo(*(sentence for sentence in told if sentence is not None))
    warn_again(result.judge_warnings)
    note(*(f"note: {said}" for said in result.notes))
    echo(f"{plural(result.images, 'image')}, {result.unscored} unscored")


def _print_against(result: "MitigationResult", columns: "Sequence[str]") -> None:
    """The methods against one of them, as each judge sees them."""
    from dominance.report.mitigation.sentences import against_rows, against_sentence

    seen = [
        (result.judge, result.against),
        *([] if result.second is None else [(result.second.judge, result.second.against)]),
    ]
    for judge, against in seen:
        if against is not None:
            print_table(f"against {against.baseline}, judged by {judge}", columns, _table(against_rows(against)))
            if (said := against_sentence(against)) is not None:
                echo(said)


def _table(rows: "Sequence[MethodRow]") -> list[tuple[str, ...]]:
    """The columns for which a terminal has room."""
    return [
        (row.name, row.change, row.collapsed, row.kept.partition(" (")[0], row.harmed.partition(" (")[0], row.time)
        for row in rows
    ]
