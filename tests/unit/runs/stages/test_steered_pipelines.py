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
from torch import Tensor
from traces import traces

from dominance.models.schedulers import _INSISTED as INSISTED
from dominance.probes.interception import running_forward
from dominance.probes.noise_norm import noise_norms
from dominance.probes.predicted import predictions
from dominance.probes.sites import attention_sites
from dominance.records import Concept
from dominance.runs.stages import steering
from dominance.runs.stages.methods import mitigate
from dominance.runs.stages.moving import Mover

pytestmark = [  # numpy's, of diffusers
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
]

ONE = [PROMPTS[0]]
NAMES = [Concept("tower", "landmark"), "mug"]
STOCHASTIC = {
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "ddim, eta 0.7": ("DDIMScheduler", {"eta": 0.7}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
}
HIGHER = (
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
    "SASolverScheduler",
    "DPMSolverMultistepScheduler",
)
"""Euler's, and those of higher order that move as often: with a look ahead, a corrector or a memory of steps."""


def with_scheduler(family: str, name: str) -> tuple[Any, dict[str, Any]]:
    """The family's pipeline under a scheduler that draws noise, and what its call is given."""
    kind, given = STOCHASTIC[name]
    pipeline: Any = copy.copy(tiny(family))
    pipeline.scheduler = getattr(diffusers, kind).from_config(pipeline.scheduler.config)
    return pipeline, given


def steer(pipeline: DiffusionPipeline, method: str, times: int = 1, steps: int = 4, **given: Any) -> list[np.ndarray]:
    """So many pictures of one seed, drawn in one block."""
    with mitigate(pipeline, NAMES, method, layers=[attention_sites(pipeline)[-1].layer]):
        return [draw(pipeline, ONE, steps=steps, **given) for _ in range(times)]


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


def moved_latents(pipeline: DiffusionPipeline, taken: list[int], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    """Latents of ten steps of which only those of these numbers are moved, by 1; and how many would have been."""
    made = 0

    def moved(mover: Mover, looking: Any, before: Tensor, acting: Any, at: Any, scale: float) -> Tensor:
        nonlocal made
        made += 1
        return before - scale * (made - 1 in taken)

    monkeypatch.setattr(Mover, "_moved", moved)
    return steer(pipeline, "overlap", steps=10, output_type="latent")[0], made


@pytest.mark.parametrize("kind", [*HIGHER, "DPMSolverSinglestepScheduler"])
def test_every_move_takes_effect(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline: Any = copy.deepcopy(tiny("sd1"))
    pipeline.scheduler = getattr(diffusers, kind).from_config(pipeline.scheduler.config, **INSISTED.get(kind, {}))
    for parameter in pipeline.unet.conv_out.parameters():
        parameter.data.zero_()  # nothing predicted: a scheduler keeps the noise, and what it was moved by
    plain, made = moved_latents(pipeline, [], monkeypatch)
    assert made == (4 if kind in HIGHER else 2)  # until 0.4; one that takes two steps at once moves once in them
    for number in range(made):
        other, _ = moved_latents(pipeline, [number], monkeypatch)
        assert (plain - other).mean() > 0.5, number


@pytest.mark.parametrize("name", ["euler-a", "heun", "dpm2"])
def test_regions_act_in_every_forward_after_the_first(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, _ = with_scheduler("sd1", name)
    edited: dict[tuple[int, int], int] = {}
    own = steering._Course._masks

    def masks(course: Any, *given: Any) -> Tensor:
        forward = running_forward(pipeline.unet)
        assert forward is not None
        edited[forward.step, forward.index] = edited.get((forward.step, forward.index), 0) + 1
        return own(course, *given)

    monkeypatch.setattr(steering._Course, "_masks", masks)
    steer(pipeline, "regions")
    assert len(edited) == len(pipeline.scheduler.timesteps) - 1
    assert set(edited.values()) == {len(attention_sites(pipeline))}
