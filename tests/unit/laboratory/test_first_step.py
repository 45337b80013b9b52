"""What the card says of a model's first step: the calibrated rule, and the paper's where the model has its layers."""

from types import SimpleNamespace
from typing import Any

import pytest

from dominance.errors import InputError
from dominance.laboratory.first_step import LAYERS, first_step
from dominance.metrics import PAPER_LAYERS, rate
from dominance.records import RunResult
from dominance.run_settings import RunSettings
from dominance.runs.risk.calibrate import RuleQuality

RUN = RunResult("run", "s", "m", "j", RunSettings(), (), (), None, {})
RULE = RuleQuality("r", 0.9, (0.8, 1.0), 0.5, rate(1, 2), rate(0, 2), rate(1, 2))


def fit_in(monkeypatch: pytest.MonkeyPatch, *known: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Lets the fit succeed in these layers alone; what is asked for is listed."""
    asked: list[tuple[int, ...]] = []

    def calibrate(_folder: object, *, options: Any) -> SimpleNamespace:
        asked.append(options.layers)
        if options.layers not in known:
            raise InputError(f"no attention layers {options.layers}")
        paper = RULE if options.layers == PAPER_LAYERS else None
        return SimpleNamespace(n=48, positives=15, calibrated=RULE, paper=paper)

    monkeypatch.setattr("dominance.laboratory.first_step.calibrate", calibrate)
    return asked


def test_both_rules_are_told_where_the_model_has_the_layers_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fit_in(monkeypatch, LAYERS, PAPER_LAYERS)
    found = first_step(RUN)
    assert asked == [LAYERS, PAPER_LAYERS]
    assert (found.prompts, found.dominated, found.calibrated, found.paper, found.problem) == (48, 15, RULE, RULE, None)


def test_a_model_without_the_papers_layers_keeps_its_calibrated_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    fit_in(monkeypatch, LAYERS)
    found = first_step(RUN)
    assert (found.calibrated, found.paper, found.problem) == (RULE, None, None)


def test_where_no_rule_can_be_fitted_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fit_in(monkeypatch)
    found = first_step(RUN)
    assert asked == [LAYERS]
    assert (found.calibrated, found.paper, found.problem) == (None, None, f"no attention layers {LAYERS}")
