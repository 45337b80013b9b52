"""Qwen-VL judges against plain transformers: its own processors, ``generate``, and one forward for each question."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_judges import QWEN_FAMILIES, save_qwen
from transformers import (
    AutoModelForImageTextToText,
    Qwen2_5_VLProcessor,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen2VLProcessor,
    Qwen3VLProcessor,
)

from dominance.judges.registry import load_judge
from dominance.records import Question

LIMITS = {"shortest_edge": 256 * 28 * 28, "longest_edge": 1280 * 28 * 28}
SHAPES = ((512, 512), (90, 400))
QUESTIONS = [
    Question("mug", text, grade)
    for grade, text in enumerate(
        (
            "Is a mug in the picture?",
            "Is any part of a mug visible in this picture?",
            "Can a mug be recognised?",
            "Mug?",
            "Is this picture in the style of Hilma af Klint, and would most people say so when they see it?",
            "Is the landmark Château de Chenonceau shown whole?",
            "yes or no: 杯子",
            "Is it a mug, yes?",
            "no mug, is there?",
            "Would you say that a mug is one of the main subjects of this picture?",
        ),
        start=1,
    )
]


class _Qwen2Processor(Qwen2VLProcessor):
    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)


class _Qwen25Processor(Qwen2_5_VLProcessor):
    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)


class _Qwen3Processor(Qwen3VLProcessor):
    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template)


PROCESSORS = {"qwen2_vl": _Qwen2Processor, "qwen2_5_vl": _Qwen25Processor, "qwen3_vl": _Qwen3Processor}
Ask = Callable[[Image.Image, str], Any]


@pytest.fixture(scope="module", params=QWEN_FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen(request.param, tmp_path_factory.mktemp(request.param) / request.param)


@pytest.fixture(scope="module")
def plain(folder: Path) -> tuple[Any, Ask, Qwen2Tokenizer]:
    """The model, its inputs for a picture and a question, and the tokenizer, all as transformers makes them."""
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = Qwen2Tokenizer.from_pretrained(folder)
    images = Qwen2VLImageProcessorPil.from_pretrained(folder)
    processor = PROCESSORS[folder.name](images, tokenizer, tokenizer.chat_template)

    def inputs(image: Image.Image, text: str) -> Any:
        message = {"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": text}]}
        written = processor.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
        return processor(text=[written], images=[image], images_kwargs={"size": LIMITS}, return_tensors="pt")

    return model, inputs, tokenizer


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(5)
    return [Image.fromarray(rng.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in SHAPES]


def test_official_mode_answers_as_generate_does(folder: Path, plain: tuple[Any, Ask, Qwen2Tokenizer]) -> None:
    model, inputs, tokenizer = plain
    said = []
    for image in pictures():
        for question in QUESTIONS:
            given = inputs(image, question.text)
            with torch.no_grad():
                made = model.generate(**given, max_new_tokens=5, do_sample=False)
            answer = tokenizer.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True)
            said.append(answer.strip().lower())
    judge = load_judge(f"qwen:{folder}", "cpu", "official")
    answers = [answer for given in judge.answer(pictures(), [QUESTIONS] * len(SHAPES)) for answer in given]
    assert [answer.yes for answer in answers] == [text.startswith("yes") for text in said]
    assert {text.startswith("yes") for text in said} == {True, False}
    assert any(text.startswith("no") for text in said)


def test_fast_mode_gives_the_p_yes_of_one_plain_forward_for_each_question(
    folder: Path, plain: tuple[Any, Ask, Qwen2Tokenizer]
) -> None:
    model, inputs, tokenizer = plain
    spelled = {
        word: tokenizer.encode(word, add_special_tokens=False) for word in ("yes", "Yes", " yes", "no", "No", " no")
    }
    assert all(len(tokens) == 1 for tokens in spelled.values())
    yes, no = (
        [tokens[0] for word, tokens in spelled.items() if word.strip().lower() == said] for said in ("yes", "no")
    )
    expected = []
    for image in pictures():
        for question in QUESTIONS:
            with torch.no_grad():
                logits = model(**inputs(image, question.text)).logits[0, -1]
            share = logits.double().softmax(-1)
            expected.append(float(share[yes].sum() / (share[yes].sum() + share[no].sum())))
    judge = load_judge(f"qwen:{folder}", "cpu")
    answers = [answer for given in judge.answer(pictures(), [QUESTIONS] * len(SHAPES)) for answer in given]
    assert [answer.p_yes for answer in answers] == pytest.approx(expected, abs=1e-4)
    assert max(expected) - min(expected) > 0.1
    assert {answer.yes for answer in answers} == {True, False}
