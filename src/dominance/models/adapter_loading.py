"""Adds adapters to a pipeline, each with its strength, and from the step on at which it starts to act."""

import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils.peft_utils import recurse_remove_peft_layers
from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from dominance.errors import InputError, ModelError
from dominance.models.adapter_dial import Turns, factors_at, turn_on
from dominance.models.adapter_weights import Layers, read_lora
from dominance.models.adapters import FoundAdapter
from dominance.models.denoiser import find_denoiser, original
from dominance.models.embeddings import add_embedding
from dominance.wording import complaint


def loaded_name(index: int) -> str:
    """What a pipeline calls the LoRA that ``add_adapters`` gave it at this place."""
    return f"adapter_{index}"


def add_adapters(pipeline: DiffusionPipeline, adapters: Sequence[FoundAdapter]) -> dict[str, list[str]]:
    """Loads the adapters, and says on standard error how each acts.

    Returns:
        By an adapter's identity, its layers that the model does not have; none for an adapter that fits as a whole.

    Raises:
        ModelError: an adapter that does not fit the model.
        InputError: a model that takes none.
    """
    loras = {loaded_name(index): adapter for index, adapter in enumerate(adapters) if not adapter.is_embedding}
    for adapter in adapters:
        if adapter.is_embedding:
            _say(adapter, add_embedding(pipeline, adapter))
    left_out: dict[str, list[str]] = {}
    for name, adapter in loras.items():
        told, lost = _add_lora(pipeline, name, adapter)
        _say(adapter, told)
        left_out |= {adapter.identity: lost} if lost else {}
    if loras:
        _act(pipeline, {name: (adapter.given.strength, adapter.given.start) for name, adapter in loras.items()})
    return left_out


def fuse_adapter(pipeline: DiffusionPipeline, adapter: FoundAdapter) -> None:
    """Adds a LoRA into a model's weights: the model has plain layers before and after, and suggests what it suggests.

    Raises:
        ModelError: it does not fit the model as a whole.
    """
    parts = [part for _, part in _parts(pipeline)]
    trained = [(parameter, parameter.requires_grad) for part in parts for parameter in part.parameters()]
    _, lost = _add_lora(pipeline, loaded_name(0), adapter)
    if lost:
        raise ModelError(f"the adapter {adapter.name!r} has layers that its base does not have, such as {lost[0]}")
    for part in parts:
        for layer in part.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.merge()
        recurse_remove_peft_layers(part)
        if hasattr(part, "peft_config"):
            del part.peft_config
    for parameter, was_trained in trained:
        parameter.requires_grad_(was_trained)
    pipeline.register_to_config(_name_or_path=str(adapter.file.parent))


def _say(adapter: FoundAdapter, told: str) -> None:
    sys.stderr.write(f"note on the adapter {adapter.name!r}: {told}\n")


def _add_lora(pipeline: Any, name: str, adapter: FoundAdapter) -> tuple[str, list[str]]:
    """Loads a LoRA under this name; how it acts, and its layers that the model does not have.

    Raises:
        ModelError: none of its layers is in the model, or their sizes differ.
    """
    denoiser = find_denoiser(pipeline)
    if denoiser is None:
        raise InputError(f"{type(pipeline).__name__} has no denoiser for a LoRA; leave out --adapter {adapter.name}")
    lost: list[str] = []
    taken: dict[str, int] = {}
    read = read_lora(adapter.file, pipeline, next(denoiser.parameters()).dtype)
    for part, layers in read.items():
        module = original(getattr(pipeline, part, None))
        known = dict(module.named_modules()) if isinstance(module, nn.Module) else {}
        whole = {layer: tensors for layer, tensors in layers.items() if layer in known and _is_whole(tensors)}
        lost += [f"{part}.{layer}" for layer in layers.keys() - whole.keys()]
        if whole:
            taken[part] = len(whole)
            _inject(module, name, {layer: _shaped(known[layer], whole[layer]) for layer in whole}, adapter)
    if not taken:
        raise ModelError(
            f"none of the {len(lost)} layers of the adapter {adapter.name!r} is in {type(pipeline).__name__}, such as"
            f" {min(lost, default='any')}; give one that was trained for this model"
        )
    return _how_it_acts(adapter, taken, sorted(lost)), sorted(lost)


def _is_whole(tensors: Mapping[str, torch.Tensor]) -> bool:
    return {"lora_A.weight", "lora_B.weight"} <= tensors.keys()


