"""BLIP models that write captions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import BertTokenizer, BlipForConditionalGeneration, BlipImageProcessorPil

from dominance.errors import ModelError
from dominance.judges.loading import (
    check_fits,
    check_vocabulary,
    load_tokenizer,
    load_weights,
    one_line,
    read_model_type,
    side,
)
from dominance.judges.measuring import SUCH_AS
from dominance.models.devices import find_device
from dominance.pictures import as_rgb

BEAMS, SHORTEST, LONGEST = 3, 10, 30
"""Beams, and tokens of a caption: the defaults of LAVIS, whose BLIP Chefer et al. (2023) let write captions."""
PICTURES: int = 8
"""Pictures in one forward, at most."""
_WRITES = "BlipForConditionalGeneration"


@dataclass(frozen=True)
class Captioner:
    """A ``BlipForConditionalGeneration`` with its tokenizer and image processor."""

    model: Any
    tokenizer: BertTokenizer
    processor: BlipImageProcessorPil

    @torch.inference_mode()
    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        """What each picture shows, in a few words of English; the same each time."""
        starts = range(0, len(images), PICTURES)
        return [text for start in starts for text in self._told(images[start : start + PICTURES])]

    def _told(self, images: Sequence[Image.Image]) -> list[str]:
        pixels = self.processor(images=[as_rgb(image) for image in images], return_tensors="pt")["pixel_values"]
        rows = self.model.generate(
            pixel_values=pixels.to(self.model.device),
            do_sample=False,
            num_beams=BEAMS,
            min_length=SHORTEST,
            max_length=LONGEST,
        )
        # Some tokenizers do not know the mark that a caption begins with for one.
        text = self.model.config.text_config
        marks = {text.bos_token_id, text.sep_token_id, text.eos_token_id, text.pad_token_id}
        words = [[token for token in row if token not in marks] for row in rows.tolist()]
        told = self.tokenizer.batch_decode(words, skip_special_tokens=True)
        return [" ".join(caption.split()) for caption in told]


def load_captioner(what: str, path: Path, device: str = "auto") -> Captioner:
    """A BLIP that writes captions, from an ordinary transformers folder, safetensors only.

    Args:
        what: it is to be, for messages: ``"the captions 'blip:owner/name'"``.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or it is of another model, such as a BLIP
            that answers questions.
    """
    read_model_type(what, path, "blip", SUCH_AS["captions"])
    with one_line(what, path):
        made = json.loads((path / "config.json").read_text(encoding="utf-8")).get("architectures") or [_WRITES]
    if _WRITES not in made:
        raise ModelError(
            f"{what} in {path} is a {str(made[0])[:60]}, which writes no captions; give a {_WRITES}, such as"
            f" {SUCH_AS['captions']}"
        )
    model: Any = load_weights(what, path, BlipForConditionalGeneration, find_device(device))
    with one_line(what, path):
        tokenizer = load_tokenizer(path, BertTokenizer)
        processor = BlipImageProcessorPil.from_pretrained(path, local_files_only=True)
    check_fits(what, path, {"the image size": (side(processor.size), side(model.config.vision_config.image_size))})
    check_vocabulary(what, path, len(tokenizer), model.config.text_config.vocab_size)
    return Captioner(model, tokenizer, processor)
