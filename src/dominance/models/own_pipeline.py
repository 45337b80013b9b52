"""A pipeline that the caller loaded, identified by what is in memory."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import nn

from dominance.errors import InputError, ModelError
from dominance.models.calls import call_defaults
from dominance.models.denoiser import denoiser_config, original
from dominance.models.drawing import Machine
from dominance.models.folders import read_defaults, world_of
from dominance.models.schedulers import scheduler_record
from dominance.models.settings import GenerationSettings


class OwnPipeline:
    """The caller's own pipeline as the source of a run's images; used as it is.

    Attributes:
        adapters: for each part of the pipeline its adapters in force, and the strength of each, as peft keeps it, in
            the first of its layers.

    Raises:
        ModelError: it is not a diffusers pipeline, or some of its weights are not in memory.
    """

    def __init__(self, pipeline: DiffusionPipeline) -> None:
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
        self.identity = _identity(pipeline)

    @property
    def added(self) -> tuple[str, ...]:
        """None: what the caller added to it is part of it."""
        return ()

    @property
    def scheduler(self) -> str | None:
        """Class of the noise scheduler."""
        scheduler = getattr(self._pipeline, "scheduler", None)
        return None if scheduler is None else type(scheduler).__name__

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


def _identity(pipeline: DiffusionPipeline) -> str:
    """Hash of classes, settings, noise schedule, tokenizers, weights, adapters: it changes whenever an image could."""
    digest = hashlib.sha256()

    def add(*said: object) -> None:
        digest.update(json.dumps(said, sort_keys=True, default=str).encode())

    add(type(pipeline).__name__, list(_strengths(pipeline)), _scheduler_config(pipeline))
    add({key: value for key, value in _config(pipeline).items() if not isinstance(value, list | tuple)})
    for name, part in sorted(pipeline.components.items()):
        add(name, type(original(part)).__name__)
        if isinstance(original(part), ModelMixin):  # what is no weight counts too, such as the scale of the latents
            add(_config(original(part)))
        if hasattr(part, "get_vocab"):
            add(part.get_vocab())
    for part, module in _modules(pipeline):
        for name, value in sorted(module.state_dict().items()):
            if not isinstance(value, torch.Tensor):
                continue
            if value.is_meta:
                raise ModelError(
                    f"the weights of your pipeline's {part} are not in memory ({name} is offloaded), so it cannot be"
                    " identified; save it with save_pretrained, and give the folder and --offload"
                )
            add(part, name, list(value.shape), value.dtype)
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()[:24]}"


def _scheduler_config(pipeline: DiffusionPipeline) -> dict[str, Any]:
    scheduler = getattr(pipeline, "scheduler", None)
    return {"class": type(scheduler).__name__, **_config(scheduler)}


def _config(part: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(getattr(part, "config", {})).items() if not key.startswith("_")}
