"""``dominance judge``: whether a judge can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dominance.cli import options as shared
from dominance.cli.output import print_json, print_table, resumable
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED

if TYPE_CHECKING:
    from dominance.records import Rate
    from dominance.runs.judge_check.result import AgreementRow, JudgeCheck

EXAMPLE = (
    "\b\nExamples:\n  dominance judge check --judge miniature\n"
    "  dominance judge check runs/campaign --judge qwen:Qwen/Qwen2-VL-2B-Instruct --against-mode official\n"
    "  dominance judge check pictures/ --suite campaign.yaml --judge blip:FOLDER --labels people.csv"
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Find out whether a judge can be trusted.")


@app.callback()
def _group() -> None:
    """Find out whether a judge can be trusted."""


@app.command("check", epilog=EXAMPLE)
def check(
    images: Annotated[
        list[Path] | None,
        typer.Argument(help="Run folders of audits, or folders of images; without any, the miniature world is drawn."),
    ] = None,
    judge: shared.JudgeName = "miniature",
    judge_mode: shared.JudgeMode = "fast",
    against: Annotated[str | None, typer.Option(help="A second judge, to see how far the two agree.")] = None,
    against_mode: Annotated[
        str | None, typer.Option(help="Its mode; without --against, the same judge in this mode.")
    ] = None,
    suite: Annotated[str, typer.Option(help="What the images of a plain folder were made from.")] = "miniature",
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV or JSONL of what is true: prompt_id, image, concept, present; see answers:."),
    ] = None,
    each: Annotated[int, typer.Option(help="Control images of every kind.")] = 48,
    limit: Annotated[int, typer.Option(help="Images as they are, at most; spread over the prompts.")] = 120,
    seed: Annotated[int, typer.Option(help="Of which images are taken, and of what is drawn.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the check; the same folder resumes.")] = Path("runs/judge-check"),
    device: shared.Device = "auto",
    questions: shared.Questions = None,
    json: shared.AsJson = False,
) -> None:
    """Find out what a judge's yes is worth, before a run is paid for.

    Asks about images that do not show what they are asked about (blank, noise, another prompt's or concept's, torn,
    in shuffled patches), about images as they are, and, if given, compares with a second judge and with labels.
    Exit status: 0 done, 2 bad input, 3 done but some questions have no answer.
    """
    from dominance.report.judge_check import write_judge_check
    from dominance.runs.judge_check.run import JudgeCheckOptions, check_judge

    other = against if against is not None or against_mode is None else judge
    chosen = JudgeCheckOptions(
        mode=judge_mode,
        against_mode=against_mode or "fast",
        each=each,
        limit=limit,
        labels=labels,
        questions=questions,
        device=device,
        seed=seed,
    )
    with resumable(out):
        result = check_judge(judge, tuple(images or ()), other, suite, out, chosen)
        written = write_judge_check(result, out)
    if json:
        print_json(result.document())
    else:
        _print(result, written)
    raise typer.Exit(EXIT_UNSCORED if result.unanswered else EXIT_DONE)


def _print(result: "JudgeCheck", written: tuple[Path, ...]) -> None:
    """What was found, on one screen."""
    from dominance.runs.judge_check.verdict import calibration_sentence

    for judge in result.judges:
        typer.echo(" ".join((judge.verdict, *judge.details)))
        for found in judge.calibrations:
            typer.echo(calibration_sentence(found))
        if judge.unanswered:
            typer.echo(f"{judge.unanswered} questions have no answer: {judge.problem or 'no reason given'}")
    grades = len(result.judges[0].own.grades)
    columns = ("asked about", "images", "yes", "95% interval", *(f"grade {grade + 1}" for grade in range(grades)))
    for judge in result.judges:
        rows = [
            (shows, str(tally.images), *_shares(tally.yes, *tally.grades))
            for shows, tally in (
                ("what the prompt names", judge.own), *((one.shows, one.tally) for one in judge.controls)
            )
        ]  # fmt: skip
        print_table(f"{judge.title}: share of yes", columns, rows)
    if result.agreement is not None:
        typer.echo(result.agreement.sentence)
        found = result.agreement
        rows = [_agreed(row) for row in (found.total, *found.kinds, *found.grades, found.controls, found.together)]
        print_table("agreement", ("questions about", "n", "agreed", "κ", "95% interval"), rows)
    for line in result.notes:
        typer.echo(f"note: {line}")
    for path in written:
        typer.echo(f"wrote {path}")


def _shares(total: "Rate", *grades: "Rate") -> tuple[str, ...]:
    interval = "–" if total.interval is None else f"{100 * total.interval[0]:.0f} to {100 * total.interval[1]:.0f}%"
    return (_percent(total), interval, *map(_percent, grades))


def _percent(rate: "Rate") -> str:
    return "–" if rate.share is None else f"{100 * rate.share:.0f}%"


def _agreed(row: "AgreementRow") -> tuple[str, ...]:
    table = row.confusion
    share = f"{100 * table.agreed / table.n:.0f}%" if table.n else "–"
    kappa = "no value" if row.kappa is None else f"{row.kappa:.2f}"
    interval = "–" if row.interval is None else f"{row.interval[0]:.2f} to {row.interval[1]:.2f}"
    return (row.name, str(table.n), share, kappa, interval)
