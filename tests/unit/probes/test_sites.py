"""Sites of attention, read off the model: order, number, heads, and what cannot be watched."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import (
    FluxTransformer2DModel,
    PixArtTransformer2DModel,
    SanaTransformer2DModel,
    SD3Transformer2DModel,
    UNet2DConditionModel,
)
from tiny_families import FAMILIES, draw, tiny
from torch import nn

import dominance
from dominance.errors import InputError, ModelError
from dominance.probes.sites import attention_sites, chosen_sites, denoiser_of

SDXL: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


def unet(**options: Any) -> SimpleNamespace:
    with torch.device("meta"):
        return SimpleNamespace(unet=UNet2DConditionModel(**options))


def transformer(kind: type[nn.Module], **options: Any) -> SimpleNamespace:
    with torch.device("meta"):
        return SimpleNamespace(transformer=kind(**options))


def test_stable_diffusion_1_has_the_papers_sixteen_layers_of_eight_heads() -> None:
    sites = attention_sites(unet(cross_attention_dim=768, attention_head_dim=8))
    assert [site.layer for site in sites] == list(range(1, 17))
    assert [512 // 8 // site.stride for site in sites] == [64, 64, 32, 32, 16, 16, 8, *[16] * 3, *[32] * 3, *[64] * 3]
    assert [site.where for site in sites] == ["down"] * 6 + ["mid"] + ["up"] * 9
    assert sum(site.heads for site in sites) == 128
    assert {site.kind for site in sites} == {"cross"}


def test_stable_diffusion_2_has_heads_that_vary_by_level() -> None:
    sites = attention_sites(unet(cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20)))
    assert [site.heads for site in sites] == [5, 5, 10, 10, 20, 20, 20, 20, 20, 20, 10, 10, 10, 5, 5, 5]


def test_stable_diffusion_xl_has_seventy_sites_and_forward_order() -> None:
    sites = attention_sites(unet(**SDXL))
    assert len(sites) == 70
    assert [sum(site.where == where for site in sites) for where in ("down", "mid", "up")] == [24, 10, 36]
    assert sites[4].name == "down_blocks.2.attentions.0.transformer_blocks.0.attn2"
    assert sites[-1].name == "up_blocks.1.attentions.2.transformer_blocks.1.attn2"
    assert {site.stride for site in sites} == {2, 4}


def test_transformers_have_a_site_a_block() -> None:
    flux = attention_sites(transformer(FluxTransformer2DModel, num_layers=19, num_single_layers=38))
    assert [site.kind for site in flux] == ["joint"] * 19 + ["single"] * 38
    assert [site.layer for site in flux] == list(range(1, 58))
    assert {site.heads for site in flux} == {24}
    sd3 = attention_sites(transformer(SD3Transformer2DModel, num_layers=24, dual_attention_layers=(0, 1)))
    assert [site.kind for site in sd3] == ["joint"] * 24
    pixart = attention_sites(transformer(PixArtTransformer2DModel, caption_channels=4096))
    assert [(site.kind, site.stride) for site in pixart] == [("cross", 2)] * 28
    assert pixart[3].name == "transformer_blocks.3.attn2"


@pytest.mark.parametrize("family", FAMILIES)
def test_sites_are_numbered_as_they_run(family: str) -> None:
    pipeline = tiny(family)
    denoiser, ran = denoiser_of(pipeline), []
    sites = attention_sites(pipeline)
    handles = [
        denoiser.get_submodule(site.name).register_forward_hook(lambda *_, layer=site.layer: ran.append(layer))
        for site in sites
    ]
    draw(pipeline, steps=1, guidance_scale=1.0)
    for handle in handles:
        handle.remove()
    assert ran == [site.layer for site in sites]


def test_the_public_name_is_this_one() -> None:
    assert dominance.attention_sites is attention_sites


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "no layers given"),
        ([0], "no attention layer 0: the model has 7, numbered from 1"),
        ([2, 8], "no attention layer 8: the model has 7"),
        ([True], "no attention layer True"),
        (["mid"], "no attention layer 'mid'"),
    ],
)
def test_layers_that_the_model_lacks_are_refused_with_their_number(layers: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        chosen_sites(attention_sites(tiny("sd1")), layers)
    assert "\n" not in str(refused.value)


def test_chosen_sites_stand_in_forward_order() -> None:
    sites = attention_sites(tiny("sd1"))
    assert [site.layer for site in chosen_sites(sites, [5, 2, 2])] == [2, 5]
    assert chosen_sites(sites, None) == sites


def test_a_family_that_is_not_known_is_named() -> None:
    with pytest.raises(ModelError, match="the attention layers of SanaTransformer2DModel are not known"):
        attention_sites(transformer(SanaTransformer2DModel, num_layers=1))
    with pytest.raises(ModelError, match="has neither unet nor transformer"):
        attention_sites(SimpleNamespace(vae=None))


def test_compiled_denoisers_are_refused() -> None:
    small = {"block_out_channels": (32, 32), "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D")}
    small |= {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), "attention_head_dim": 2}
    wrapped = unet(**small)
    wrapped.unet = torch.compile(wrapped.unet, backend="eager")
    in_place = unet(**small)
    in_place.unet.compile(backend="eager")
    by_blocks = unet(**small)
    by_blocks.unet.get_submodule("down_blocks.0").compile(backend="eager")
    for pipeline in (wrapped, in_place, by_blocks):
        with pytest.raises(ModelError, match=r"the pipeline's unet is compiled, .* load the pipeline again without"):
            attention_sites(pipeline)
