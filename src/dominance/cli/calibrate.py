"""``dominance calibrate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.output import echo, print_json, print_table, tell_next, tell_written, warn_again
from dominance.files import check_writable
from dominance.numbers import coefficient, fraction, measure
from dominance.runs.audit.options import WHAT
from dominance.runs.risk.options import CalibrationOptions

if TYPE_CHECKING:
    from dominance.runs.risk.calibrate import CalibrationReport, RuleQuality

app = new_app(
    "calibrate",
    help_epilogue="Examples:\n"
    "  dominance calibrate runs/miniature-dominance --out risk.json\n"
    "  dominance preflight campaign.yaml --calibration risk.json\n"
    "  dominance calibrate runs/miniature-dominance --early --out early.json\n",
)


@app.default
def command(
    run: Annotated[Path, Parameter(group=WHAT, help="Run folder of an audit.")],
    *,
    model: Annotated[
        str | None,
        Parameter(group=WHAT, help="Model that made the run's images; by default the one that the run names."),
    ] = None,
    options: CalibrationOptions = CalibrationOptions(),
    out: Annotated[
        Path | None,
        Parameter(group=shared.OUTPUT, help="File for the rule; calibration.json in the run folder unless given."),
    ] = None,
    output: shared.Answered = shared.Answered(),
) -> None:
    """Fit the rule of `dominance preflight` on an audited run, and measure it on held-out prompts.

    Writes the rule to --out, or to calibration.json in the run folder. With --early, fits the threshold
    below which `dominance generate` gives up an image, and writes it to --out, or to early.json. The model runs under
    the run's settings; drawing options fill in what the run does not record, as for images made elsewhere.
    Exit status: 0 done, 2 bad input.
    """
    from dominance.documents import to_json
    from dominance.runs.risk.calibrate import calibrate, document_of

    check_writable(out)
    if options.early:
        _early(run, model, out, options, output.json)
        return
    report = calibrate(run, model, out, options)
    if output.json:
        print_json(to_json(document_of(report)))
    else:
        _print(report, run, out or run / "calibration.json")


def _early(run: Path, model: str | None, out: Path | None, options: CalibrationOptions, json: bool) -> None:
    """The threshold of `dominance generate`."""
    from dominance.documents import to_json
    from dominance.report.generation.sentences import early_sentences
    from dominance.report.generation.steps import after_early
    from dominance.runs.risk.early import EARLY_NAME, calibrate_early

    found = calibrate_early(run, model, None, out, options)
    if json:
        print_json(to_json(found))
        return
    file = out or run / EARLY_NAME
    echo(*early_sentences(found))
    tell_written([file])
    tell_next(after_early(run, found, file))


def _print(report: "CalibrationReport", run: Path, file: Path) -> None:
    from dominance.report.parts.next_steps import after_calibrate

    kind = "dominance prompts" if report.calibration.label == "prompt" else "collapsed images"
    columns = ("rule", "AUC (95%)", "threshold", "flagged", "false alarms", "names who dominates")
    listed = [report.calibrated, *([report.paper] if report.paper is not None else [])]
    title = f"{report.suite}: {report.positives} {kind} of {report.n}, held out by {report.calibration.hold_out}"
    print_table(title, columns, [_quality_row(quality) for quality in listed])
    rows = [
        (
            str(layer.layer),
            measure(layer.focus_positive, layer.focus_positive_interval),
            measure(layer.focus_other, layer.focus_other_interval),
            coefficient(layer.auc, layer.interval),
            fraction(layer.named),
        )
        for layer in report.layers
    ]
    print_table("focus by layer", ("layer", kind, "others", "AUC (95%)", "names who dominates"), rows)
    echo("the layers are measured on the prompts that they are picked on; the rules above, on held-out prompts")
    echo(*(f"left out: {count} {reason}" for reason, count in report.left_out.items() if count))
    warn_again(report.judge_warnings)
    tell_written([file])
    tell_next(after_calibrate(run, report, file))


def _quality_row(quality: "RuleQuality") -> tuple[str, ...]:
    shares = map(fraction, (quality.flagged, quality.false_alarms, quality.named))
    return (quality.rule, coefficient(quality.auc, quality.interval), measure(quality.threshold), *shares)
