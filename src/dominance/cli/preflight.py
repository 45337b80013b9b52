"""``dominance preflight``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.output import echo, print_json, print_table, tell_next, worst_of
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.numbers import UNKNOWN, measure, share
from dominance.runs.risk.options import PreflightOptions

if TYPE_CHECKING:
    from dominance.runs.risk.preflight import Preflight

app = new_app(
    "preflight",
    help_epilogue="Examples:\n"
    '  dominance preflight "a [tower:landmark] and a [mug]"\n'
    "  dominance preflight campaign.yaml --calibration risk.json --json\n",
)


@app.default
def command(
    suite: shared.Suite,
    *,
    model: shared.Model = "miniature",
    options: PreflightOptions = PreflightOptions(),
    output: shared.Answered = shared.Answered(),
) -> int:
    """Predict from part of the first denoising step whether a prompt will lose a concept; no image is made.

    Only the branch with the prompt runs, and only up to the last layer needed, with eight noises unless --seeds says
    otherwise: one noise alone says little. The rule is the bundled calibration of the model, if there is one. Without
    one the risk is uncalibrated, and `dominance calibrate` fits a rule; --calibration none uses the paper's: mean focus
    score of layers 9 and 10, high from 0.010. Writes no file. Exit status: 0 done, 2 bad input, 3 done but some prompts
    have no prediction.
    """
    from dominance.documents import printed
    from dominance.report.parts.next_steps import after_preflight
    from dominance.runs.risk.preflight import preflight

    found = preflight(suite, model, options)
    if output.json:
        print_json([printed(risk) for risk in found])
    else:
        _print(found, model)
        tell_next(after_preflight(found, suite, model, options))
    return EXIT_UNSCORED if any(risk.problem is not None for risk in found) else EXIT_DONE


def _print(found: Sequence["Preflight"], model: str) -> None:
    noises = max(len(risk.seeds) for risk in found)
    spread = f" ({noises} noises)" if noises > 1 else ""
    columns = ("prompt", "risk", f"score{spread}", "threshold", "peak token", "dominating", "cost")
    rows = [
        (
            risk.prompt,
            risk.risk or UNKNOWN,
            measure(risk.score, risk.spread),
            measure(risk.threshold),
            risk.peak_token or UNKNOWN,
            risk.dominating or UNKNOWN,
            UNKNOWN if risk.problem else share(risk.unet_share),
        )
        for risk in worst_of(found, _riskiest_first)
    ]
    rules = "; ".join(dict.fromkeys(risk.rule for risk in found if risk.rule))
    print_table(f"{model}: risk{' by ' if rules else ''}{rules}", columns, rows, "printed by --json")
    echo(*(f"nothing is said about “{risk.prompt}”: {risk.problem}" for risk in found if risk.problem))
    high = sum(1 for risk in found if risk.risk == "high")
    unknown = [risk for risk in found if risk.risk == "uncalibrated"]
    fitted = any(risk.fitted for risk in unknown)
    why = "the model's rule compares concepts in brackets" if fitted else "no rule has been fitted to this model"
    echo(
        f"{high} of {len(found)} prompts at high risk" + (f", {len(unknown)} uncalibrated: {why}" if unknown else ""),
        "cost: share of the denoiser's work for one whole image"
        + ("; in brackets: lowest and highest score of a single noise" if noises > 1 else ""),
    )


def _riskiest_first(found: Sequence["Preflight"]) -> Sequence["Preflight"]:
    return sorted(found, key=lambda risk: (risk.risk != "high", -(risk.score or 0.0)))
