"""How well a model's first denoising step tells which of its prompts one concept dominates."""

from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.records import RunResult
from dominance.runs.risk.calibrate import RuleQuality, calibrate
from dominance.runs.risk.options import CalibrationOptions

LAYERS: tuple[int, ...] = (1,)
"""As the shipped calibration; see docs/decisions/018-eight-noises.md."""
PAPER_LAYERS: tuple[int, ...] = (9, 10)
"""Those of the paper's rule."""


@dataclass(frozen=True)
class FirstStep:
    """The calibrated rule, prompts held out by concept, and the paper's beside it.

    Attributes:
        prompts, dominated: that were told apart.
        calibrated: None where there are too few prompts of a kind; ``problem`` then says so.
        paper: None likewise, and where the model lacks the paper's layers.
    """

    prompts: int
    dominated: int
    calibrated: RuleQuality | None
    paper: RuleQuality | None
    problem: str | None = None


def first_step(run: RunResult) -> FirstStep:
    """Fits the rule on prompts of a run that share no concept with the prompt that it is tried on.

    Raises:
        RunError: the run's model has changed.
    """
    dominated = sum(prompt.verdict == "dominance" for prompt in run.prompts)
    try:
        report, paper = (
            calibrate(Path(run.run), options=CalibrationOptions(hold_out="concept", layers=layers))
            for layers in (LAYERS, PAPER_LAYERS)
        )
    except InputError as error:
        return FirstStep(len(run.prompts), dominated, None, None, str(error))
    return FirstStep(report.n, report.positives, report.calibrated, paper.paper)
