"""A calibrated rule looks at a prompt as it looked at those that it was fitted on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import tensor

from dominance.errors import InputError, RunError
from dominance.metrics import Logistic
from dominance.models.drawing import Drawing
from dominance.models.folders import find_model
from dominance.models.own_pipeline import OwnPipeline
from dominance.models.pipelines import load_pipeline
from dominance.records import Prompt, RunResult
from dominance.run_settings import RunSettings
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
    result = RunResult(
        "run", "suite", str(tiny_model), "judge", RunSettings.of(settings), (), (), None, {"model": made_by}
    )
    opened = model_of(result, None, CalibrationOptions())
    scheduler: Any = opened().pipeline.components["scheduler"]
    assert opened.settings.scheduler == type(scheduler).__name__ == "HeunDiscreteScheduler"


def drawn_with(tiny_model: Path, **settings: object) -> RunResult:
    made_by = {"name": str(tiny_model), "identity": find_model(str(tiny_model)).identity}
    usual = {"seeds": [0], "steps": 4, "guidance": 5.0, "dtype": "float32"}
    return RunResult(
        "run", "suite", str(tiny_model), "judge", RunSettings.of(usual | settings), (), (), None, {"model": made_by}
    )


def test_options_that_say_what_the_run_says_are_taken_and_others_refused(tiny_model: Path) -> None:
    run = drawn_with(tiny_model, scheduler="EulerDiscreteScheduler")
    same = model_of(run, None, CalibrationOptions(drawing=Drawing(scheduler="euler", steps=4)))
    assert (same.settings.scheduler, same.settings.steps) == ("EulerDiscreteScheduler", 4)
    own = model_of(drawn_with(tiny_model), None, CalibrationOptions(drawing=Drawing(scheduler="ddim")))
    assert own.settings.scheduler is None
    for given, message in (
        (Drawing(steps=5), "steps is 5, but the run used 4; leave it out"),
        (Drawing(scheduler="ddim"), "scheduler is 'ddim', but the run used 'EulerDiscreteScheduler'"),
        (Drawing(height=64), "height is 64, but the run used the model's own; leave it out"),
    ):
        with pytest.raises(InputError, match=message):
            model_of(run, None, CalibrationOptions(drawing=given))


def test_a_pipeline_of_ones_own_made_the_run_if_it_is_the_same(tiny_model: Path) -> None:
    pipeline = load_pipeline(str(tiny_model), "cpu")
    run = drawn_with(tiny_model)
    with pytest.raises(RunError, match="'your StableDiffusionPipeline' is now sha256:"):
        model_of(run, pipeline, CalibrationOptions())
    own = replace(run, manifest={"model": {"name": "x", "identity": OwnPipeline(pipeline).identity}})
    assert model_of(own, pipeline, CalibrationOptions())().pipeline is pipeline
