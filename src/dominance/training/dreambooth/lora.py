"""A LoRA on a denoiser while it is trained, and its file."""

import contextlib
import json
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.utils.peft_utils import recurse_remove_peft_layers
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save
from torch import Tensor, nn

from dominance.errors import InputError
from dominance.files import write_whole
from dominance.training.dreambooth.options import TeachSettings

LORA_FILE = "pytorch_lora_weights.safetensors"
"""The name under which diffusers saves a LoRA, and looks for it."""
_NAME = "default"


@contextlib.contextmanager
def with_lora(denoiser: nn.Module, settings: TeachSettings, more: Sequence[str] = ()) -> Generator[LoraConfig]:
    """Gives the denoiser's layers a LoRA that adds nothing yet; afterwards the denoiser is as it was.

    Only the LoRA's weights, in float32, are trained.

    Args:
        more: layers beside the usual ones, where the user names none.

    Raises:
        InputError: the denoiser has a LoRA already, or no layer of these names.
    """
    if any(isinstance(layer, BaseTunerLayer) for layer in denoiser.modules()):
        raise InputError("the model has an adapter already; give the model without it")
    alpha = settings.options.rank if settings.options.alpha is None else settings.options.alpha
    config = LoraConfig(
        r=settings.options.rank,
        lora_alpha=alpha,  # ty: ignore[invalid-argument-type]  a float does as well
        init_lora_weights="gaussian",
        target_modules=[*settings.targets, *(() if settings.options.targets else more)],
    )
    trained = {name: parameter.requires_grad for name, parameter in denoiser.named_parameters()}
    denoiser.requires_grad_(False)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.options.seed)
            _inject(config, denoiser)
        for name, parameter in denoiser.named_parameters():
            parameter.requires_grad_("lora_" in name)
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        yield config
    finally:
        recurse_remove_peft_layers(denoiser)
        if hasattr(denoiser, "peft_config"):
            del denoiser.peft_config
        for name, parameter in denoiser.named_parameters():
            parameter.requires_grad_(trained[name])


def _inject(config: LoraConfig, denoiser: nn.Module) -> None:
    try:
        inject_adapter_in_model(config, denoiser, _NAME)
    except ValueError as error:
        if "not found in the base model" not in str(error):
            raise
        names = sorted(
            {name.rsplit(".", 1)[-1] for name, part in denoiser.named_modules() if isinstance(part, nn.Linear)}
        )
        raise InputError(
            f"{type(denoiser).__name__} has no layers {', '.join(sorted(config.target_modules or ()))}; give --targets"
            f" some of {', '.join(names[:12])}"
        ) from None


def save_lora(pipeline: Any, part: str, config: LoraConfig, notes: Mapping[str, str], folder: Path) -> None:
    """Writes ``pytorch_lora_weights.safetensors`` as diffusers names its tensors.

    Args:
        part: the denoiser's name in the pipeline.
        notes: for the file's header, beside what diffusers notes of the LoRA itself.
    """
    denoiser = getattr(pipeline, part)
    layers = {
        f"{part}.{name}": value for name, value in get_peft_model_state_dict(denoiser, adapter_name=_NAME).items()
    }
    described = {f"{part}.{name}": value for name, value in json.loads(_as_json(config)).items()}
    metadata = {"format": "pt", "lora_adapter_metadata": json.dumps(described, sort_keys=True), **notes}
    tensors = {name: _whole(value) for name, value in layers.items()}
    write_whole(folder / LORA_FILE, in_order(save(tensors, metadata=metadata)))


def in_order(file: bytes) -> bytes:
    """The safetensors file with its header sorted, so that equal weights are equal files; safetensors shuffles it."""
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[start:]


def _whole(value: Tensor) -> Tensor:
    return value.detach().cpu().contiguous()


def _as_json(config: LoraConfig) -> str:
    return json.dumps(config.to_dict(), default=lambda value: sorted(value) if isinstance(value, set) else str(value))
