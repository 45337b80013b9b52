"""A pipeline that the caller loaded, identified by what is in memory."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import nn

from dominance.errors import InputError, ModelError
from dominance.models.calls import call_defaults
from dominance.models.denoiser import denoiser_config, find_denoiser, original
from dominance.models.drawing import Machine
from dominance.models.folders import read_defaults, world_of
from dominance.models.schedulers import scheduler_record
from dominance.models.settings import GenerationSettings


class OwnPipeline:
    """The caller's own pipeline as the source of a run's images; used as it is.

    Attributes:
        adapters: for each part of the pipeline its adapters in force, and the strength of each, as peft keeps it, in
            the first of its layers.

    Args:
        sampled: whether the weights are taken to be as they were when this pipeline was last hashed, if a sample of
            every tensor is.

    Raises:
        ModelError: it is not a diffusers pipeline, or some of its weights are not in memory.
    """

    def __init__(self, pipeline: DiffusionPipeline, *, sampled: bool = False) -> None:
        if not isinstance(pipeline, DiffusionPipeline):
            raise ModelError(
                f"the model is a {type(pipeline).__name__}; give a model's name, or a diffusers text-to-image pipeline"
            )
        self._pipeline = pipeline
        self.name = f"your {type(pipeline).__name__}"
        # Of the folder that it was loaded from, where that is known: loaded or named, a model draws alike.
        self.defaults = read_defaults(Path(str(pipeline.config.get("_name_or_path", ""))))
        self.world = world_of(self.defaults)
        self.adapters = _adapters(pipeline)
        self.identity = _sampled(pipeline) if sampled else _identity(pipeline)

    @property
    def weights(self) -> str:
        """Hash of its weights alone: the same with any scheduler, and with adapters or without."""
        return weights_identity(self._pipeline)

    @property
    def added(self) -> tuple[str, ...]:
        """None: what the caller added to it is part of it."""
        return ()

    @property
    def scheduler(self) -> str | None:
        """Class of the noise scheduler."""
        scheduler = getattr(self._pipeline, "scheduler", None)
        return None if scheduler is None else type(scheduler).__name__

    @property
    def denoiser(self) -> dict[str, Any]:
        """Settings of the UNet or transformer, the class as ``_class_name``."""
        return {**denoiser_config(self._pipeline), "_class_name": type(find_denoiser(self._pipeline)).__name__}

    def suggested_settings(self) -> dict[str, object]:
        """Steps and guidance that the pipeline's own call has for defaults; guidance 1 where it takes none."""
        return call_defaults(type(self._pipeline), denoiser_config(self._pipeline), dict(self._pipeline.config))

    def device(self, machine: Machine) -> torch.device:
        """Where the pipeline is."""
        del machine
        return self._pipeline.device

    def load(self, settings: GenerationSettings, machine: Machine) -> DiffusionPipeline:
        """The pipeline as it is.

        Raises:
            InputError: it would have to be changed or moved for what is asked.
        """
        device = self._pipeline.device
        asked = {
            "scheduler": settings.scheduler is not None,
            "vae-tiling": settings.vae_tiling,
            "offload": machine.offload != "none",
            "device": machine.device not in ("auto", str(device), device.type),
        }
        for option, given in asked.items():
            if given:
                raise InputError(
                    f"{option} is given, but your own pipeline is used as it is; set it on the pipeline, and"
                    f" leave out {option}"
                )
        self._pipeline.set_progress_bar_config(disable=True)
        return self._pipeline

    def describe(self, settings: GenerationSettings) -> dict[str, object]:
        """For the manifest: class, noise schedule, adapters in force and the hash of the weights."""
        del settings
        return {
            "name": self.name,
            "identity": self.identity,
            "scheduler": self.scheduler,
            "scheduler_settings": scheduler_record(self.scheduler, _scheduler_config(self._pipeline)),
            "pipeline": type(self._pipeline).__name__,
            "dtype": str(self._pipeline.dtype).removeprefix("torch."),
            "adapters": self.adapters,
        }


def _modules(pipeline: DiffusionPipeline) -> Iterator[tuple[str, nn.Module]]:
    for name, part in sorted(pipeline.components.items()):
        if isinstance(part, nn.Module):
            yield name, original(part)


