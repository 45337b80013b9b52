"""What a denoiser has beside its attention sites that can be removed: feed-forward networks, residual branches."""

import re
from dataclasses import dataclass
from typing import Literal

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import nn

from dominance.errors import ModelError
from dominance.probes.sites import AttentionSite, attention_sites, denoiser_of

BranchKind = Literal["convolutions", "block"]
_RESNET = re.compile(r"(down_blocks|mid_block|up_blocks)\.(?:\d+\.)?resnets\.\d+")
_ORDER = ("down_blocks", "mid_block", "up_blocks")


@dataclass(frozen=True)
class ResidualBranch:
    """What is added to a stream that would pass by unchanged without it.

    Attributes:
        number: in forward order, from 1; these are numbers of their own, not those of attention layers.
        name: path of the residual block inside the denoiser.
        kind: ``convolutions`` for the two convolutions of a UNet's residual block, beside which the shortcut stays;
            ``block`` for a whole transformer block, attention and feed-forward together.
    """

    number: int
    name: str
    kind: BranchKind


def feed_forward(pipeline: DiffusionPipeline, site: AttentionSite) -> str:
    """Path of the feed-forward network in an attention site's own transformer block.

    It is the network of the image's positions; SD3's and FLUX's second one, of the text's tokens, is not meant. A FLUX
    single block has one for both, whose activations stand for it.

    Raises:
        ModelError: the block has none.
    """
    block = site.name.rpartition(".")[0]
    name = f"{block}.act_mlp" if site.kind == "single" else f"{block}.ff"
    if _found(denoiser_of(pipeline), name) is None:
        raise ModelError(f"the block of layer {site.layer} ({block}) has no feed-forward network; choose other layers")
    return name


def residual_branches(pipeline: DiffusionPipeline) -> tuple[ResidualBranch, ...]:
    """Every residual branch, in forward order, numbered from 1.

    In a UNet the residual blocks between its transformers, 22 in SD 1.x and 2.x; in SD3, FLUX and PixArt the
    transformer blocks, one a layer.

    Raises:
        ModelError: the denoiser's family is not known.
    """
    sites = attention_sites(pipeline)
    denoiser = denoiser_of(pipeline)
    if sites[0].where == "block":
        names = [site.name.rpartition(".")[0] for site in sites]
        return tuple(ResidualBranch(number, name, "block") for number, name in enumerate(names, start=1))
    # Stable: within a part, modules are registered in forward order.
    names = sorted(
        (name for name, module in denoiser.named_modules() if _RESNET.fullmatch(name) and hasattr(module, "conv2")),
        key=lambda name: _ORDER.index(name.split(".")[0]),
    )
    return tuple(ResidualBranch(number, name, "convolutions") for number, name in enumerate(names, start=1))


def _found(denoiser: nn.Module, name: str) -> nn.Module | None:
    try:
        return denoiser.get_submodule(name)
    except AttributeError:
        return None
