"""``dominance judge``: whether a judge can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import GROUPS, new_app
from dominance.cli.interrupts import results_are_in
from dominance.cli.output import echo, note, print_json, print_table, tell_next, tell_written, warn_again
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.judges.options import JUDGE
from dominance.numbers import coefficient, fraction, rate, share
from dominance.runs.audit.options import WHAT
from dominance.runs.judge_check.options import JudgeCheckOptions

if TYPE_CHECKING:
    from dominance.runs.judge_check.generated_result import GeneratedFindings
    from dominance.runs.judge_check.result import AgreementRow, JudgeCheck

app = new_app("judge", GROUPS["judge"], help_epilogue="Example:\n  dominance judge check --judge miniature\n")


@app.command(
    help_epilogue="Examples:\n"
    "  dominance judge check --judge miniature\n"
    "  dominance judge check --judge blip:my-judge --half dev\n"
    "  dominance judge check runs/campaign --judge qwen:owner/name\n"
    "  dominance judge check pictures/ --suite campaign.yaml --labels people.csv\n",
)
def check(
    *images: Annotated[
        Path,
        Parameter(
            group=WHAT,
            help="Run folders of audits, or folders of images; by default, pictures that the bundled models drew and"
            " readers labelled.",
        ),
    ],
    judge: shared.JudgeName = "miniature",
    against: Annotated[
        str | None,
        Parameter(
            group=JUDGE,
            help="A second judge, to measure how far the two agree; with --against-mode, by default the same judge.",
        ),
    ] = None,
    suite: Annotated[
        str | None,
        Parameter(group=WHAT, help="Suite that the images of a plain folder were made from; default: miniature."),
    ] = None,
    options: JudgeCheckOptions = JudgeCheckOptions(),
    output: shared.Output = shared.Output(),
) -> int:
    """Find out whether a judge's "yes" can be trusted, before you pay for a run.

    Compares its answers with what readers saw on pictures that the bundled models drew, or with your own images and
    labels. Also asks about images that do not show the concept: blank, noise, of another prompt, torn, shuffled.
    Writes judge-check.html.
    Exit status: 0 done, 2 bad input, 3 done but some questions have no answer, or some images no prompt.
    """
    from dominance.runs.judge_check.run import check_judge

    return deliver(check_judge(judge, images, against, suite, output.out, options), output.json)


def deliver(result: "JudgeCheck", json: bool) -> int:
    """Writes the page and prints what was found; gives the command's exit status."""
    from dominance.documents import printed
    from dominance.images.left_out import left_out_lines
    from dominance.report.judge_check.page import write_judge_check
    from dominance.report.parts.next_steps import after_judge_check

    results_are_in(Path(result.run))
    written = write_judge_check(result, Path(result.run))
    note(*left_out_lines(result.left_out))
    if json:
        print_json(printed(result))
    else:
        print_check(result)
        tell_written(written)
        tell_next(after_judge_check(result))
    return EXIT_DONE if result.complete else EXIT_UNSCORED


def print_check(result: "JudgeCheck") -> None:
    """What was found, on one screen."""
    from dominance.runs.judge_check.verdict import calibration_sentence

    warn_again(result.judge_warnings)
    for judge in result.judges:
        echo(" ".join((judge.verdict, *judge.details)), *map(calibration_sentence, judge.calibrations))
        if judge.unanswered:
            echo(f"{judge.unanswered} questions have no answer: {judge.problem or 'no reason given'}")
    grades = len(result.judges[0].own.grades)
    columns = ("asked about", "images", "yes (95%)", *(f"grade {grade + 1}" for grade in range(grades)))
    for judge in result.judges:
        asked = [("the prompt's own concepts", judge.own), *((control.shows, control) for control in judge.controls)]
        rows = [(shows, str(tally.images), rate(tally.yes), *map(fraction, tally.grades)) for shows, tally in asked]
        print_table(f"{judge.title}: share of yes", columns, rows)
        if judge.generated is not None:
            _print_generated(judge.title, judge.generated)
    if result.agreement is not None:
        found = result.agreement
        echo(found.sentence)
        rows = [_agreed(row) for row in (found.total, *found.kinds, *found.grades, found.controls, found.together)]
        print_table("agreement", ("questions about", "agreed", "κ (95%)"), rows)
    if result.readers is not None:
        echo(result.readers.sentence)
    echo(*(f"note: {line}" for line in result.notes))


def _print_generated(title: str, found: "GeneratedFindings") -> None:
    """False noes and false yeses, and what is wanted."""
    rows = [
        [row.name, rate(row.false_no), rate(row.false_yes)]
        for row in (found.total, found.named, *found.scenes)
    ]  # fmt: skip
    print_table(f"{title} on pictures that models drew", ("about", "false no", "false yes"), rows)
    wanted = [
        [row.name, f"≤ {share(row.most)}" if row.most is not None else f"≥ {share(row.least or 0.0)}",
         rate(row.found), "–" if row.holds is None else "yes" if row.holds else "NO"]
        for row in found.criteria
    ]  # fmt: skip
    print_table(f"{title}: what is wanted", ("criterion", "wanted", "found", "holds"), wanted)


def _agreed(row: "AgreementRow") -> tuple[str, ...]:
    kappa = "undefined" if row.kappa is None else coefficient(row.kappa, row.interval)
    return (row.name, f"{row.agreed} of {row.n}", kappa)
