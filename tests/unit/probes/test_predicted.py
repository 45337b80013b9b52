"""The picture that a denoiser predicts in the middle of a call, for every family and kind of scheduler."""

import copy
from typing import Any, cast

import diffusers
import numpy as np
import pytest
import torch
from tiny_families import SIDES, draw, tiny

from dominance.errors import InputError, ModelError
from dominance.probes.predicted import Predicted, decoded, predictions

FAMILIES = ("sd1", "sd2", "sdxl", "sd3", "flux", "pixart", "auraflow", "sana")
PROMPT = ["a tower and a mug"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_step_predicts_the_picture_itself(family: str) -> None:
    pipeline = tiny(family)
    sides = {"height": 32, "width": 32} if family == "sana" else SIDES
    options = {"use_resolution_binning": False, "clean_caption": False} if family == "sana" else {}
    plain = draw(pipeline, PROMPT, steps=3, **sides, **options)
    with predictions(pipeline) as seen:
        drawn = draw(pipeline, PROMPT, steps=3, **sides, **options)
        shown = decoded(pipeline, seen.latents(), sides["height"], sides["width"])
    assert np.array_equal(drawn, plain)
    assert "step" not in vars(cast(Any, pipeline).scheduler)
    # A flow's last step ends in what it predicts; a DDIM's keeps a little noise.
    assert np.abs(shown - drawn).max() < (0.02 if family not in ("sd1", "sd2", "sdxl", "pixart") else 0.3)
    assert shown.shape == drawn.shape


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_what_a_scheduler_says_itself_is_what_the_formula_gives(kind: str) -> None:
    pipeline = tiny(kind)
    found = []

    class Both(Predicted):
        def keep(self, output: Any, timestep: Any, sample: Any, made: Any) -> None:
            super().keep(output, timestep, sample, made)
            told = self.latents()
            self._told = None
            found.append((told, self.latents()))

    scheduler = cast(Any, pipeline).scheduler
    both, plain = Both(pipeline), scheduler.step

    def step(*args: Any, **kwargs: Any) -> Any:
        made = plain(*args, **kwargs)
        both.keep(*args[:3], made)
        return made

    scheduler.step = step
    try:
        draw(pipeline, PROMPT, steps=4)
    finally:
        del scheduler.step
    assert len(found) == 4
    for told, own in found:
        assert torch.allclose(told, own, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of numpy, about diffusers
@pytest.mark.parametrize("name", ["DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "EulerDiscreteScheduler"])
def test_other_schedulers_end_in_what_they_predict(name: str) -> None:
    pipeline = cast(Any, tiny("sd1"))
    own = pipeline.scheduler
    pipeline.scheduler = getattr(diffusers, name).from_config(own.config)
    try:
        with predictions(pipeline) as seen:
            drawn = draw(pipeline, PROMPT, steps=4)
            shown = decoded(pipeline, seen.latents(), SIDES["height"], SIDES["width"])
    finally:
        pipeline.scheduler = own
    assert np.abs(shown - drawn).max() < 0.02


def test_without_a_step_there_is_nothing_to_see() -> None:
    pipeline = tiny("sd1")
    with predictions(pipeline) as seen, pytest.raises(ModelError, match="took no step"):
        seen.latents()


def test_a_scheduler_that_is_set_in_the_block_is_refused() -> None:
    pipeline = copy.copy(cast(Any, tiny("sd1")))
    with predictions(pipeline) as seen:
        draw(pipeline, PROMPT)
        pipeline.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
        with pytest.raises(InputError, match=r"set to EulerDiscreteScheduler in the block.*before the block"):
            seen.latents()


def test_a_call_that_fails_leaves_nothing_behind() -> None:
    pipeline = tiny("sd1")
    with pytest.raises(RuntimeError), predictions(pipeline):
        raise RuntimeError
    assert "step" not in vars(cast(Any, pipeline).scheduler)
