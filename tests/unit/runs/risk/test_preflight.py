"""A calibrated rule looks at a prompt as it looked at those that it was fitted on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import tensor

from dominance.metrics import Logistic
from dominance.models.folders import find_model
from dominance.records import Prompt, RunResult
from dominance.runs.risk.calibrate import model_of
from dominance.runs.risk.calibration import Calibration, feature_names, risk_features
from dominance.runs.risk.options import CalibrationOptions
from dominance.runs.risk.preflight import CalibratedRule
from dominance.runs.stages.first_steps import Look

ATTENTION = tensor([[[0.40, 0.01]], [[0.01, 0.02]]])
"""Two seeds, one layer: the tower far ahead in the first, the mug a little in the second."""


def rule(label: Any) -> CalibratedRule:
    names = feature_names((3,))
    weights = np.array([float(name == "strongest.3") for name in names])
    logistic = Logistic(weights, 3.0, np.zeros(len(names)), np.ones(len(names)))
    return CalibratedRule(Calibration("m", "x", label, "prompt", "content", (3,), (3,), logistic, 1.0, 0.5), 0.5)


def look(*seeds: int) -> Look:
    concepts = {"tower": (0,), "mug": (1,)}
    prompt, attention = Prompt("p", "a tower and a mug", ()), ATTENTION[list(seeds)]
    return Look(prompt, ("tower", "mug"), concepts, (3,), attention, attention[..., 0], 1.0)


def test_a_rule_of_prompts_averages_their_seeds_features() -> None:
    both = look(0, 1)
    features = risk_features(both.attention, both.start, both.concepts).mean(0, keepdim=True)
    assert rule("prompt").score(both) == pytest.approx(rule("prompt").calibration.probability(features)[0])
    assert rule("prompt").score(look(0, 0)) == pytest.approx(rule("prompt").score(look(0)))


def test_a_rule_of_images_averages_their_probabilities() -> None:
    apart = [rule("image").score(look(seed)) for seed in (0, 1)]
    assert rule("image").score(look(0, 1)) == pytest.approx(sum(apart) / 2)
    assert abs(rule("prompt").score(look(0, 1)) - sum(apart) / 2) > 0.01  # the two are not the same


def test_layers_that_the_rule_does_not_know_change_nothing() -> None:
    seen = look(0)
    noise = torch.rand(1, 1, 2)
    more = replace(
        seen,
        layers=(2, 3),
        attention=torch.cat([noise, seen.attention], dim=1),
        start=torch.cat([noise[..., 0], seen.start], dim=1),
    )
    assert rule("prompt").score(more) == rule("prompt").score(seen)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers, with numpy 2
def test_a_calibration_looks_at_what_the_runs_own_scheduler_began_with(tiny_model: Path) -> None:
    settings = {"seeds": [0], "steps": 4, "guidance": 5.0, "dtype": "float32", "scheduler": "HeunDiscreteScheduler"}
    made_by = {"name": str(tiny_model), "identity": find_model(str(tiny_model)).identity}
    result = RunResult("run", "suite", str(tiny_model), "judge", settings, (), (), None, {"model": made_by})
    opened = model_of(result, None, CalibrationOptions())
    scheduler: Any = opened().pipeline.components["scheduler"]
    assert opened.settings.scheduler == type(scheduler).__name__ == "HeunDiscreteScheduler"
