"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL judges, by the official protocol or by P(yes) of all questions at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from transformers import (
    PreTrainedModel,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLForConditionalGeneration,
    Qwen3VLForConditionalGeneration,
)

from dominance.errors import ModelError
from dominance.judges.loading import (
    check_fits,
    check_vocabulary,
    load_weights,
    one_line,
    precision,
    read_model_type,
    side,
)
from dominance.judges.protocol import as_answer
from dominance.judges.qwen.prefix import QwenModel, first_answer_logits
from dominance.judges.qwen.prompts import QwenReader, SeenPicture, as_batch, load_reader
from dominance.judges.yes_no import NO, YES, answer_tokens, probability_of_yes
from dominance.models.devices import find_device
from dominance.models.folders import content_identity
from dominance.records import Answer, Question

QwenMode = Literal["fast", "official"]
ANSWER_TOKENS: int = 5
"""Longest answer in ``official`` mode. Source: the official release of Jeong & Lee (2025)."""
_CLASSES: dict[str, type[PreTrainedModel]] = {
    "qwen2_vl": Qwen2VLForConditionalGeneration,
    "qwen2_5_vl": Qwen2_5_VLForConditionalGeneration,
    "qwen3_vl": Qwen3VLForConditionalGeneration,
}


@dataclass(frozen=True)
class QwenJudge:
    """A Qwen-VL that is asked about pictures.

    In mode ``official`` each question is one call that generates greedily; the answer is yes when the text, stripped
    and in lower case, starts with "yes", and whatever else it says is no. P(yes) is recorded beside it.
    In mode ``fast`` the answer is P(yes) at the first token of the answer, and all questions go through the model
    together after their picture.

    Attributes:
        yes, no: tokens that the probabilities of yes and no are summed over.
    """

    name: str
    identity: str
    mode: QwenMode
    model: QwenModel
    reader: QwenReader
    yes: tuple[int, ...]
    no: tuple[int, ...]

    @property
    def images_at_once(self) -> int:
        """Few: in mode ``official`` one image is a call for each of its questions."""
        return 1 if self.mode == "official" else 4

    def check(self, questions: Sequence[Question]) -> None:
        """Refuses questions that are too long beside the largest picture, or hold words that steer the chat."""
        room = int(self.model.config.get_text_config().max_position_embeddings) - self.reader.most_tokens
        room -= len(self.reader.chat("")) + ANSWER_TOKENS
        for question in questions:
            if word := self.reader.reserved(question.text):
                raise ModelError(
                    f"the judge {self.name!r} reserves {word!r}, which {question.text[:200]!r} contains; reword"
                    f" {question.concept[:80]!r}"
                )
            length = len(self.reader.tokenizer(question.text).input_ids)
            if length > room:
                raise ModelError(
                    f"the judge {self.name!r} reads at most {max(0, room)} tokens of a question beside an image, but"
                    f" {question.text[:200]!r} has {length}; shorten the concept, or give another --judge"
                )

    @torch.inference_mode()
    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        """By the judge's mode; no answer depends on what else is asked, up to rounding."""
        texts = {question.text for asked in questions for question in asked}
        chats = {text: self.reader.chat(text) for text in texts}
        pictures = [self.reader.see(image) for image in images]
        prompts = [
            [self.reader.prompt(chats[question.text], picture.tokens) for question in asked]
            for picture, asked in zip(pictures, questions, strict=True)
        ]
        ask = self._fast if self.mode == "fast" else self._official
        return ask(pictures, prompts, questions)

    def _fast(
        self,
        pictures: Sequence[SeenPicture],
        prompts: Sequence[Sequence[list[int]]],
        questions: Sequence[Sequence[Question]],
    ) -> list[tuple[Answer, ...]]:
        logits = first_answer_logits(self.model, pictures, prompts, [*self.yes, *self.no])
        cut = len(self.yes)
        return [
            tuple(map(as_answer, asked, probability_of_yes(own[:, :cut], own[:, cut:]).tolist()))
            for own, asked in zip(logits, questions, strict=True)
        ]

    def _official(
        self,
        pictures: Sequence[SeenPicture],
        prompts: Sequence[Sequence[list[int]]],
        questions: Sequence[Sequence[Question]],
    ) -> list[tuple[Answer, ...]]:
        return [
            tuple(self._generate(picture, prompt, question) for prompt, question in zip(own, asked, strict=True))
            for picture, own, asked in zip(pictures, prompts, questions, strict=True)
        ]

    def _generate(self, picture: SeenPicture, prompt: list[int], question: Question) -> Answer:
        """One call for one question. Source: the official release of Jeong & Lee (2025), its scorer."""
        batch: dict[str, Any] = as_batch([picture], [prompt], self.reader.image_token, self.model.device)
        tokens = batch["input_ids"]
        made = self.model.generate(
            **batch,
            attention_mask=torch.ones_like(tokens),
            do_sample=False,
            num_beams=1,
            max_new_tokens=ANSWER_TOKENS,
            return_dict_in_generate=True,
            output_logits=True,
        )
        first = made.logits[0]
        p_yes = float(probability_of_yes(first[:, list(self.yes)], first[:, list(self.no)]))
        answer = as_answer(question, p_yes)
        if answer.yes is None:  # not a number: what is generated from that means nothing
            return answer
        text = self.reader.tokenizer.decode(made.sequences[0, tokens.shape[1] :], skip_special_tokens=True)
        return Answer(question, str(text).strip().lower().startswith("yes"), p_yes)


def load_qwen_judge(
    name: str, path: Path, device: str = "auto", mode: QwenMode = "fast", identity: str | None = None
) -> QwenJudge:
    """A Qwen-VL judge from an ordinary transformers folder, safetensors only; in half precision on an accelerator.

    Args:
        identity: of the weights, where they have one besides their content; the judge's own names the mode too.

    Raises:
        ModelError: the folder lacks a part, its parts do not fit together, or they are of another model.
    """
    what = f"the judge {name!r}"
    kind = _CLASSES[read_model_type(what, path, "qwen")]
    target = find_device(device)
    model: QwenModel = load_weights(what, path, kind, target, precision(target))
    with one_line(what, path):
        reader = load_reader(what, path, model.config.image_token_id)
        vision = model.config.vision_config
        patches = {
            "patch_size": (side(reader.processor.patch_size), side(vision.patch_size)),
            "merge_size": (reader.processor.merge_size, vision.spatial_merge_size),
            "temporal_patch_size": (side(reader.processor.temporal_patch_size), side(vision.temporal_patch_size)),
        }
        check_fits(what, path, patches)
        check_vocabulary(what, path, len(reader.tokenizer), model.get_input_embeddings().num_embeddings)
        yes, no = answer_tokens(reader.tokenizer, YES), answer_tokens(reader.tokenizer, NO)
    if not yes or not no:
        raise ModelError(f"{what} in {path} has no tokens for yes and no; give the folder of a Qwen-VL model")
    return QwenJudge(name, f"{identity or content_identity(path)}+{mode}", mode, model, reader, yes, no)
