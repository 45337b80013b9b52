"""Image encoders whose embeddings are compared: the bundled one, and CLIP, SigLIP, DINOv2 and BLIP."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import nn

from dominance.diversity.verdicts import PAPER_EMBEDDER
from dominance.errors import ModelError
from dominance.models.devices import find_device
from dominance.models.folders import ModelFolder, bundled_folder, content_identity, find_weights
from dominance.pictures import as_rgb
from dominance.wording import complaint, remedy_for

MINIATURE = "miniature"
Comparable = Literal["paper", "miniature", "itself"]
"""What an embedder's distances compare with: the paper's medians, the miniature world's, or only with its own."""

DUPLICATE_SIMILARITY: dict[str, float] = {"paper": 0.95, "miniature": 0.99, "itself": 0.95}
"""Cosine similarity from which two images count as near duplicates, unless the user says otherwise."""


class Embedder(Protocol):
    """An image encoder; ``identity`` changes whenever an embedding could."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def comparable(self) -> Comparable: ...

    def embed(self, images: Sequence[Image.Image]) -> Float[np.ndarray, "image channel"]: ...


@dataclass(frozen=True, eq=False)
class TransformersEmbedder:
    """An image encoder of transformers with its processor."""

    name: str
    identity: str
    description: str
    comparable: Comparable
    model: nn.Module
    processor: Any
    pool: Callable[[Any], torch.Tensor]
    """From the model's output to one row an image."""

    @torch.inference_mode()
    def embed(self, images: Sequence[Image.Image]) -> Float[np.ndarray, "image channel"]:
        """One embedding an image, float32, of any length."""
        device = next(self.model.parameters()).device
        pixels = self.processor(images=[as_rgb(image) for image in images], return_tensors="pt").pixel_values
        return self.pool(self.model(pixel_values=pixels.to(device))).float().cpu().numpy()


def load_embedder(name: str = MINIATURE, device: str = "auto") -> TransformersEmbedder:
    """The image encoder of that name.

    Args:
        name: ``miniature`` for the bundled encoder, a folder, or a hub id such as
            ``openai/clip-vit-large-patch14``.

    Raises:
        ModelError: nothing by that name, not an image encoder that is known, or its weights cannot be loaded.
    """
    if name == MINIATURE:
        path = bundled_folder("encoder")
        folder = ModelFolder(name, path, content_identity(path), {})
    else:
        folder = find_weights(name, f"the embedder {name[:80]!r}")
    config = _read_config(name, folder.path)
    kind = str(config.get("model_type"))
    if kind not in _LOADERS:
        raise ModelError(
            f"the embedder {name[:80]!r} is a {kind[:40]!r} model; give miniature, or a model of the types"
            f" {', '.join(_LOADERS)}, such as {PAPER_EMBEDDER}"
        )
    target = find_device(device)
    try:
        model, processor, pool, words = _LOADERS[kind](folder.path)
        model = model.eval().to(target)
    except ModelError:
        raise
    except Exception as error:  # transformers raises whatever the broken part raises
        raise ModelError(
            f"cannot load the embedder {name[:80]!r} from {folder.path}: {complaint(error)}; {remedy_for(error)}"
        ) from error
    if name == MINIATURE:
        words = "the bundled image encoder, which knows only the miniature world"
    comparable: Comparable = "miniature" if name == MINIATURE else "paper" if _is_paper(config) else "itself"
    return TransformersEmbedder(name, f"{folder.identity}:{kind}-1", words, comparable, model, processor, pool)


def _read_config(name: str, path: Path) -> dict[str, Any]:
    file = path / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"the embedder {name[:80]!r} has no config.json in {path}; give a transformers model"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({complaint(error)}); {remedy_for(error)}") from None
    if not isinstance(config, dict):
        raise ModelError(f"{file} does not contain a model's settings; fetch this file again")
    return config


def _is_paper(config: dict[str, Any]) -> bool:
    """Whether this is the architecture of OpenAI's CLIP ViT-L/14, whose distances the paper gives.

    Its activation distinguishes it from other ViT-L/14 models, which use an ordinary GELU.
    """
    seen = config.get("vision_config") or {}
    return (
        config.get("model_type") == "clip"
        and seen.get("hidden_size") == 1024
        and seen.get("num_hidden_layers") == 24
        and seen.get("patch_size") == 14
        and seen.get("image_size", 224) == 224
        and seen.get("hidden_act", "quick_gelu") == "quick_gelu"
    )


Loaded = tuple[nn.Module, Any, Callable[[Any], torch.Tensor], str]


def _loaded(kind: Any, path: Path, **given: Any) -> nn.Module:
    """A part of a saved model, refused where some of its weights are missing."""
    load = cast(Callable[..., tuple[nn.Module, dict]], kind.from_pretrained)
    model, report = load(
        path, use_safetensors=True, dtype=torch.float32, local_files_only=True, output_loading_info=True, **given
    )
    if missing := report["missing_keys"]:  # transformers would fill them with noise
        raise ModelError(
            f"the embedder in {path} lacks {len(missing)} weights, such as {min(missing)}; fetch its"
            " weights again, or give a model that has them"
        )
    return model


def _clip(path: Path) -> Loaded:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPVisionModelWithProjection

    processor = CLIPImageProcessorPil.from_pretrained(path, local_files_only=True)
    config = cast(Any, CLIPConfig.from_pretrained(path, local_files_only=True))
    config.vision_config.projection_dim = config.projection_dim  # the image encoder alone would take its own default
    model = _loaded(CLIPVisionModelWithProjection, path, config=config.vision_config)
    return model, processor, lambda out: out.image_embeds, "CLIP image embeddings, projected"


def _siglip(path: Path) -> Loaded:
    from transformers import SiglipImageProcessorPil, SiglipVisionModel

    processor = SiglipImageProcessorPil.from_pretrained(path, local_files_only=True)
    return _loaded(SiglipVisionModel, path), processor, lambda out: out.pooler_output, "SigLIP image embeddings"


def _dinov2(path: Path) -> Loaded:
    from transformers import BitImageProcessorPil, Dinov2Model

    processor = BitImageProcessorPil.from_pretrained(path, local_files_only=True)
    return _loaded(Dinov2Model, path), processor, lambda out: out.pooler_output, "DINOv2's class token"


def _blip(path: Path) -> Loaded:
    from transformers import BlipForQuestionAnswering, BlipImageProcessorPil

    processor = BlipImageProcessorPil.from_pretrained(path, local_files_only=True)
    model = cast(Any, _loaded(BlipForQuestionAnswering, path)).vision_model
    return model, processor, _patches, _PATCHES


_PATCHES = "the mean of BLIP's image patches"


def _patches(out: Any) -> torch.Tensor:
    """The class token serves a judge's questions; the mean of the patches follows more of what varies in a picture."""
    return out.last_hidden_state[:, 1:].mean(dim=1)


def _blip_vision(path: Path) -> Loaded:
    from transformers import BlipImageProcessorPil, BlipVisionModel

    processor = BlipImageProcessorPil.from_pretrained(path, local_files_only=True)
    return _loaded(BlipVisionModel, path), processor, _patches, _PATCHES


_LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "clip": _clip,
    "siglip": _siglip,
    "dinov2": _dinov2,
    "blip": _blip,
    "blip_vision_model": _blip_vision,
}
