"""Steering of pipelines as their owners set them up: schedulers that draw noise of their own, and offloading."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import diffusers
import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, draw, tiny
from traces import traces

from dominance.probes.noise_norm import noise_norms
from dominance.probes.predicted import predictions
from dominance.probes.sites import attention_sites
from dominance.records import Concept
from dominance.runs.stages.methods import mitigate

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # numpy's, of diffusers

ONE = [PROMPTS[0]]
NAMES = [Concept("tower", "landmark"), "mug"]
STOCHASTIC = {
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "ddim, eta 0.7": ("DDIMScheduler", {"eta": 0.7}),
}


def with_scheduler(family: str, name: str) -> tuple[Any, dict[str, Any]]:
    """The family's pipeline under a scheduler that draws noise, and what its call is given."""
    kind, given = STOCHASTIC[name]
    pipeline: Any = copy.copy(tiny(family))
    pipeline.scheduler = getattr(diffusers, kind).from_config(pipeline.scheduler.config)
    return pipeline, given


def steer(pipeline: DiffusionPipeline, method: str, times: int = 1, **given: Any) -> list[np.ndarray]:
    """So many pictures of one seed, drawn in one block."""
    with mitigate(pipeline, NAMES, method, layers=[attention_sites(pipeline)[-1].layer]):
        return [draw(pipeline, ONE, steps=4, **given) for _ in range(times)]


@pytest.mark.parametrize(
    ("family", "name"), [*(("sd1", name) for name in STOCHASTIC), ("sdxl", "euler-a"), ("pixart", "euler-a")]
)
def test_a_scheduler_s_own_noise_is_the_seed_s(family: str, name: str) -> None:
    pipeline, given = with_scheduler(family, name)
    plain = draw(pipeline, ONE, steps=4, **given)
    assert np.array_equal(plain, draw(pipeline, ONE, steps=4, **given))
    for still in ("overlap:strength=0", "schedule:until=0"):
        (made,) = steer(pipeline, still, **given)
        assert np.array_equal(made, plain), still
    for method in ("regions", "overlap", "rebalance"):
        one, other = steer(pipeline, method, 2, **given)
        assert np.array_equal(one, other), method
        assert not np.array_equal(one, plain), method
    with predictions(pipeline):
        assert np.array_equal(draw(pipeline, ONE, steps=4, **given), plain)


@pytest.mark.parametrize("family", FAMILIES)
def test_offloading_steers_alike_and_keeps_its_hooks(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    methods = ["regions", "overlap", "schedule:until=0.5:landmark=castle"]
    methods += ["regions:backend=predictions:until=1"] if family == "sd1" else []
    pipeline: Any = copy.deepcopy(tiny(family))
    plain = draw(pipeline, ONE, steps=4)
    wanted = {method: steer(pipeline, method)[0] for method in methods}
    pipeline.enable_model_cpu_offload(device="cpu")
    draw(pipeline, ONE, steps=4)
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    before = traces(pipeline)
    running, freed = [0], []

    def count(by: int, *_: Any) -> None:
        running[0] += by

    denoiser.register_forward_pre_hook(partial(count, 1))
    denoiser.register_forward_hook(partial(count, -1))
    free = pipeline.maybe_free_model_hooks
    monkeypatch.setattr(pipeline, "maybe_free_model_hooks", lambda: (freed.append(running[0]), free()))
    for method, made in wanted.items():
        first, second = steer(pipeline, method, 2)
        assert np.array_equal(first, second), method
        assert np.abs(first - made).max() < 1e-5, method
    assert freed
    assert not any(freed)
    monkeypatch.undo()
    denoiser._forward_hooks.clear()
    denoiser._forward_pre_hooks.clear()
    assert np.array_equal(draw(pipeline, ONE, steps=4), plain)
    assert traces(pipeline) == before
    assert hasattr(denoiser, "_hf_hook")


def test_a_scheduler_that_is_set_in_the_block_is_followed() -> None:
    pipeline: Any = copy.copy(tiny("sd1"))
    own = pipeline.scheduler
    make: Callable[[], Any] = lambda: diffusers.EulerDiscreteScheduler.from_config(own.config)  # noqa: E731
    pipeline.scheduler = make()
    (wanted,) = steer(pipeline, "overlap")
    pipeline.scheduler = own
    other = make()
    with mitigate(pipeline, NAMES, "overlap", layers=[attention_sites(pipeline)[-1].layer]):
        pipeline.scheduler = other
        made = draw(pipeline, ONE, steps=4)
    assert np.array_equal(made, wanted)
    assert "step" not in vars(own) | vars(other)


def test_what_looks_at_the_pipeline_in_the_block_leaves_its_scheduler_alone() -> None:
    pipeline = tiny("sd1")
    (wanted,) = steer(pipeline, "overlap")
    with mitigate(pipeline, NAMES, "overlap", layers=[attention_sites(pipeline)[-1].layer]):
        timesteps = cast(Any, pipeline).scheduler.timesteps.clone()
        noise_norms(pipeline, ONE, [0], steps=3)
        assert torch.equal(cast(Any, pipeline).scheduler.timesteps, timesteps)
        assert np.array_equal(draw(pipeline, ONE, steps=4), wanted)
