"""What is recorded is what diffusers' own scores, or a softmax written out, give on the same pictures."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tiny_families import FAMILIES, PROMPTS, draw, tiny
from torch.nn import functional as F

from dominance.probes.recording import AttentionRecord, record_attention
from dominance.probes.sites import attention_sites, denoiser_of

TOLERANCE = 1e-5
Scores = dict[tuple[int, int], torch.Tensor]
"""By layer and step: (sample, head, row, column)."""


@contextlib.contextmanager
def by_diffusers_scores(pipeline: DiffusionPipeline) -> Iterator[Scores]:
    """Every site's ``Attention.get_attention_scores``, by diffusers' own processor without the fused kernel."""
    scores: Scores = {}
    unet = denoiser_of(pipeline)
    ran: dict[int, int] = {}

    def kept(layer: int, attention: Attention) -> Any:
        own = attention.get_attention_scores

        def get(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            given = own(query, key, mask)
            scores[layer, ran.setdefault(layer, 0)] = given.unflatten(0, (-1, attention.heads))
            ran[layer] += 1
            return given

        return get

    before = dict(unet.attn_processors)
    unet.set_attn_processor(AttnProcessor())
    modules = [(site.layer, unet.get_submodule(site.name)) for site in attention_sites(pipeline)]
    for layer, module in modules:
        module.get_attention_scores = kept(layer, module)
    try:
        yield scores
    finally:
        for _, module in modules:
            del module.get_attention_scores
        unet.set_attn_processor(before)


@contextlib.contextmanager
def by_softmax(pipeline: DiffusionPipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scores]:
    """The softmax written out, wherever torch's kernel is called by a site's module."""
    scores: Scores = {}
    denoiser, native = denoiser_of(pipeline), F.scaled_dot_product_attention
    inside: list[int] = []
    ran: dict[int, int] = {}

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
        if inside:
            logits = torch.einsum("bhqd,bhkd->bhqk", query, key) / query.shape[-1] ** 0.5
            if options.get("attn_mask") is not None:
                logits = logits + options["attn_mask"]
            scores[inside[-1], ran.setdefault(inside[-1], 0)] = torch.exp(logits) / torch.exp(logits).sum(-1, True)
            ran[inside[-1]] += 1
        return native(query, key, value, **options)

    handles = []
    for site in attention_sites(pipeline):
        module = denoiser.get_submodule(site.name)
        handles.append(module.register_forward_pre_hook(lambda *_, layer=site.layer: inside.append(layer)))
        handles.append(module.register_forward_hook(lambda *_: inside.pop() and None))
    with monkeypatch.context() as patched:
        patched.setattr(F, "scaled_dot_product_attention", attend)
        yield scores
    for handle in handles:
        handle.remove()


def check(record: AttentionRecord, scores: Scores, parts: dict[str, slice], grids: dict[int, tuple[int, int]]) -> None:
    """Means and maps of the record against scores of the conditional samples."""
    images = len(PROMPTS)
    assert {(layer, step) for layer in record.layers for step in record.steps} == set(scores)
    for (layer, step), given in scores.items():
        conditional = given[-images:, :, parts["image"], parts["text"]]
        assert (record.attention(layer, step) - conditional.mean(dim=2)).abs().max() < TOLERANCE
        for token in (0, 2):
            expected = conditional[..., token].mean(dim=1).unflatten(1, grids[layer])
            assert (record.map(layer, step, token) - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_unets_have_diffusers_own_scores(family: str) -> None:
    pipeline = tiny(family)
    with by_diffusers_scores(pipeline) as scores:
        draw(pipeline, guidance_scale=5.0)
    with record_attention(pipeline, maps=[0, 2]) as record:
        draw(pipeline, guidance_scale=5.0)
    # 16×24 pixels are 8×12 latents.
    grids = {site.layer: (-(-8 // site.stride), -(-12 // site.stride)) for site in record.sites}
    everything = {"image": slice(None), "text": slice(None)}
    check(record, scores, everything, grids)
    assert max(scores[1, 0].flatten(2).std(dim=-1).flatten()) > 1e-3


@pytest.mark.parametrize(
    ("family", "guidance", "image", "text"),
    [
        ("sd3", 5.0, slice(0, 24), slice(24, None)),
        ("flux", 3.5, slice(32, None), slice(0, 32)),
        ("pixart", 5.0, slice(None), slice(None)),
    ],
)
def test_transformers_have_the_softmax_written_out(
    family: str, guidance: float, image: slice, text: slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = tiny(family)
    with by_softmax(pipeline, monkeypatch) as scores:
        draw(pipeline, guidance_scale=guidance)
    with record_attention(pipeline, maps=[0, 2]) as record:
        draw(pipeline, guidance_scale=guidance)
    check(record, scores, {"image": image, "text": text}, dict.fromkeys(record.layers, (4, 6)))


@pytest.mark.parametrize("family", FAMILIES)
def test_recording_changes_no_picture(family: str) -> None:
    pipeline = tiny(family)
    plain = draw(pipeline)
    with record_attention(pipeline, maps=["mug"]):
        recorded = draw(pipeline)
    assert np.array_equal(plain, recorded)  # the output still comes from torch's own kernel
    assert plain.std() > 0.05


@pytest.mark.parametrize("family", FAMILIES)
def test_a_map_is_bright_where_the_latents_change(family: str) -> None:
    """Rows are rows and columns columns: one changed corner of a wide picture changes its own corner of the map."""
    pipeline = tiny(family)
    channels = 8 if family in ("sd3", "flux") else 4
    noise = torch.randn(1, channels, 8, 12, generator=torch.Generator().manual_seed(3))
    other = noise.clone()
    other[:, :, 2:4, 8:10] *= -3
    seen = []
    for latents in (noise, other):
        packed = latents.view(1, channels, 4, 2, 6, 2).permute(0, 2, 4, 1, 3, 5).reshape(1, 24, -1)
        with record_attention(pipeline, layers=[1], steps=[0], maps=["tower"]) as record:
            draw(pipeline, ["a tower"], steps=1, latents=packed if family == "flux" else latents, output_type="latent")
        seen.append(record.map(1, 0, "tower")[0])
    changed = (seen[1] - seen[0]).abs()
    rows, columns = changed.shape
    row, column = divmod(int(changed.argmax()), columns)
    # Counted in pairs of latents; a UNet has convolved before its first site, and so may be one off.
    assert abs(row * 4 / rows - 1) <= 1
    assert abs(column * 6 / columns - 4) <= 1
