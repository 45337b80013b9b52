"""``dominance preflight``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dominance.cli import options as shared
from dominance.cli.numbers import parse_numbers
from dominance.cli.output import check_writable, print_json, print_table
from dominance.errors import InputError

if TYPE_CHECKING:
    from dominance.probes.tokens import TokenSet
    from dominance.records import Interval, Rate
    from dominance.runs.risk.calibrate import CalibrationReport, HoldOut, Label, RuleQuality
    from dominance.runs.risk.preflight import Preflight

EXAMPLE = (
    '\x08\nExamples:\n  dominance preflight "a [tower:landmark] and a [mug]"\n'
    "  dominance preflight --calibrate runs/miniature-dominance --out risk.json\n"
    "  dominance preflight campaign.yaml --calibration risk.json --json"
)


def command(
    suite: Annotated[
        str | None, typer.Argument(help="A prompt, its concepts in brackets, a bundled suite, YAML, CSV or JSONL file.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="miniature (the default), a diffusers folder, or a hub id.")] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Noises averaged for a prompt: a count, 1 unless given, or seeds such as 7,8,9."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the whole generation; the model's own.")] = None,
    guidance: Annotated[float | None, typer.Option(help="Its guidance scale; the model's own.")] = None,
    height: shared.Height = None,
    width: shared.Width = None,
    dtype: Annotated[str | None, typer.Option(help="float32, the default, float16 or bfloat16.")] = None,
    layers: Annotated[
        str | None, typer.Option(help="Attention layers, such as 9,10 or 1-16; with them the paper's rule is used.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Score from which the risk is high; the rule's own.")] = None,
    tokens: Annotated[
        str | None, typer.Option(help="What is compared: content (the default), content+end, or all.")
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(help="File that --calibrate wrote, or none for the paper's rule; the model's own if it has one."),
    ] = None,
    limit: shared.Limit = None,
    batch: Annotated[int | None, typer.Option(help="First steps at once; fitted to the model unless given.")] = None,
    device: shared.Device = "auto",
    offload: shared.Offload = "none",
    calibrate: Annotated[
        Path | None, typer.Option(help="Fit a rule on this run folder of an audit, instead of looking at prompts.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="With --calibrate, what is foretold of: prompt, the default, or image.")
    ] = None,
    hold_out: Annotated[
        str | None, typer.Option(help="With --calibrate, what validation keeps apart: prompt, the default, or concept.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --calibrate, the file to write; calibration.json in the run folder.")
    ] = None,
    json: shared.AsJson = False,
) -> None:
    """Foretell from a part of the first denoising step whether a prompt will lose a concept; no image is made.

    Only the branch with the prompt runs, and only up to the last layer that is needed. The rule is the calibration
    that ships for the model, where there is one, else the paper's: mean focus score of layers 9 and 10, high from
    0.010. With --calibrate, fits a rule for the model of an audited run, and says how well it does on prompts that it
    was not fitted on.
    """
    from dominance.seeds import parse_seeds

    noises, chosen = parse_seeds(seeds or "1"), parse_numbers("--layers", layers)
    if calibrate is not None:
        _refuse(
            "--calibrate", suite=suite, steps=steps, guidance=guidance, height=height, width=width,
            threshold=threshold, calibration=calibration, limit=limit, dtype=dtype,
        )  # fmt: skip
        if label == "image":
            _refuse("--label image", seeds=seeds)
        from dominance.runs.risk.calibrate import CalibrationOptions
        from dominance.runs.risk.calibrate import calibrate as fit

        check_writable(out)
        fitting = CalibrationOptions(
            label=cast("Label", label or "prompt"),
            hold_out=cast("HoldOut", hold_out or "prompt"),
            seeds=noises,
            layers=chosen,
            tokens=cast("TokenSet", tokens or "content"),
            batch=batch,
            device=device,
            offload=offload,
        )
        _print_report(fit(calibrate, model, out, fitting), out or calibrate / "calibration.json", json)
        return
    if suite is None:
        raise InputError(
            "what to look at is not given; give a prompt such as 'a [tower:landmark] and a [mug]', or a suite"
        )
    if out is not None:
        raise InputError("--out names the file that --calibrate writes; redirect the output to keep this one")
    if label is not None or hold_out is not None:
        raise InputError("--label and --hold-out say how a rule is fitted; give them beside --calibrate")
    from dominance.runs.risk.preflight import PreflightOptions, preflight

    looking = PreflightOptions(
        seeds=noises,
        layers=chosen,
        threshold=threshold,
        calibration=calibration,
        tokens=cast("TokenSet | None", tokens),
        steps=steps,
        guidance=guidance,
        height=height,
        width=width,
        dtype=dtype or "float32",
        limit=limit,
        batch=batch,
        device=device,
        offload=offload,
    )
    found = preflight(suite, model or "miniature", looking)
    if json:
        print_json([one.document() for one in found])
    else:
        _print_risks(found, model or "miniature")


def _refuse(beside: str, **given: object) -> None:
    """Raises an InputError for an argument that would be ignored."""
    for name, value in given.items():
        if value is not None:
            raise InputError(f"{beside} takes no {name}: it uses what the run was made with; leave it away")


def _print_risks(found: Sequence["Preflight"], model: str) -> None:
    columns = ("prompt", "risk", "score", "threshold", "peak token", "dominating", "cost")
    rows = [
        (
            one.prompt,
            one.risk,
            f"{one.score:.3f}",
            f"{one.threshold:.3f}",
            one.peak_token,
            one.dominating or "–",
            f"{one.unet_share:.2%}",
        )
        for one in found
    ]
    rules = "; ".join(dict.fromkeys(one.rule for one in found))
    print_table(f"{model}: risk by {rules}", columns, rows)
    high = sum(1 for one in found if one.risk == "high")
    typer.echo(
        f"{high} of {len(found)} prompts at high risk; cost is the share of one whole generation's work in the denoiser"
    )


def _print_report(report: "CalibrationReport", file: Path, json: bool) -> None:
    if json:
        print_json(report.document())
        return
    kind = "prompts of verdict dominance" if report.calibration.label == "prompt" else "collapsed images"
    columns = ("rule", "AUC", "95% interval", "threshold", "flagged", "false alarms", "names who dominates")
    listed = [report.calibrated, *([report.paper] if report.paper is not None else [])]
    title = f"{report.suite}: {report.positives} {kind} of {report.n}, held out by {report.calibration.hold_out}"
    print_table(title, columns, [_quality_row(one) for one in listed])
    rows = [
        (
            str(one.layer),
            _mean(one.focus_positive, one.focus_positive_interval),
            _mean(one.focus_other, one.focus_other_interval),
            f"{one.auc:.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f})",
            _share(one.named),
        )
        for one in report.layers
    ]
    print_table("focus by layer", ("layer", kind, "others", "AUC", "names who dominates"), rows)
    typer.echo("the best layer is better here, where it is picked, than on other prompts; the rules above are held out")
    for reason, count in report.left_out.items():
        if count:
            typer.echo(f"left out: {count} {reason}")
    typer.echo(f"wrote {file}")


def _quality_row(one: "RuleQuality") -> tuple[str, ...]:
    area = f"{one.interval[0]:.2f} to {one.interval[1]:.2f}"
    shares = (_share(one.flagged), _share(one.false_alarms), _share(one.named))
    return (one.rule, f"{one.auc:.2f}", area, f"{one.threshold:.3f}", *shares)


def _mean(mean: float, interval: "Interval") -> str:
    return f"{mean:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def _share(rate: "Rate") -> str:
    return f"{rate.count}/{rate.n}"
