"""What sharing a picture between its questions saves a large judge; see ``run.py``.

A Qwen2-VL with random weights, small enough for two cores and large enough that its arithmetic is what takes the
time. Pictures have 512 pixels a side, which makes 324 tokens.
"""

import functools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from turns import in_turns, threads

from dominance.judges.qwen.judge import QwenJudge
from dominance.judges.qwen.prompts import as_batch
from dominance.judges.registry import load_judge
from dominance.records import Concept, Question
from dominance.suites import load_questions

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fixtures"))
from tiny_judges import save_qwen  # ty: ignore[import-not-found]

SIZES: dict[str, Any] = {
    "width": 512,
    "layers": 6,
    "head": 64,
    "vision": {"embed_dim": 160, "depth": 2, "num_heads": 2, "mlp_ratio": 4},
}


@functools.cache
def judge(mode: str) -> Any:
    """The judge in a mode, saved and loaded as any other."""
    words = " ".join(["system user assistant You are helpful", *(question.text for question in ten_questions())])
    with tempfile.TemporaryDirectory() as folder:
        return load_judge(f"qwen:{save_qwen('qwen2_vl', Path(folder), words, **SIZES)}", "cpu", mode)


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8))


def ten_questions() -> list[Question]:
    """Five about each of two concepts, as an audit asks."""
    ask = load_questions().ask
    return [*ask(Concept("neuschwanstein castle", "landmark")), *ask(Concept("coaster"))]


@torch.inference_mode()
def plain_forward(seen_by: QwenJudge, image: Image.Image, question: Question) -> torch.Tensor:
    """The simplest call for one question: read the picture, one forward of the whole prompt, its last logits."""
    seen = seen_by.reader.see(image)
    prompt = seen_by.reader.prompt(seen_by.reader.chat(question.text), seen.tokens)
    batch = as_batch([seen], [prompt], seen_by.reader.image_token, seen_by.model.device)
    return seen_by.model(**batch, logits_to_keep=1).logits[0, -1]


def plain_forwards(rounds: int = 5) -> dict[str, float]:
    """Ten questions of a picture by ten plain forwards, and together."""
    seen_by, image, questions = judge("fast"), picture(), ten_questions()
    seen = seen_by.reader.see(image)
    lengths = [len(seen_by.reader.prompt(seen_by.reader.chat(asked.text), seen.tokens)) for asked in questions]
    first = seen_by.reader.prompt(seen_by.reader.chat(""), seen.tokens)
    shared = len(first) - first[::-1].index(seen_by.reader.image_token)
    with threads(1):
        found = in_turns(
            lambda: [plain_forward(seen_by, image, question) for question in questions],
            lambda: seen_by.answer([image], [questions]),
            rounds,
        )
    of_tokens = sum(lengths) / (sum(lengths) - (len(lengths) - 1) * shared)
    return {"image_tokens": seen.tokens, "limit_by_tokens": of_tokens, **found}


def official_mode(rounds: int = 3) -> dict[str, float]:
    """Ten questions of a picture in mode official, which generates up to five tokens a question, and in mode fast."""
    image, questions = picture(), ten_questions()
    return in_turns(
        lambda: judge("official").answer([image], [questions]),
        lambda: judge("fast").answer([image], [questions]),
        rounds,
    )


def comparisons() -> dict[str, Callable[[], dict[str, float]]]:
    """By the names that are printed."""
    return {
        "judging by a Qwen2-VL: one forward a question / ten together": plain_forwards,
        "judging by a Qwen2-VL: mode official / mode fast": official_mode,
    }
