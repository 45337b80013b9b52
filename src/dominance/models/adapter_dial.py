"""How strongly the adapters of a loaded pipeline act, at which steps, and in which images of a batch."""

import contextlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn

from dominance.errors import ModelError
from dominance.models.denoiser import find_denoiser

Acting = Mapping[str, tuple[float, float]]
"""How adapters act in one image: strength and start, by the name that they are loaded under."""
_ROUNDING = 1e-9


def turn_on(part: nn.Module, strengths: Mapping[str, Any]) -> None:
    """Lets these adapters of a part act with these strengths, and no others; with none, the part is as it was.

    Args:
        strengths: numbers, or what a layer's output can be multiplied by, see ``PerImage``.
    """
    layers = [cast(Any, layer) for layer in part.modules() if isinstance(layer, BaseTunerLayer)]
    for layer in layers:
        here = [name for name in strengths if name in layer.scaling]
        layer._disable_adapters = not here  # the public way also changes which weights are trained
        if here:
            layer.set_adapter(here, inference_mode=True)
            for name in here:
                layer.set_scale(name, strengths[name])


class _StepCount:
    """Before each forward of a pipeline's denoiser: the share of the steps that are done.

    A run of the scheduler begins with a new list of timesteps; the steps in it are counted by the changes of the
    timestep that the denoiser is given, since pipelines scale it in their own ways.
    """

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._timesteps: torch.Tensor | None = None
        self._last: float | None = None
        self._step = self._steps = 0

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
        """From 0; None where the denoiser is traced without data."""
        timestep = kwargs["timestep"] if "timestep" in kwargs else args[1]
        if isinstance(timestep, torch.Tensor):
            if timestep.is_meta:
                return None
            timestep = float(timestep.flatten()[0])
        self._count(float(timestep))
        return self._step / self._steps

    def _count(self, timestep: float) -> None:
        timesteps = self._pipeline.scheduler.timesteps
        if timesteps is not self._timesteps:
            self._timesteps, self._step = timesteps, 0
            self._steps = len(torch.unique(timesteps))
        elif timestep != self._last:
            self._step += 1
        self._last = timestep


@dataclass(frozen=True)
class PerImage:
    """One factor for each image of a batch: peft multiplies what an adapter adds to a layer by it.

    A pipeline that draws with guidance gives its layers every image twice, all without and then all with the prompt.
    """

    factors: tuple[float, ...]

    def __mul__(self, other: float) -> "PerImage":
        return PerImage(tuple(factor * other for factor in self.factors))

    def __truediv__(self, other: float) -> "PerImage":
        return PerImage(tuple(factor / other for factor in self.factors))

    def __rmul__(self, added: Tensor) -> Tensor:
        """What a layer adds, each image's part by its own factor.

        Raises:
            ModelError: the layer does not see the images one after another.
        """
        times, rest = divmod(added.shape[0], len(self.factors))
        if rest:
            raise ModelError(
                f"a layer of the model sees {added.shape[0]} rows for {len(self.factors)} images, so images of"
                " different strengths cannot share a batch; give --batch 1"
            )
        factors = torch.tensor(self.factors * times, dtype=added.dtype, device=added.device)
        return added * factors.view(-1, *[1] * (added.ndim - 1))


class AdapterDial:
    """Sets how a pipeline's adapters act, for one batch at a time.

    Args:
        pipeline: with its LoRA loaded by ``adapter_loading.add_adapters``.
    """

    def __init__(self, pipeline: Any) -> None:
        denoiser = find_denoiser(pipeline)
        if denoiser is None:
            raise ModelError(f"{type(pipeline).__name__} has no denoiser, so no adapter acts in it; give another model")
        self._pipeline, self._denoiser = pipeline, denoiser

    @contextlib.contextmanager
    def acting(self, images: Sequence[Acting]) -> Generator[None]:
        """While the block runs, a batch of these images is drawn; afterwards no adapter acts.

        An adapter that starts later leaves out its part for the text encoder, which reads the prompt before.
        """
        hook = self._denoiser.register_forward_pre_hook(Turns(self._pipeline, self._denoiser, images), with_kwargs=True)
        try:
            for part in self._parts():
                turn_on(part, factors_at(images, 0.0) if part is not self._denoiser else {})
            yield
        finally:
            hook.remove()
            for part in self._parts():
                turn_on(part, {})

    def _parts(self) -> list[nn.Module]:
        parts = [part for part in self._pipeline.components.values() if isinstance(part, nn.Module)]
        return [part for part in parts if any(isinstance(layer, BaseTunerLayer) for layer in part.modules())]


class Turns:
    """Before each forward of the denoiser: which adapters act at this step, and in which images."""

    def __init__(self, pipeline: Any, denoiser: nn.Module, images: Sequence[Acting]) -> None:
        self._denoiser, self._images, self._count = denoiser, images, _StepCount(pipeline)
        self._acting: dict[str, PerImage | float] | None = None

    def __call__(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        share = self._count(args, kwargs)
        if share is None:
            return
        acting = factors_at(self._images, share)
        if acting != self._acting:
            turn_on(self._denoiser, acting)
            self._acting = acting


def factors_at(images: Sequence[Acting], share: float) -> dict[str, PerImage | float]:
    """The strength of each adapter in each image after this share of the steps; one number where all are equal."""
    found: dict[str, PerImage | float] = {}
    for name in dict.fromkeys(name for image in images for name in image):
        numbers = [image.get(name, (0.0, 0.0)) for image in images]
        factors = tuple(strength if start < 1 and start <= share + _ROUNDING else 0.0 for strength, start in numbers)
        if any(factors):
            found[name] = factors[0] if len(set(factors)) == 1 else PerImage(factors)
    return found
