"""CLIP and SigLIP: pictures and texts as directions of one space."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor
from transformers import (
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    SiglipImageProcessorPil,
    SiglipModel,
)

from dominance.judges.loading import (
    check_fits,
    check_vocabulary,
    load_tokenizer,
    load_weights,
    one_line,
    read_model_type,
    side,
)
from dominance.models.devices import find_device
from dominance.pictures import as_rgb

ImageTextScheme = Literal["clip", "siglip"]
PICTURES: int = 32
"""Pictures in one forward, at most."""


@dataclass(frozen=True)
class ImageTextEncoder:
    """A CLIP or SigLIP with its tokenizer and image processor.

    Attributes:
        model: a ``CLIPModel`` or ``SiglipModel``.
    """

    scheme: ImageTextScheme
    model: Any
    tokenizer: CLIPTokenizer | PreTrainedTokenizerFast
    processor: CLIPImageProcessorPil | SiglipImageProcessorPil

    @property
    def scale(self) -> float:
        """What the model multiplies cosines by to get logits, 100 for OpenAI's CLIP."""
        return float(self.model.logit_scale.detach().exp())

    @property
    def longest(self) -> int:
        """How many tokens of a text it reads."""
        return self.model.config.text_config.max_position_embeddings

    def tokens(self, text: str) -> int:
        """How many tokens a text has, those of its start and end included."""
        return len(self.tokenizer(self._cased(text)).input_ids)

    @torch.inference_mode()
    def embed_images(self, images: Sequence[Image.Image]) -> Float[Tensor, "image channel"]:
        """The directions of pictures, each of length 1, on the CPU."""
        return torch.cat([self._seen(images[start : start + PICTURES]) for start in range(0, len(images), PICTURES)])

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> Float[Tensor, "text channel"]:
        """The directions of texts, each of length 1, on the CPU; none may have more tokens than it reads."""
        rows = self._tokenized([self._cased(text) for text in texts])
        return _unit(self.model.get_text_features(**rows).pooler_output)

    def _seen(self, images: Sequence[Image.Image]) -> Float[Tensor, "image channel"]:
        pixels = self.processor(images=[as_rgb(image) for image in images], return_tensors="pt")["pixel_values"]
        return _unit(self.model.get_image_features(pixel_values=pixels.to(self.model.device)).pooler_output)

    def _cased(self, text: str) -> str:
        return text.lower() if self.scheme == "siglip" else text  # as it was trained

    def _tokenized(self, texts: list[str]) -> dict[str, Int[Tensor, "text token"]]:
        if self.scheme == "clip":
            return dict(self.tokenizer(texts, padding=True, return_tensors="pt").to(self.model.device))
        # SigLIP was trained on texts padded to their full length, with no mask.
        rows = self.tokenizer(texts, padding="max_length", max_length=self.longest, return_tensors="pt")
        return {"input_ids": rows.input_ids.to(self.model.device)}


def _unit(features: Float[Tensor, "row channel"]) -> Float[Tensor, "row channel"]:
    return (features / features.norm(dim=-1, keepdim=True)).float().cpu()


def load_image_text(
    what: str, path: Path, scheme: ImageTextScheme, device: str = "auto", such_as: str | None = None
) -> ImageTextEncoder:
    """A CLIP or SigLIP from an ordinary transformers folder, safetensors only.

    Args:
        what: it is to be, for messages: ``"the judge 'clip:owner/name'"``.
        such_as: a model to give instead, where no other scheme is taken.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or they are of another model.
    """
    read_model_type(what, path, scheme, such_as)
    target = find_device(device)
    if scheme == "clip":
        model = load_weights(what, path, CLIPModel, target)
        with one_line(what, path):
            tokenizer = load_tokenizer(path, CLIPTokenizer)
            processor = CLIPImageProcessorPil.from_pretrained(path, local_files_only=True)
        shown = processor.crop_size if processor.do_center_crop else processor.size
    else:
        model = load_weights(what, path, SiglipModel, target)
        with one_line(what, path):
            # The tokenizer's own class wants sentencepiece; its tokenizer.json does not.
            tokenizer = load_tokenizer(path, PreTrainedTokenizerFast)
            processor = SiglipImageProcessorPil.from_pretrained(path, local_files_only=True)
        shown = processor.size
    config: Any = model.config
    check_fits(what, path, {"the image size": (side(shown), side(config.vision_config.image_size))})
    check_vocabulary(what, path, len(tokenizer), config.text_config.vocab_size)
    return ImageTextEncoder(scheme, model, tokenizer, processor)
