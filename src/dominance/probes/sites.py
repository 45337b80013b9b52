"""Where a model's image positions look at the prompt: its attention sites, numbered in forward order."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import nn

from dominance.errors import InputError, ModelError

SiteKind = Literal["cross", "joint", "single"]
"""``cross``: image rows, text columns; ``joint``: both in one softmax, own projections; ``single``: shared ones."""

_CROSS_TRANSFORMERS = ("PixArtTransformer2DModel",)
_UNET_PART = re.compile(r"(down_blocks|mid_block|up_blocks)\.(?:(\d+)\.)?")


@dataclass(frozen=True)
class AttentionSite:
    """One module in the denoiser where softmax attention joins the prompt's tokens to the positions of the image.

    Attributes:
        layer: its number in forward order, from 1.
        name: path of the attention module inside the denoiser.
        kind: ``cross`` (UNets, PixArt), ``joint`` (SD3, FLUX dual blocks) or ``single`` (FLUX single blocks).
        heads: attention heads.
        where: ``down``, ``mid`` or ``up`` in a UNet, else ``block``.
        stride: latents a position, along each side; the site's grid is the latents' sides divided by it, rounded up.
    """

    layer: int
    name: str
    kind: SiteKind
    heads: int
    where: str
    stride: int


def denoiser_of(pipeline: DiffusionPipeline) -> nn.Module:
    """The pipeline's UNet or transformer.

    Raises:
        ModelError: it has neither, or it is compiled, so that nothing inside can be watched.
    """
    for name in ("unet", "transformer"):
        denoiser = getattr(pipeline, name, None)
        if isinstance(denoiser, nn.Module):
            _refuse_compiled(name, denoiser)
            return denoiser
    raise ModelError(
        f"{type(pipeline).__name__} has neither unet nor transformer, so its attention cannot be seen; give a"
        " diffusers text-to-image pipeline"
    )


def _refuse_compiled(name: str, denoiser: nn.Module) -> None:
    # Either wrapped by torch.compile(module), or compiled in place, whole or block by block, by module.compile().
    if hasattr(denoiser, "_orig_mod") or any(part._compiled_call_impl is not None for part in denoiser.modules()):
        raise ModelError(
            f"the pipeline's {name} is compiled, so its attention cannot be seen or edited; load the pipeline again"
            " without torch.compile"
        )


def reads_by_cross_attention(family: str) -> bool | None:
    """Whether denoisers of this class read the prompt by cross-attention alone; None where that is not known."""
    if family == "UNet2DConditionModel" or family in _CROSS_TRANSFORMERS:
        return True
    return False if family in ("SD3Transformer2DModel", "FluxTransformer2DModel") else None


def acts_by_attention(pipeline: DiffusionPipeline) -> bool:
    """Whether the prompt is read by cross-attention alone, so that regions of the picture can read their own texts."""
    try:
        return all(site.kind == "cross" for site in attention_sites(pipeline))
    except ModelError:
        return False


def attention_sites(pipeline: DiffusionPipeline) -> tuple[AttentionSite, ...]:
    """Every site of attention to the prompt, in forward order; layers are numbered from 1.

    An SD 1.x or 2.x UNet has 16: 1 to 6 down, 7 mid, 8 to 16 up; SDXL has 70; SD3, FLUX and PixArt have one a block,
    FLUX's dual blocks before its single ones.

    Raises:
        ModelError: no denoiser, a compiled one, or one of a family whose attention to text is not known.

    Source: numbering of Jeong & Lee (2025), arXiv 2512.20666, section 4, carried over to other families.
    """
    return sites_of(denoiser_of(pipeline))


def sites_of(denoiser: nn.Module) -> tuple[AttentionSite, ...]:
    """As ``attention_sites``, of a denoiser that ``denoiser_of`` gave."""
    family = type(denoiser).__name__
    if family == "UNet2DConditionModel":
        sites = _unet_sites(denoiser)
    elif family in _CROSS_TRANSFORMERS:
        sites = _block_sites(denoiser, "transformer_blocks", "attn2", "cross")
    elif family == "SD3Transformer2DModel":
        sites = _block_sites(denoiser, "transformer_blocks", "attn", "joint")
    elif family == "FluxTransformer2DModel":
        dual = _block_sites(denoiser, "transformer_blocks", "attn", "joint")
        sites = dual + _block_sites(denoiser, "single_transformer_blocks", "attn", "single", len(dual))
    else:
        sites = []
    if not sites:
        raise ModelError(
            f"the attention layers of {family} are not known; give a Stable Diffusion 1, 2, XL or 3, FLUX or PixArt"
            " model"
        )
    return tuple(sites)


def chosen_sites(sites: tuple[AttentionSite, ...], layers: Collection[int] | None) -> tuple[AttentionSite, ...]:
    """The sites of these layers, in forward order; all of them for None.

    Raises:
        InputError: no layers, or one that the model does not have.
    """
    if layers is None:
        return sites
    wanted = set(layers)
    if not wanted:
        raise InputError(f"no layers given; give some of 1 to {len(sites)}, or None for all")
    known = {site.layer for site in sites}
    for layer in layers:
        if isinstance(layer, bool) or layer not in known:
            raise InputError(
                f"no attention layer {layer!r}: the model has {len(sites)}, numbered from 1 in forward order; give some"
                f" of 1 to {len(sites)}"
            )
    return tuple(site for site in sites if site.layer in wanted)


def _unet_sites(unet: nn.Module) -> list[AttentionSite]:
    """Cross-attention of the down blocks, the mid block, the up blocks."""
    order = {"down_blocks": 0, "mid_block": 1, "up_blocks": 2}
    levels = len(unet.get_submodule("down_blocks")._modules)
    found = []
    for name, module in unet.named_modules():
        part = _UNET_PART.match(name)
        if part and name.endswith(".attn2") and getattr(module, "is_cross_attention", False):
            block = int(part[2] or 0)
            level = {"down_blocks": block, "mid_block": levels - 1, "up_blocks": levels - 1 - block}[part[1]]
            found.append((order[part[1]], name, _heads(module), part[1].split("_")[0], 2**level))
    # Stable: within a part, modules are registered in forward order.
    found.sort(key=lambda entry: entry[0])
    return [
        AttentionSite(layer, name, "cross", heads, where, stride)
        for layer, (_, name, heads, where, stride) in enumerate(found, start=1)
    ]


def _block_sites(
    transformer: nn.Module, blocks: str, attention: str, kind: SiteKind, before: int = 0
) -> list[AttentionSite]:
    """One site a block; FLUX packs 2×2 latents into a position before the transformer sees them."""
    config = getattr(transformer, "config", {})
    stride = 2 if type(transformer).__name__ == "FluxTransformer2DModel" else int(config["patch_size"])
    return [
        AttentionSite(
            before + number,
            f"{blocks}.{index}.{attention}",
            kind,
            _heads(block.get_submodule(attention)),
            "block",
            stride,
        )
        for number, (index, block) in enumerate(transformer.get_submodule(blocks).named_children(), start=1)
    ]


def _heads(module: nn.Module) -> int:
    heads = getattr(module, "heads", None)
    if not isinstance(heads, int):
        raise ModelError(f"{type(module).__name__} does not say how many attention heads it has; update diffusers")
    return heads
