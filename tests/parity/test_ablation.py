"""An ablated head is what diffusers' own attention, its logits scaled by hand, makes of it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import draw, tiny

from dominance.probes.ablation import ablate
from dominance.probes.sites import attention_sites, denoiser_of


@contextlib.contextmanager
def scaled_by_hand(pipeline: DiffusionPipeline, layer: int, head: int, factor: float) -> Iterator[None]:
    """Diffusers' processor without the fused kernel, one head's logits multiplied in the first forward."""
    unet = denoiser_of(pipeline)
    site = attention_sites(pipeline)[layer - 1]
    attention = unet.get_submodule(site.name)
    own, forwards = attention.get_attention_scores, []

    def scores(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        forwards.append(query)
        probabilities = own(query, key, mask).unflatten(0, (-1, site.heads))
        if len(forwards) == 1:
            logits = (query @ key.transpose(-1, -2) * attention.scale).unflatten(0, (-1, site.heads))
            probabilities[:, head] = (logits[:, head] * factor).softmax(dim=-1)
        return probabilities.flatten(0, 1)

    before: dict[str, Any] = dict(unet.attn_processors)
    unet.set_attn_processor(AttnProcessor())
    attention.get_attention_scores = scores
    try:
        yield
    finally:
        del attention.get_attention_scores
        unet.set_attn_processor(before)


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
@pytest.mark.parametrize("factor", [1e-5, 0.3])
def test_a_scaled_head_draws_what_scaling_by_hand_draws(family: str, factor: float) -> None:
    pipeline = tiny(family)
    plain = draw(pipeline, guidance_scale=5.0)
    with scaled_by_hand(pipeline, 2, 1, factor):
        expected = draw(pipeline, guidance_scale=5.0)
    with ablate(pipeline, {2: [1]}, scale=factor):
        found = draw(pipeline, guidance_scale=5.0)
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(found - plain).max() > 1e-4
