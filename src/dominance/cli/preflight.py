"""``dominance preflight``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.output import echo, print_json, print_table, tell_next, worst_of
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
) -> None:
    """Predict from part of the first denoising step whether a prompt will lose a concept; no image is made.

    Only the branch with the prompt runs, and only up to the last layer needed. The rule is the bundled calibration of
    the model, if there is one, or the paper's: mean focus score of layers 9 and 10, high from 0.010.
    `dominance calibrate` fits a rule for another model.
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


def _print(found: Sequence["Preflight"], model: str) -> None:
    columns = ("prompt", "risk", "score", "threshold", "peak token", "dominating", "cost")
    rows = [
        (
            risk.prompt,
            risk.risk,
            measure(risk.score),
            measure(risk.threshold),
            risk.peak_token,
            risk.dominating or UNKNOWN,
            share(risk.unet_share),
        )
        for risk in worst_of(found, _riskiest_first)
    ]
    rules = "; ".join(dict.fromkeys(risk.rule for risk in found))
    print_table(f"{model}: risk by {rules}", columns, rows, "printed by --json")
    high = sum(1 for risk in found if risk.risk == "high")
    echo(f"{high} of {len(found)} prompts at high risk; cost: share of the denoiser's work for one whole image")


def _riskiest_first(found: Sequence["Preflight"]) -> Sequence["Preflight"]:
    return sorted(found, key=lambda risk: (risk.risk != "high", -risk.score))
