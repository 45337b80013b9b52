"""CLIP and SigLIP as judges: how much a picture resembles the concept's name. A weak baseline.

They are never asked the question. All questions about a concept get the same answer, so that of N questions 0 or N
are yes: what is judged is presence alone. Similarity also rises with anything that goes with the concept, and is hardly
touched by "without" or "not"; read these judges beside a better one, never alone.
"""

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
from dominance.judges.protocol import as_answer
from dominance.models.devices import find_device
from dominance.models.folders import content_identity
from dominance.pictures import as_rgb
from dominance.records import Answer, Question

SimilarityScheme = Literal["clip", "siglip"]
CONCEPT_TEXT: str = "a photo of {concept}"
NEUTRAL_TEXTS: tuple[str, ...] = ("a photo", "a picture", "a photo of something else")
"""What CLIP's similarity to the concept is held against; SigLIP needs nothing of the kind."""
PICTURES: int = 32
"""Pictures in one forward, at most."""


@dataclass(frozen=True)
class SimilarityJudge:
    """A CLIP or SigLIP with its tokenizer and image processor.

    With s(text) the cosine of the picture's and the text's embedding times the model's own scale:
    CLIP: ``P(yes) = σ(s(a photo of CONCEPT) − mean over NEUTRAL_TEXTS of s(text))``, a choice of ours.
    SigLIP: ``P(yes) = σ(s(a photo of CONCEPT) + bias)``, the probability that it was trained to give.
    Source: Radford et al. (2021); Zhai et al. (2023), equation 1.

    Attributes:
        model: a ``CLIPModel`` or ``SiglipModel``.
    """

    name: str
    identity: str
    scheme: SimilarityScheme
    model: Any
    tokenizer: CLIPTokenizer | PreTrainedTokenizerFast
    processor: CLIPImageProcessorPil | SiglipImageProcessorPil

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses concepts whose names it would cut off."""
        longest = self.model.config.text_config.max_position_embeddings
        for question in questions:
            length = len(self.tokenizer(self._text(question.concept)).input_ids)
            if length > longest:
                raise ModelError(
                    f"the judge {self.name!r} reads at most {longest} tokens, but"
                    f" {self._text(question.concept)[:200]!r} has {length}; shorten the concept, or give"
                    " another --judge"
                )

    @torch.inference_mode()
    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """The same answer to all questions about one concept."""
        concepts = list(dict.fromkeys(question.concept for asked in questions for question in asked))
        if not concepts:
            return [() for _ in questions]
        texts = self._embed_texts([self._text(concept) for concept in concepts])
        neutral = self._embed_texts(list(NEUTRAL_TEXTS)) if self.scheme == "clip" else None
        p_yes = [
            dict(zip(concepts, row, strict=True))
            for start in range(0, len(images), PICTURES)
            for row in self._p_yes(images[start : start + PICTURES], texts, neutral).tolist()
        ]
        return [
            tuple(as_answer(question, known[question.concept]) for question in asked)
            for known, asked in zip(p_yes, questions, strict=True)
        ]

    def _text(self, concept: str) -> str:
        text = CONCEPT_TEXT.replace("{concept}", concept)
        return text.lower() if self.scheme == "siglip" else text  # as it was trained

    def _p_yes(
        self,
        images: Sequence[Image.Image],
        texts: Float[Tensor, "concept channel"],
        neutral: Float[Tensor, "text channel"] | None,
    ) -> Float[Tensor, "image concept"]:
        pixels = self.processor(images=[as_rgb(image) for image in images], return_tensors="pt")["pixel_values"]
        seen = _unit(self.model.get_image_features(pixel_values=pixels.to(self.model.device)).pooler_output)
        scale = self.model.logit_scale.exp()
        logits = scale * seen @ texts.T
        if neutral is not None:
            return torch.sigmoid(logits - (scale * seen @ neutral.T).mean(dim=-1, keepdim=True)).cpu()
        return torch.sigmoid(logits + self.model.logit_bias).cpu()

    def _embed_texts(self, texts: list[str]) -> Float[Tensor, "text channel"]:
        rows = self._tokens(texts)
        return _unit(self.model.get_text_features(**rows).pooler_output)

    def _tokens(self, texts: list[str]) -> dict[str, Int[Tensor, "text token"]]:
        if self.scheme == "clip":
            return dict(self.tokenizer(texts, padding=True, return_tensors="pt").to(self.model.device))
        longest = self.model.config.text_config.max_position_embeddings
        # SigLIP was trained on texts padded to their full length, with no mask.
        rows = self.tokenizer(texts, padding="max_length", max_length=longest, return_tensors="pt")
        return {"input_ids": rows.input_ids.to(self.model.device)}


def _unit(features: Float[Tensor, "row channel"]) -> Float[Tensor, "row channel"]:
    return features / features.norm(dim=-1, keepdim=True)


def load_similarity_judge(
    name: str, path: Path, scheme: SimilarityScheme, device: str = "auto", identity: str | None = None
) -> SimilarityJudge:
    """A CLIP or SigLIP from an ordinary transformers folder, safetensors only.

    Args:
        identity: of the weights, where they have one besides their content.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or they are of another model.
    """
    read_model_type(name, path, scheme)
    target = find_device(device)
    if scheme == "clip":
        model = load_weights(name, path, CLIPModel, target)
        with one_line(name, path):
            tokenizer = load_tokenizer(path, CLIPTokenizer)
            processor = CLIPImageProcessorPil.from_pretrained(path, local_files_only=True)
        shown = processor.crop_size if processor.do_center_crop else processor.size
    else:
        model = load_weights(name, path, SiglipModel, target)
        with one_line(name, path):
            # The tokenizer's own class wants sentencepiece; its tokenizer.json does not.
            tokenizer = load_tokenizer(path, PreTrainedTokenizerFast)
            processor = SiglipImageProcessorPil.from_pretrained(path, local_files_only=True)
        shown = processor.size
    config: Any = model.config
    wanted = config.vision_config.image_size
    check_fits(name, path, {"the image size": (side(shown), side(wanted))})
    check_vocabulary(name, path, len(tokenizer), config.text_config.vocab_size)
    return SimilarityJudge(name, identity or content_identity(path), scheme, model, tokenizer, processor)
