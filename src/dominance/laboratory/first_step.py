"""How well a model's first denoising step tells which of its prompts one concept dominates."""

from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.metrics import PAPER_LAYERS
from dominance.records import RunResult
from dominance.runs.risk.calibrate import CalibrationReport, RuleQuality, calibrate
from dominance.runs.risk.options import CalibrationOptions

LAYERS: tuple[int, ...] = (1,)
"""As the shipped calibration; see docs/decisions/018-eight-noises.md."""


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
        report = _fitted(run, LAYERS)
    except InputError as error:
        return FirstStep(len(run.prompts), dominated, None, None, str(error))
    try:
        paper = _fitted(run, PAPER_LAYERS).paper
    except InputError:  # the prompts do, so the model lacks these layers
        paper = None
    return FirstStep(report.n, report.positives, report.calibrated, paper)


def _fitted(run: RunResult, layers: tuple[int, ...]) -> CalibrationReport:
    return calibrate(Path(run.run), options=CalibrationOptions(hold_out="concept", layers=layers))