def _shaped(layer: nn.Module, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices where the layer is one, and convolutions of one pixel where it is a convolution."""
    base = getattr(layer, "base_layer", layer)
    shaped = {}
    for name, value in tensors.items():
        if isinstance(base, nn.Linear) and value.ndim == 4:
            shaped[name] = value[..., 0, 0]
        elif isinstance(base, nn.Conv2d) and value.ndim == 2:
            shaped[name] = value[..., None, None]
        else:
            shaped[name] = value
    return shaped


def _inject(module: nn.Module, name: str, layers: Layers, adapter: FoundAdapter) -> None:
    """Gives these layers of a part a LoRA of this name; those that are there stay as they are.

    Diffusers' own way makes up the weights of a text encoder's first LoRA when it loads a second.
    """
    ranks = {layer: tensors["lora_A.weight"].shape[0] for layer, tensors in layers.items()}
    usual = next(iter(ranks.values()))
    other = {re.escape(layer): rank for layer, rank in ranks.items() if rank != usual}
    config = LoraConfig(
        r=usual,
        lora_alpha=usual,
        rank_pattern=other,
        alpha_pattern=dict(other),
        target_modules="|".join(re.escape(layer) for layer in layers),
        lora_bias=any("lora_B.bias" in tensors for tensors in layers.values()),
    )
    state = {f"{layer}.{tensor}": value for layer, tensors in layers.items() for tensor, value in tensors.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are several adapters is meant
            inject_adapter_in_model(config, module, name, low_cpu_mem_usage=True)
            set_peft_model_state_dict(module, state, name, low_cpu_mem_usage=True)
        _check_sizes(module, name)
    except Exception as error:  # peft and torch raise whatever the weights that do not fit raise
        raise ModelError(
            f"the adapter {adapter.name!r} does not fit the model's {type(module).__name__} ({complaint(error)}); give"
            " one that was trained for this model"
        ) from error


def _check_sizes(module: nn.Module, name: str) -> None:
    """Raises a ModelError for a layer whose adapter reads or gives other numbers than the layer."""
    for place, layer in module.named_modules():
        if not isinstance(layer, BaseTunerLayer) or name not in cast(Any, layer).scaling:
            continue
        own = cast(Any, layer)
        weight, down, up = own.get_base_layer().weight, own.lora_A[name].weight, own.lora_B[name].weight
        if down.is_meta or up.is_meta:
            raise ModelError(f"{place} has no weights")
        found, wanted = (down.shape[1], up.shape[0]), (weight.shape[1], weight.shape[0])
        if found != wanted:
            raise ModelError(f"{place} is {wanted[0]} to {wanted[1]}, the adapter's {found[0]} to {found[1]}")


def _how_it_acts(adapter: FoundAdapter, taken: Mapping[str, int], lost: Sequence[str]) -> str:
    """In words."""
    told = [f"a LoRA, strength {adapter.given.strength:g}"]
    if adapter.given.strength == 0 or adapter.given.start == 1:
        told.append("it changes nothing")
    elif adapter.given.start > 0:
        told.append(f"it acts after {adapter.given.start:.0%} of the steps")
        if any(part.startswith("text_encoder") for part in taken):
            told.append("without its part for the text encoder, which reads the prompt before the first step")
    if lost:
        every = len(lost) + sum(taken.values())
        told.append(f"{len(lost)} of its {every} layers are not in the model and are left out, such as {lost[0]}")
    if adapter.notes.get("trigger_phrase"):
        told.append(f"trigger words: {adapter.notes['trigger_phrase']}")
    elif isinstance(tags := adapter.notes.get("frequent_tags"), list):
        told.append(f"most frequent tags of its training: {', '.join(tags[:3])}")
    return "; ".join(told)


def _parts(pipeline: DiffusionPipeline) -> list[tuple[str, nn.Module]]:
    return [(name, part) for name, part in pipeline.components.items() if isinstance(part, nn.Module)]


def _act(pipeline: Any, numbers: Mapping[str, tuple[float, float]]) -> None:
    """Turns on what acts from the first step; what starts later follows by a hook before the denoiser."""
    denoiser = find_denoiser(pipeline)
    acting = factors_at([numbers], 0.0)
    for _, part in _parts(pipeline):
        turn_on(part, acting)
        for layer in part.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.requires_grad_(False)
    if denoiser is not None and any(strength != 0 and 0 < start < 1 for strength, start in numbers.values()):
        denoiser.register_forward_pre_hook(Turns(pipeline, denoiser, [numbers]), with_kwargs=True)
