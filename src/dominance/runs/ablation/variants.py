"""What a sweep tries: the parts of a model that can be ablated, and variants that ablate them."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from dominance.errors import InputError
from dominance.probes.ablation import Ablation
from dominance.probes.branches import residual_branches
from dominance.probes.patching import Patch
from dominance.probes.rebalancing import Rebalancing
from dominance.probes.sites import attention_sites
from dominance.records import Prompt
from dominance.runs.ablation.options import How, Window

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

CONTROL_LAYER = 1
"""The layer of the pairs of non-mitigating heads. Source: Jeong & Lee (2025), section 5."""


def head_label(head: tuple[int, int]) -> str:
    """Layer and head.

    >>> head_label((9, 3))
    '9.3'
    """
    return f"{head[0]}.{head[1]}"


def heads_label(heads: Iterable[tuple[int, int]]) -> str:
    """Heads that are removed together.

    >>> heads_label([(1, 0), (9, 3)])
    '1.0 + 9.3'
    """
    return " + ".join(map(head_label, heads))


def _read_head(written: object) -> object:
    return tuple(map(int, written.split("."))) if isinstance(written, str) else written


Head = Annotated[tuple[int, int], BeforeValidator(_read_head), PlainSerializer(head_label, return_type=str)]
"""Layer, from 1, and head, from 0; written as a label."""


@dataclass(frozen=True)
class LayerHeads:
    """An attention layer: its number, the path of its module, its heads."""

    layer: int
    name: str
    heads: int


@dataclass(frozen=True)
class Anatomy:
    """The parts of a model that can be ablated; ``residuals`` are the paths of its residual branches, in order."""

    places: tuple[LayerHeads, ...]
    residuals: tuple[str, ...]


def anatomy_of(pipeline: "DiffusionPipeline") -> Anatomy:
    """Reads a pipeline's parts off its denoiser."""
    sites = tuple(LayerHeads(site.layer, site.name, site.heads) for site in attention_sites(pipeline))
    return Anatomy(sites, tuple(branch.name for branch in residual_branches(pipeline)))


@dataclass(frozen=True)
class Variant:
    """One edit of the model.

    Attributes:
        name: of the edited part, unless it is heads.
        place: the attention layer, or the number of the residual branch; None for several.
        heads: the removed heads, in forward order.
    """

    name: str
    edit: Ablation | Rebalancing | Patch
    place: int | None
    heads: tuple[Head, ...] = ()

    @property
    def label(self) -> str:
        """Its name within the sweep, such as ``9.3`` for head 3 of layer 9."""
        return self.name or heads_label(self.heads)

    @property
    def start(self) -> int:
        """The first edited step."""
        return 0 if self.edit.steps is None else min(self.edit.steps)


def all_heads(anatomy: Anatomy, layers: Sequence[int] | None) -> tuple[Head, ...]:
    """Every head of some layers, or of all, in forward order.

    Raises:
        InputError: the model lacks a layer.
    """
    return tuple((site.layer, head) for site in _chosen(anatomy, layers) for head in range(site.heads))


def single_head(head: Head, how: How) -> Variant:
    """One head alone."""
    return heads_together([head], how)


def heads_together(heads: Sequence[Head], how: How) -> Variant:
    """Several heads at once."""
    layers = {layer for layer, _ in heads}
    place = layers.pop() if len(layers) == 1 else None
    return Variant("", _heads(heads, how), place, tuple(sorted(heads)))


def head_pairs(heads: Sequence[Head], how: How) -> tuple[Variant, ...]:
    """Every two of the heads."""
    return tuple(heads_together(pair, how) for pair in itertools.combinations(heads, 2))


def feed_forwards(anatomy: Anatomy, layers: Sequence[int] | None, how: How) -> tuple[Variant, ...]:
    """The feed-forward network of every layer's transformer block."""
    return tuple(
        Variant(f"ff {site.layer}", _ablation(how, feed_forwards=[site.layer]), site.layer)
        for site in _chosen(anatomy, layers)
    )


def residuals(anatomy: Anatomy, numbers: Sequence[int] | None, how: How) -> tuple[Variant, ...]:
    """Every residual branch.

    Raises:
        InputError: the model lacks a branch.
    """
    total = len(anatomy.residuals)
    for number in numbers or ():
        if not 1 <= number <= total:
            raise InputError(
                f"the model has no residual branch {number}; give numbers from 1 to {total}, in forward order"
            )
    return tuple(
        Variant(f"residual {number}", _ablation(how, residuals=[number]), number)
        for number in numbers or range(1, total + 1)
    )


def rebalancing(prompt: Prompt, window: Window) -> Variant:
    """Equal attention to the prompt's concepts in an interval of steps."""
    concepts = [concept.name for concept in prompt.concepts]
    return Variant(window.name, Rebalancing(concepts, window.steps), None)


def _heads(heads: Sequence[Head], how: How) -> Ablation:
    by_layer: dict[int, list[int]] = {}
    for layer, head in heads:
        by_layer.setdefault(layer, []).append(head)
    return _ablation(how, heads=by_layer)


def _ablation(how: How, **parts: Any) -> Ablation:
    return Ablation(**parts, steps=how.window.steps, scale=how.scale, mode=how.mode, branches=how.branches)


def _chosen(anatomy: Anatomy, layers: Sequence[int] | None) -> list[LayerHeads]:
    sites = {site.layer: site for site in anatomy.places}
    for layer in layers or ():
        if layer not in sites:
            raise InputError(
                f"the model has no attention layer {layer}; give numbers from 1 to {len(sites)}, in forward order"
            )
    return [site for layer, site in sites.items() if layers is None or layer in layers]
