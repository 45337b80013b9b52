"""The weights of a LoRA under the names that diffusers gives them, with the scale that its file notes multiplied in."""

import inspect
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors.torch import load_file
from torch import Tensor

from dominance.errors import ModelError
from dominance.models.denoiser import denoiser_config
from dominance.models.pipeline_classes import read_settings
from dominance.models.weight_headers import read_header
from dominance.wording import complaint, on_one_line

_PEFT = "base_model.model."
_LAYER = re.compile(
    r"(?P<layer>.+?)(?:\.processor)?(?:\.(?P<old>to_q|to_k|to_v|to_out)_lora\.|\.lora\.|\.lora_linear_layer\.|\.lora_)"
    r"(?P<side>down|up|A|B)\.(?P<what>weight|bias)"
)
"""A tensor's name in any of the forms that diffusers has had: the layer, and which of the two matrices."""
_OLD = {
    "unet": {"to_q": "to_q", "to_k": "to_k", "to_v": "to_v", "to_out": "to_out.0"},
    "text": {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"},
}
"""Layers of attention as they were once called."""


@dataclass(frozen=True)
class _Named:
    """One tensor of a LoRA: its part of the pipeline, its layer there, and the name that peft gives it."""

    part: str
    layer: str
    tensor: str

    @property
    def down(self) -> bool:
        """Whether it leads down to the low rank."""
        return self.tensor.startswith("lora_A")


Layers = dict[str, dict[str, Tensor]]
"""The tensors of each layer of a part, by the names that peft gives them."""


def read_lora(file: Path, pipeline: DiffusionPipeline, dtype: torch.dtype) -> dict[str, Layers]:
    """A LoRA's weights for each part of a pipeline, whatever program wrote them: kohya's, diffusers or peft.

    A layer adds ``scale · up(down(x))`` to its output; the scale, alpha / rank, is multiplied into ``up``.

    Raises:
        ModelError: diffusers cannot read them.
    """
    weights = load_file(file)
    noted = _noted_scale(file)
    if any(name.startswith(_PEFT) for name in weights):
        part = "unet" if getattr(pipeline, "unet", None) is not None else "transformer"
        weights = {f"{part}.{name.removeprefix(_PEFT)}": value for name, value in weights.items()}
        noted = {f"{part}.{name}": value for name, value in read_settings(file.parent / "adapter_config.json").items()}
    try:
        named, alphas = _as_diffusers(pipeline, weights)
    except Exception as error:  # of the conversion, in any way it likes
        raise ModelError(
            f"{file} cannot be read as a LoRA for {type(pipeline).__name__} ({complaint(error)}); save it again in the"
            " format of diffusers"
        ) from None
    tensors = {_name(pipeline, name): value for name, value in named.items()}
    ranks = {(name.part, name.layer): value.shape[0] for name, value in tensors.items() if name.down}
    parts: dict[str, Layers] = {}
    for name, value in tensors.items():
        key = (name.part, name.layer)
        scale = 1.0 if name.down or key not in ranks else _scale(*key, ranks[key], alphas, noted)
        kept = value if scale == 1 else value.float() * scale
        parts.setdefault(name.part, {}).setdefault(name.layer, {})[name.tensor] = kept.to(dtype)
    return parts


def _name(pipeline: Any, name: str) -> _Named:
    """A tensor's name, read; without the level of names that text encoders no longer have.

    Raises:
        ModelError: it is in no form that is known.
    """
    found = _LAYER.fullmatch(name)
    if found is None:
        raise ModelError(f"it has {on_one_line(name, 100)!r}, which is no part of a LoRA")
    layer = found["layer"]
    part, _, inner = layer.partition(".")
    encoder = getattr(pipeline, part, None) if part.startswith("text_encoder") else None
    if found["old"]:
        inner = f"{inner}.{_OLD['unet' if encoder is None else 'text'][found['old']]}"
    if encoder is not None and not hasattr(encoder, "text_model"):
        inner = inner.removeprefix("text_model.")
    return _Named(part, inner, f"lora_{'A' if found['side'] in ('down', 'A') else 'B'}.{found['what']}")


def _as_diffusers(pipeline: Any, weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[tuple[str, str], float]]:
    """The weights by diffusers' names, and alphas that are not yet multiplied in."""
    found: Any = dict(weights)  # PixArt has nothing that converts: its weights must have these names already
    if convert := getattr(pipeline, "lora_state_dict", None):
        taken = inspect.signature(convert).parameters
        wanted: dict[str, Any] = {"return_alphas": True} if "return_alphas" in taken else {}
        if getattr(pipeline, "unet", None) is not None:
            wanted["unet_config"] = pipeline.unet.config if "layers_per_block" in denoiser_config(pipeline) else None
        found = convert(found, **wanted)
    named, alphas = found if isinstance(found, tuple) else (found, None)
    listed = {**(alphas or {}), **{name: value for name, value in named.items() if name.endswith(".alpha")}}
    by_layer = {_layer(pipeline, name.removesuffix(".alpha")): float(value) for name, value in listed.items()}
    return {name: value for name, value in named.items() if not name.endswith(".alpha")}, by_layer


def _layer(pipeline: Any, name: str) -> tuple[str, str]:
    """The part and layer that an alpha is for; its name is the layer's, or that of one of its tensors."""
    read = _name(pipeline, name if _LAYER.fullmatch(name) else f"{name}.lora_A.weight")
    return read.part, read.layer


def _noted_scale(file: Path) -> dict[str, Any]:
    """What diffusers notes of rank and alpha in a file's header."""
    try:
        noted = json.loads(read_header(file).metadata.get("lora_adapter_metadata", "{}"))
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _scale(
    part: str, layer: str, rank: int, alphas: Mapping[tuple[str, str], float], noted: Mapping[str, Any]
) -> float:
    """Of one layer: by its own alpha, else by what is noted for its part, else 1.

    Source: Hu et al. (2021), "LoRA", section 4.1; Kalajdzievski (2023) for the root of the rank.
    """
    if (part, layer) in alphas:
        return alphas[part, layer] / rank
    patterns = noted.get(f"{part}.alpha_pattern") or {}
    own = next((alpha for pattern, alpha in patterns.items() if re.fullmatch(rf"(.*\.)?({pattern})", layer)), None)
    alpha = noted.get(f"{part}.lora_alpha") if own is None else own
    if not isinstance(alpha, int | float):
        return 1.0
    return alpha / (math.sqrt(rank) if noted.get(f"{part}.use_rslora") else rank)
