"""BLIP-VQA judges: the image is encoded once for all its questions, and P(yes) is read against P(no)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from transformers import BertTokenizer, BlipForQuestionAnswering, BlipImageProcessorPil

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
from dominance.miniature.bundled import MINIATURE
from dominance.models.devices import find_device
from dominance.models.folders import content_identity, read_defaults
from dominance.pictures import as_rgb
from dominance.records import Answer, Question


@dataclass(frozen=True)
class BlipJudge:
    """A ``BlipForQuestionAnswering`` with its tokenizer and image processor."""

    name: str
    identity: str
    model: BlipForQuestionAnswering
    tokenizer: BertTokenizer
    processor: BlipImageProcessorPil
    taught: tuple[dict[str, str], ...] = ()
    """``concept``, ``kind`` and ``text`` of every question that a judge of few concepts was taught; else empty."""

    @property
    def world(self) -> str | None:
        """The closed world of pictures that it was taught on; None for a judge of any picture."""
        return MINIATURE if self.taught else None

    @property
    def images_at_once(self) -> int:
        """Images whose answers are kept together: few, unless it is a small one that was taught few concepts."""
        return 32 if self.taught else 8

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses questions that it was not taught, that hold words it does not know, or that it would cut off."""
        texts = {entry["text"] for entry in self.taught}
        for question in questions:
            if texts and question.text not in texts:
                raise ModelError(self._untaught(question))
            tokens = self.tokenizer.tokenize(question.text)
            if self.tokenizer.unk_token in tokens:
                raise ModelError(
                    f"the judge {self.name!r} does not know every word of {question.text[:200]!r}, so it cannot judge"
                    f" {question.concept[:80]!r}; give another --judge, or concepts from `dominance list concepts`"
                )
            longest = self.tokenizer.model_max_length - 2
            if len(tokens) > longest:
                raise ModelError(
                    f"the judge {self.name!r} reads at most {longest} tokens of a question, but"
                    f" {question.text[:200]!r} has {len(tokens)}; shorten the concept, or give another --judge"
                )

    def _untaught(self, question: Question) -> str:
        kinds = {entry["concept"]: entry["kind"] for entry in self.taught}
        asked = f"the judge {self.name!r} was never taught to answer {question.text[:200]!r}"
        if question.concept in kinds:
            kind = kinds[question.concept]
            return f"{asked}; write [{question.concept}:{kind}], and use the bundled questions"
        known = ", ".join(f"{name}:{kind}" for name, kind in kinds.items())
        return f"{asked}; give one of the concepts that it knows ({known}), or another --judge"

    @torch.inference_mode()
    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """All questions of all images in one forward of each part."""
        pixels = self.processor(images=[as_rgb(image) for image in images], return_tensors="pt").pixel_values
        seen = self.model.vision_model(pixel_values=pixels.to(self.model.device)).last_hidden_state
        counts = torch.tensor([len(asked) for asked in questions])
        p_yes = self._p_yes(seen.repeat_interleave(counts.to(seen.device), dim=0), _texts(questions)).tolist()
        given = iter(p_yes)
        return [tuple(as_answer(question, next(given)) for question in asked) for asked in questions]

    def _p_yes(self, seen: Float[Tensor, "question patch channel"], texts: list[str]) -> Float[Tensor, "question"]:
        """P(yes) / (P(yes) + P(no)) at the first answer position; ``seen`` is (question, patch, channel)."""
        rows = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(seen.device)
        read = self.model.text_encoder(
            input_ids=rows.input_ids, attention_mask=rows.attention_mask, encoder_hidden_states=seen
        ).last_hidden_state
        start = torch.full((len(texts), 1), self.model.decoder_start_token_id, device=seen.device)
        both = self.tokenizer.convert_tokens_to_ids(["yes", "no"])
        p_yes = torch.empty(len(texts))
        # By length, because the decoder of transformers 5.23 does not heed encoder_attention_mask: padding would
        # make an answer depend on the other questions of its batch.
        lengths = rows.attention_mask.sum(dim=1)
        for length in lengths.unique().tolist():
            same = lengths == length
            spoken = self.model.text_decoder(input_ids=start[same], encoder_hidden_states=read[same, :length])
            p_yes[same.cpu()] = spoken.logits[:, 0, both].float().softmax(-1)[:, 0].cpu()
        return p_yes


def _texts(questions: Sequence[Sequence[Question]]) -> list[str]:
    return [question.text for asked in questions for question in asked]


def load_blip_judge(name: str, path: Path, device: str = "auto", identity: str | None = None) -> BlipJudge:
    """A BLIP-VQA judge from an ordinary transformers folder, safetensors only.

    Args:
        identity: of the weights, where they have one besides their content.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or they are no BLIP-VQA.
    """
    what = f"the judge {name!r}"
    read_model_type(what, path, "blip")
    model: Any = load_weights(what, path, BlipForQuestionAnswering, find_device(device))
    with one_line(what, path):
        tokenizer = load_tokenizer(path, BertTokenizer)
        processor = BlipImageProcessorPil.from_pretrained(path, local_files_only=True)
        sizes = side(processor.size), side(model.config.vision_config.image_size)
        check_fits(what, path, {"the image size": sizes})
        check_vocabulary(what, path, len(tokenizer), model.config.text_config.vocab_size)
        # Some tokenizers are saved without the length that their model reads.
        tokenizer.model_max_length = min(tokenizer.model_max_length, model.config.text_config.max_position_embeddings)
    if tokenizer.unk_token_id in {tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no")}:
        raise ModelError(f"{what} in {path} does not know the words yes and no; give a BLIP-VQA model")
    return BlipJudge(name, identity or content_identity(path), model, tokenizer, processor, _taught(path))


def _taught(path: Path) -> tuple[dict[str, str], ...]:
    taught = read_defaults(path).get("taught", [])
    complete = isinstance(taught, list) and all(
        isinstance(e, dict) and set(e) == {"concept", "kind", "text"} for e in taught
    )
    if not complete:
        raise ModelError(f"{path / 'dominance.json'}: taught is not a list of concept, kind and text; fix or delete it")
    return tuple(taught)
