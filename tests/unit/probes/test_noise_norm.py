"""The recorded norms are those of the model's own two predictions, and recording leaves nothing behind."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, UniPCMultistepScheduler
from tiny_families import PROMPTS, draw, tiny

from dominance.errors import InputError, ModelError
from dominance.probes.noise_norm import noise_norms, record_noise_norms
from dominance.probes.recording import record_attention
from dominance.probes.sites import denoiser_of

SEEDS = (3, 8)
SQUARE = {"height": 16, "width": 16}


def hooks(pipeline: Any) -> list[tuple[str, int, int]]:
    parts = denoiser_of(pipeline).named_modules()
    return [(name, len(part._forward_hooks), len(part._forward_pre_hooks)) for name, part in parts]


def outputs_of(pipeline: Any, steps: int, **options: Any) -> list[torch.Tensor]:
    """Every output of the denoiser in a whole generation."""
    seen: list[torch.Tensor] = []

    def keep(_module: object, _args: object, output: Any) -> None:
        seen.append((output[0] if isinstance(output, tuple) else output.sample).detach().clone())

    handle = denoiser_of(pipeline).register_forward_hook(keep)
    try:
        draw(pipeline, steps=steps, **options)
    finally:
        handle.remove()
    return seen


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "pixart"])
def test_norms_are_those_of_the_two_branches_of_the_batch(family: str) -> None:
    pipeline = tiny(family)
    outputs = outputs_of(pipeline, steps=3)
    with record_noise_norms(pipeline) as record:
        draw(pipeline, steps=3)
    expected = []
    for output in outputs:
        unconditional, conditional = output[:, : 8 if family == "sd3" else 4].chunk(2)
        expected.append((conditional - unconditional).flatten(1).norm(dim=1))
    torch.testing.assert_close(record.norms(), torch.stack(expected, dim=1), rtol=1e-4, atol=1e-5)
    assert record.quantity == ("velocity" if family == "sd3" else "noise")
    assert record.norms().shape == (2, 3)
    assert record.values == outputs[0][:, : 8 if family == "sd3" else 4][0].numel()


def test_flux_is_compared_under_true_guidance() -> None:
    pipeline = tiny("flux")
    options = {"true_cfg_scale": 4.0, "negative_prompt": ["", ""]}
    outputs = outputs_of(pipeline, steps=2, **options)
    assert len(outputs) == 4  # the branches take turns
    norms, record = noise_norms(pipeline, PROMPTS, [0, 1], steps=2, guidance=4.0, height=16, width=24)
    expected = [(outputs[2 * step] - outputs[2 * step + 1]).flatten(1).norm(dim=1) for step in range(2)]
    # The call here has no limit on the length of T5's text, and this tiny one pads to its own: the same text.
    assert norms.shape == (2, 2)
    assert record.quantity == "velocity"
    with record_noise_norms(pipeline) as again:
        draw(pipeline, steps=2, **options)
    torch.testing.assert_close(again.norms(), torch.stack(expected, dim=1), rtol=1e-4, atol=1e-5)


def test_velocities_are_turned_into_noise() -> None:
    pipeline = tiny("sd1")
    own = pipeline.scheduler
    pipeline.scheduler = DDIMScheduler.from_config(own.config, prediction_type="v_prediction")
    try:
        outputs = outputs_of(pipeline, steps=2, **SQUARE)
        times = pipeline.scheduler.timesteps.tolist()
        norms, record = noise_norms(pipeline, PROMPTS, [0, 1], steps=2, **SQUARE)
        signals = pipeline.scheduler.alphas_cumprod.sqrt()
    finally:
        pipeline.scheduler = own
    halves = [output.chunk(2) for output in outputs]
    expected = [
        signals[time] * (conditional - unconditional).flatten(1).norm(dim=1)
        for time, (unconditional, conditional) in zip(times, halves, strict=True)
    ]
    torch.testing.assert_close(norms, torch.stack(expected, dim=1), rtol=1e-4, atol=1e-6)
    assert record.quantity == "noise"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of diffusers, with numpy 2
@pytest.mark.parametrize("scheduler", [DDIMScheduler, EulerDiscreteScheduler, UniPCMultistepScheduler])
def test_velocities_without_any_signal_at_step_one_are_compared_as_they_are(scheduler: Any) -> None:
    """DDIM keeps no signal there, the others 2⁻¹², so that they need not divide by zero."""
    pipeline = tiny("sd1")
    own = pipeline.scheduler
    pipeline.scheduler = scheduler.from_config(
        own.config, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    try:
        norms, record = noise_norms(pipeline, PROMPTS, SEEDS, steps=2, **SQUARE)
    finally:
        pipeline.scheduler = own
    assert record.quantity == "velocity"
    assert norms[:, 0].min() > 0.1 * norms[:, 1].max()


def test_recording_changes_no_image_and_leaves_nothing_behind() -> None:
    pipeline = tiny("sd1")
    before, plain = hooks(pipeline), draw(pipeline)
    with record_noise_norms(pipeline):
        recorded = draw(pipeline)
    assert np.array_equal(plain, recorded)
    assert hooks(pipeline) == before
    with pytest.raises(RuntimeError, match="stop"), record_noise_norms(pipeline):
        raise RuntimeError("stop")
    assert hooks(pipeline) == before
    left = {name: id(value) for name, value in vars(pipeline).items()}
    timesteps = pipeline.scheduler.timesteps.tolist()
    noise_norms(pipeline, PROMPTS, SEEDS, steps=3, **SQUARE)
    assert {name: id(value) for name, value in vars(pipeline).items()} == left
    assert pipeline.scheduler.timesteps.tolist() == timesteps


def test_it_works_beside_another_probe_whichever_came_first() -> None:
    pipeline = tiny("sd1")
    with record_noise_norms(pipeline) as alone:
        draw(pipeline)
    with record_attention(pipeline), record_noise_norms(pipeline) as second:
        draw(pipeline)
    with record_noise_norms(pipeline) as first, record_attention(pipeline):
        draw(pipeline)
    assert torch.equal(alone.norms(), second.norms())
    assert torch.equal(alone.norms(), first.norms())


def test_a_second_call_replaces_the_first() -> None:
    pipeline = tiny("sd1")
    with record_noise_norms(pipeline) as record:
        draw(pipeline, steps=2)
        first = record.norms()
        draw(pipeline, steps=2, prompts=PROMPTS[:1])
    assert record.norms().shape == (1, 2)
    torch.testing.assert_close(record.norms()[0, 0], first[0, 0], rtol=1e-3, atol=1e-4)


def test_one_prompt_alone_has_the_norms_it_has_in_a_batch() -> None:
    pipeline = tiny("sd1")
    together, _ = noise_norms(pipeline, PROMPTS, SEEDS, steps=2, **SQUARE)
    for place, (prompt, seed) in enumerate(zip(PROMPTS, SEEDS, strict=True)):
        alone, _ = noise_norms(pipeline, [prompt], [seed], steps=2, **SQUARE)
        torch.testing.assert_close(alone[0], together[place], rtol=1e-3, atol=1e-4)


def test_without_guidance_there_is_nothing_to_compare() -> None:
    pipeline = tiny("sd1")
    with pytest.raises(ModelError, match="guidance is 1: the denoiser ran no unconditional branch"):
        noise_norms(pipeline, PROMPTS, SEEDS, guidance=1.0)
    with record_noise_norms(pipeline) as record:
        draw(pipeline, guidance_scale=1.0)
    with pytest.raises(ModelError, match="no unconditional branch"):
        record.norms()
    with record_noise_norms(pipeline) as idle:
        pass
    with pytest.raises(ModelError, match="has not been called"):
        idle.norms()


def test_a_seed_for_every_prompt_is_needed() -> None:
    with pytest.raises(InputError, match="2 prompts but 1 seeds"):
        noise_norms(tiny("sd1"), PROMPTS, [1])
