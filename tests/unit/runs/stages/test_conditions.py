"""What methods meet in a model's drawing, read from its folder or from the caller's own pipeline."""

import copy
from pathlib import Path
from typing import Any

import pytest
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, save, tiny, unet

from dominance.guidance.plan import Conditions
from dominance.models.drawing import Drawing, Machine
from dominance.probes.sites import acts_by_attention
from dominance.runs.stages.conditions import conditions_of
from dominance.runs.stages.model import RunModel

NONE = "guidance is {}, so there is none to switch off"
DISTILLED = "the model's guidance is distilled into its weights, so there is none to switch off"


def met(model: str | DiffusionPipeline, guidance: float | None = None) -> Conditions:
    return RunModel(model, Drawing(seeds=(0,), steps=4, guidance=guidance), Machine("cpu")).conditions


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_tells_the_same_as_the_pipeline(family: str, tmp_path: Path) -> None:
    found = met(str(save(family, tmp_path / "model")))
    assert found == met(tiny(family))
    assert found.backend == ("attention" if acts_by_attention(tiny(family)) else "predictions")


def test_where_regions_act_is_open_in_a_model_that_is_not_known() -> None:
    settings = Drawing(steps=4, guidance=2.0).settings(RunModel(tiny("sd1"), Drawing(), Machine("cpu")).source)
    assert conditions_of({"_class_name": "OtherModel"}, settings) == Conditions(4)


@pytest.mark.parametrize(
    ("family", "guidance", "why"),
    [
        ("sd1", None, None),
        ("sd1", 1.5, None),
        ("sd1", 1.0, NONE.format(1)),
        ("sd1", 0.0, NONE.format(0)),  # SD-Turbo's
        ("flux", None, NONE.format(1)),
        ("flux-dev", None, None),  # told a number, which can be 1
        ("flux-dev", 1.0, NONE.format(1)),
    ],
)
def test_guidance_can_be_switched_off_where_there_is_some(family: str, guidance: float | None, why: str | None) -> None:
    assert met(tiny(family), guidance).unguided == why


def test_distilled_guidance_cannot_be_switched_off() -> None:
    lcm: Any = copy.copy(tiny("sd1"))
    lcm.unet = unet(time_cond_proj_dim=8)
    assert met(lcm, 7.5).unguided == DISTILLED
    assert met(lcm, 1.0).unguided == NONE.format(1)
