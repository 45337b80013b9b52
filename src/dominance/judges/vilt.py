"""ViLT-VQA judges: a classifier over the answers it was trained on, of which yes and no are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from transformers import BertTokenizer, ViltForQuestionAnswering, ViltImageProcessorPil

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

ROWS: int = 64
"""Questions in one forward, at most."""


@dataclass(frozen=True)
class ViltJudge:
    """A ``ViltForQuestionAnswering`` with its tokenizer and image processor.

    Attributes:
        yes, no: the labels of these answers.
        images_at_once: images whose answers are kept together.
    """

    name: str
    identity: str
    model: ViltForQuestionAnswering
    tokenizer: BertTokenizer
    processor: ViltImageProcessorPil
    yes: int
    no: int
    images_at_once: int = 8

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses questions that it would cut off."""
        longest = self.model.config.max_position_embeddings - 2
        for question in questions:
            length = len(self.tokenizer.tokenize(question.text))
            if length > longest:
                raise ModelError(
                    f"the judge {self.name!r} reads at most {longest} tokens of a question, but"
                    f" {question.text[:200]!r} has {length}; shorten the concept, or give another --judge"
                )

    @torch.inference_mode()
    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """Each picture with its own questions, so that none is padded to another's size."""
        return [self._about(image, asked) for image, asked in zip(images, questions, strict=True)]

    def _about(self, image: Image.Image, asked: Sequence[Question]) -> tuple[Answer, ...]:
        pixels = self.processor(images=[as_rgb(image)], return_tensors="pt").pixel_values.to(self.model.device)
        answers: list[Answer] = []
        for start in range(0, len(asked), ROWS):
            part = asked[start : start + ROWS]
            answers += map(as_answer, part, self._p_yes(pixels, [question.text for question in part]).tolist())
        return tuple(answers)

    def _p_yes(self, pixels: Float[Tensor, "1 3 row column"], texts: list[str]) -> Float[Tensor, "question"]:
        """``σ(yes) / (σ(yes) + σ(no))``: it was trained to give each answer a probability of its own."""
        rows = self.tokenizer(texts, padding=True, return_tensors="pt").to(pixels.device)
        # It takes the picture's patches in an order that it draws anew each time; the drawing must disturb nobody.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)  # not those of accelerators too, which nobody would put back
            logits = self.model(**rows, pixel_values=pixels.expand(len(texts), -1, -1, -1)).logits
        both = logits[:, [self.yes, self.no]].double().sigmoid().cpu()
        return both[:, 0] / both.sum(dim=-1)


def load_vilt_judge(name: str, path: Path, device: str = "auto", identity: str | None = None) -> ViltJudge:
    """A ViLT-VQA judge from an ordinary transformers folder, safetensors only.

    Args:
        identity: of the weights, where they have one besides their content.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or yes and no are not among its answers.
    """
    what = f"the judge {name!r}"
    read_model_type(what, path, "vilt")
    model: Any = load_weights(what, path, ViltForQuestionAnswering, find_device(device))
    with one_line(what, path):
        tokenizer = load_tokenizer(path, BertTokenizer)
        processor = ViltImageProcessorPil.from_pretrained(path, local_files_only=True)
        sizes = {
            "the image size": (side(processor.size), side(model.config.image_size)),
            "the patch size": (side(processor.size_divisor), side(model.config.patch_size)),
        }
        check_fits(what, path, sizes)
        check_vocabulary(what, path, len(tokenizer), model.config.vocab_size)
    labels = {str(label).strip().lower(): number for number, label in model.config.id2label.items()}
    if not {"yes", "no"} <= set(labels):
        raise ModelError(
            f"{what} in {path} has {len(labels)} answers, but not both yes and no; give a ViLT"
            " that was trained to answer questions"
        )
    model.config.max_image_length = -1  # all patches of a picture; otherwise it drops some at random
    return ViltJudge(name, identity or content_identity(path), model, tokenizer, processor, labels["yes"], labels["no"])
