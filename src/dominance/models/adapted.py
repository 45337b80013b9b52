"""A model with adapters: what it is called, what identifies it, and how it is loaded."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dominance.errors import ModelError
from dominance.models.adapters import FoundAdapter
from dominance.models.contents import SOME_TRANSFORMER, Contents, family_named
from dominance.models.drawing import Machine
from dominance.models.folders import ModelFolder
from dominance.models.pipeline_classes import class_named, read_denoiser
from dominance.models.settings import GenerationSettings

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

_NAMED_LAYERS = 10


@dataclass(frozen=True)
class AdaptedModel:
    """A model with adapters; a source of images like the model alone, under another identity.

    Raises:
        ModelError: an adapter that was made for another family of models.
    """

    base: ModelFolder
    adapters: tuple[FoundAdapter, ...]
    _left_out: dict[str, list[str]] = field(default_factory=dict, init=False, compare=False)
    """Layers of the adapters that the loaded model does not have, by the adapter's identity."""

    def __post_init__(self) -> None:
        family, width = family_of(self.base.path)
        for adapter in self.adapters:
            made_for = _other_family(adapter.contents, family, width)
            if made_for is not None:
                raise ModelError(
                    f"the adapter {adapter.name!r} is a LoRA for {made_for}; the model {self.base.name!r} is {family};"
                    " give a LoRA for this family"
                )

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def identity(self) -> str:
        """The model's own, and a hash of what is added to it and how."""
        added = [[a.identity, a.given.strength, a.given.start, a.token] for a in self.adapters]
        return f"{self.base.identity}+{hashlib.sha256(json.dumps(added).encode()).hexdigest()[:16]}"

    @property
    def defaults(self) -> dict[str, object]:
        return self.base.defaults

    @property
    def scheduler(self) -> str | None:
        return self.base.scheduler

    @property
    def world(self) -> str | None:
        return self.base.world

    @property
    def added(self) -> tuple[str, ...]:
        return tuple(adapter.recorded for adapter in self.adapters)

    @property
    def denoiser(self) -> dict[str, Any]:
        return self.base.denoiser

    def suggested_settings(self) -> dict[str, object]:
        """Those of the model alone."""
        return self.base.suggested_settings()

    def device(self, machine: Machine) -> "torch.device":
        """Where it draws."""
        return self.base.device(machine)

    def load(self, settings: GenerationSettings, machine: Machine) -> "DiffusionPipeline":
        """The model's pipeline with its adapters, which act as of the steps at which they start."""
        from dominance.models.adapter_loading import add_adapters

        def add(pipeline: "DiffusionPipeline") -> None:
            self._left_out.update(add_adapters(pipeline, self.adapters))

        return self.base.load(settings, machine, add)

    def describe(self, settings: GenerationSettings) -> dict[str, object]:
        """As of the model alone, with its adapters, their trigger words, and their layers that it does not have.

        The last are known once the model is loaded; ten of them are named.
        """
        adapters = [{**adapter.describe(), **self._lost(adapter)} for adapter in self.adapters]
        return {**self.base.describe(settings), "identity": self.identity, "adapters": adapters}

    def _lost(self, adapter: FoundAdapter) -> dict[str, object]:
        lost = self._left_out.get(adapter.identity)
        return {"layers_left_out": len(lost), "such_as": lost[:_NAMED_LAYERS]} if lost else {}


def family_of(path: Path) -> tuple[str, int | None]:
    """The family of a folder's model in words, and the width of the text that its UNet reads."""
    return family_named(class_named(path), read_denoiser(path))


def _other_family(lora: Contents, family: str, width: int | None) -> str | None:
    """The family that a LoRA was made for, where that is not the model's; None where it may fit."""
    if lora.family is None:
        return None
    if not (_has_unet(lora.family) and _has_unet(family)):
        fits = lora.family == family or (lora.family == SOME_TRANSFORMER and not _has_unet(family))
    elif lora.width is not None and width is not None:
        fits = lora.width == width
    else:
        fits = lora.family in ("Stable Diffusion", family)
    return None if fits else lora.family


def _has_unet(family: str) -> bool:
    return family.startswith(("Stable Diffusion", "a text width")) and family != "Stable Diffusion 3"