def _strengths(pipeline: DiffusionPipeline) -> Iterator[tuple[str, str, str, float]]:
    """Part, layer, name and strength of every adapter in force; each layer may have its own strength."""
    for part, module in _modules(pipeline):
        for place, layer in module.named_modules():
            scaling = getattr(layer, "scaling", None)
            if not isinstance(scaling, dict) or getattr(layer, "disable_adapters", False):
                continue
            for name in getattr(layer, "active_adapters", ()):
                if name in scaling:
                    yield part, place, name, float(scaling[name])


def _adapters(pipeline: DiffusionPipeline) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for part, _, name, strength in _strengths(pipeline):
        found.setdefault(part, {}).setdefault(name, strength)
    return found


_HASHED: "WeakKeyDictionary[DiffusionPipeline, tuple[str, dict[bool, str]]]" = WeakKeyDictionary()
"""Of pipelines that were hashed: a sample of their weights, and the hashes, with and without what is not weights."""
_SAMPLE = 32
"""Values of every tensor; an adapter that is fused into a tensor changes nearly all of them."""


def weights_identity(pipeline: DiffusionPipeline) -> str:
    """Hash of a pipeline's weights alone: the same with any scheduler, and with adapters or without.

    Raises:
        ModelError: some of them are not in memory.
    """
    return _sampled(pipeline, alone=True)


def _sampled(pipeline: DiffusionPipeline, *, alone: bool = False) -> str:
    """As ``_identity``, but hashed again only where a sample of the weights or anything else has changed."""
    sample = _identity(pipeline, sample=_SAMPLE)
    kept = _HASHED.get(pipeline)
    if kept is None or kept[0] != sample:
        kept = _HASHED[pipeline] = (sample, {})
    if alone not in kept[1]:
        kept[1][alone] = _identity(pipeline, alone=alone)
    return kept[1][alone]


def _identity(pipeline: DiffusionPipeline, *, alone: bool = False, sample: int | None = None) -> str:
    """Hash of classes, settings, noise schedule, tokenizers, weights, adapters: it changes whenever an image could.

    Args:
        alone: without noise schedule and adapters.
        sample: so many values of every tensor are hashed, or all.
    """
    digest = hashlib.sha256()

    def add(*said: object) -> None:
        digest.update(json.dumps(said, sort_keys=True, default=str).encode())

    added = [] if alone else [list(_strengths(pipeline)), _scheduler_config(pipeline)]
    add(type(pipeline).__name__, *added)
    add({key: value for key, value in _config(pipeline).items() if not isinstance(value, list | tuple)})
    for name, part in sorted(pipeline.components.items()):
        if alone and name == "scheduler":
            continue
        add(name, type(original(part)).__name__)
        if isinstance(original(part), ModelMixin):  # what is no weight counts too, such as the scale of the latents
            add(_config(original(part)))
        if hasattr(part, "get_vocab"):
            add(part.get_vocab())
    for part, module in _modules(pipeline):
        for name, value in _tensors(module, adapted=not alone):
            if value.is_meta:
                raise ModelError(
                    f"the weights of your pipeline's {part} are not in memory ({name} is offloaded), so it cannot be"
                    " identified; save it with save_pretrained, and give the folder and --offload"
                )
            add(part, name, list(value.shape), value.dtype)
            values = value.detach().reshape(-1)
            values = values if sample is None else values[:: max(1, len(values) // sample)]
            digest.update(values.cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()[:24]}"


def _tensors(module: nn.Module, *, adapted: bool) -> list[tuple[str, torch.Tensor]]:
    """The tensors of a module by name; where not ``adapted``, without those of adapters, which rename others."""
    found = [(name, value) for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)]
    if not adapted:
        found = [(name.replace(".base_layer.", "."), value) for name, value in found if ".lora_" not in name]
    return sorted(found, key=lambda each: each[0])


def _scheduler_config(pipeline: DiffusionPipeline) -> dict[str, Any]:
    scheduler = getattr(pipeline, "scheduler", None)
    return {"class": type(scheduler).__name__, **_config(scheduler)}


def _config(part: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(getattr(part, "config", {})).items() if not key.startswith("_")}
