"""Adapters that act in parts of the picture: in each image where a mask says so, and elsewhere not."""

import contextlib
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from torch.nn import functional as F

from dominance.models.denoiser import original

_OF_TEXT = ("attn2.to_k", "attn2.to_v")
"""Layers of a denoiser that see the text, not the picture."""


@dataclass(frozen=True, eq=False)
class PerPlace:
    """A factor for each place of each image: peft multiplies what an adapter adds to a layer by it.

    Attributes:
        factor: of the whole: a number, or one for each image.
        masks: (row of the batch, 1, row, column), from 0 to 1.
    """

    factor: Any
    masks: Tensor

    def __rmul__(self, added: Tensor) -> Tensor:
        """What a layer adds, at each place by its own factor; (row, position, channel) or (row, channel, …)."""
        added = added * self.factor
        if added.ndim == 4:
            return added * self._at(added.shape[-2], added.shape[-1]).to(added)
        rows, columns = _grid(added.shape[1], self.masks.shape[-2:])
        return added * self._at(rows, columns).flatten(1)[..., None].to(added)

    def _at(self, rows: int, columns: int) -> Tensor:
        return F.interpolate(self.masks, (rows, columns), mode="area")


def _grid(positions: int, sides: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of so many positions over a picture of latents with these sides, rounded up as levels halve."""
    rows, columns = sides
    while rows * columns > positions and rows > 1:
        rows, columns = -(-rows // 2), -(-columns // 2)
    return (rows, columns) if rows * columns == positions else (1, positions)


@contextlib.contextmanager
def placed(denoiser: nn.Module, masks: Mapping[str, Tensor]) -> Generator[None]:
    """While the block runs, the denoiser's adapters act where their masks are 1; layers that see the text as before.

    Args:
        masks: by adapter: (row of the batch, 1, row, column) over the latents, from 0 to 1.
    """
    changed: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, layer in _tuned(denoiser):
            if name.endswith(_OF_TEXT):
                continue
            for adapter in layer.active_adapters:
                if adapter in layer.scaling and adapter in masks:
                    changed.append((layer.scaling, adapter, layer.scaling[adapter]))
                    layer.scaling[adapter] = PerPlace(layer.scaling[adapter], masks[adapter])
        yield
    finally:
        for scaling, adapter, before in changed:
            scaling[adapter] = before


@contextlib.contextmanager
def at_rest(parts: Sequence[object], names: Collection[str]) -> Generator[None]:
    """While the block runs, adapters of these names do not act in these parts of a pipeline."""
    layers = [layer for part in parts if isinstance(part, nn.Module) for _, layer in _tuned(part)] if names else []
    before = [layer._active_adapter for layer in layers]
    try:
        for layer in layers:  # the public way also changes which weights are trained
            layer._active_adapter = [name for name in layer.active_adapters if name not in names]
        yield
    finally:
        for layer, active in zip(layers, before, strict=True):
            layer._active_adapter = active


def adapter_names(parts: Sequence[object]) -> tuple[str, ...]:
    """What the adapters of a pipeline's parts are loaded under, in the order in which the first part got them."""
    loaded = (getattr(original(part), "peft_config", None) or {} for part in parts)
    return tuple(dict.fromkeys(name for names in loaded for name in names))


def _tuned(part: nn.Module) -> Generator[tuple[str, Any]]:
    for name, layer in part.named_modules():
        if isinstance(layer, BaseTunerLayer):
            yield name, cast(Any, layer)
