"""Attend-and-Excite on our own steering, against the pipeline of diffusers, step by step."""

from typing import Any

import pytest
import torch
from diffusers import StableDiffusionAttendAndExcitePipeline
from tiny_families import tiny

from dominance.models.tokens import prompt_tokens
from dominance.probes.recording import record_attention
from dominance.probes.sites import attention_sites
from dominance.runs.stages.methods import mitigate

PROMPT = "a tower and a mug"
STEPS, SIDE = 10, 32


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize("thresholds", [{}, {0: 0.05, 2: 0.5, 4: 0.8}], ids=["plain", "refined"])
def test_latents_are_those_of_diffusers(thresholds: dict[int, float]) -> None:
    pipeline = tiny("sd1")
    with record_attention(pipeline, steps=[0], maps=["tower", "mug"]) as record:
        pipeline(PROMPT, height=SIDE, width=SIDE, num_inference_steps=1, output_type="latent")
    grids = {site.layer: record.map(site.layer, 0, "mug").shape[-1] for site in attention_sites(pipeline)}
    grid = sorted(set(grids.values()))[-2]
    layers = [layer for layer, side in grids.items() if side == grid]
    columns = [column for own in prompt_tokens(pipeline, PROMPT).concepts(["tower", "mug"]).values() for column in own]
    call: dict[str, Any] = {"height": SIDE, "width": SIDE, "num_inference_steps": STEPS, "output_type": "latent"}
    theirs: list[torch.Tensor] = []
    other = StableDiffusionAttendAndExcitePipeline(
        **{name: part for name, part in pipeline.components.items() if name != "image_encoder"}
    )
    other.set_progress_bar_config(disable=True)
    processors = pipeline.unet.attn_processors
    try:
        other(
            PROMPT, token_indices=columns, max_iter_to_alter=STEPS // 2, thresholds=thresholds, attn_res=(grid, grid),
            generator=torch.Generator().manual_seed(0), callback=lambda _i, _t, latents: theirs.append(latents.clone()),
            **call,
        )  # fmt: skip
    finally:
        pipeline.unet.set_attn_processor(processors)

    ours: list[torch.Tensor] = []

    def kept(_pipeline: Any, _step: int, _time: Any, found: dict[str, Any]) -> dict[str, Any]:
        ours.append(found["latents"].clone())
        return found

    method = f"attend-and-excite:refine={'true' if thresholds else 'false'}"
    with mitigate(pipeline, ["tower", "mug"], method, layers=layers):
        pipeline(PROMPT, generator=torch.Generator().manual_seed(0), callback_on_step_end=kept, **call)
    plain = pipeline(PROMPT, generator=torch.Generator().manual_seed(0), **call).images
    assert len(ours) == len(theirs) == STEPS
    for step, (one, another) in enumerate(zip(ours, theirs, strict=True)):
        assert (one - another).abs().max() < 1e-4 * max(1.0, float(another.abs().max())), step
    assert (ours[-1] - plain).abs().max() > 1e-3
