"""What a judge in training is asked, and what is true of its pictures."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from transformers import BertTokenizer

from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.renderer import SIDE
from dominance.miniature.truth import GRADES, true_answers
from dominance.records import Concept, Question
from dominance.training.judge_pictures import JudgedPicture

PATCH: int = 8
"""Pixels a side of the judge's patches."""
_INDEX = {concept.name: index for index, concept in enumerate(CONCEPTS)}


class Catechism:
    """All questions about all concepts of the world, as token rows; row ``concept * 5 + grade - 1``."""

    def __init__(self, ask: Callable[[Concept], tuple[Question, ...]]) -> None:
        questions = [ask(Concept(concept.name, concept.kind)) for concept in CONCEPTS]
        self.texts = [question.text for asked in questions for question in asked]
        self.taught = [
            {"concept": concept.name, "kind": concept.kind, "text": question.text}
            for concept, asked in zip(CONCEPTS, questions, strict=True)
            for question in asked
        ]
        self.tokenizer = new_question_tokenizer(self.texts)
        rows = self.tokenizer(self.texts, padding=True, return_tensors="pt")
        self.tokens, self.mask = rows.input_ids, rows.attention_mask
        self.yes = self.tokenizer.get_vocab()["yes"]
        self.no = self.tokenizer.get_vocab()["no"]


def new_question_tokenizer(texts: list[str]) -> BertTokenizer:
    """A BertTokenizer of just the questions' words; a word it lacks becomes [UNK], so that it can be refused."""
    words = sorted({word for text in texts for word in text.lower().replace("?", " ?").split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "yes", "no", *words]
    vocabulary = list(dict.fromkeys(vocabulary))
    return BertTokenizer(vocab={token: index for index, token in enumerate(vocabulary)}, model_max_length=32)


def all_true_answers(pictures: list[JudgedPicture]) -> Tensor:
    """Bool (image, question), in the order of the catechism."""
    rows = [[a for c in CONCEPTS for a in true_answers(c.name, picture.truths)] for picture in pictures]
    return torch.tensor(rows)


def concept_patches(pictures: list[JudgedPicture]) -> Tensor:
    """Bool (image, patch, concept): whether a patch's centre lies in the box of a recognisable concept."""
    per_side = SIDE // PATCH
    marks = np.zeros((len(pictures), per_side, per_side, len(CONCEPTS)), dtype=bool)
    centres = (np.arange(per_side) + 0.5) * PATCH
    for index, picture in enumerate(pictures):
        for truth in picture.truths:
            if truth.box is not None and true_answers(truth.concept, picture.truths)[1]:
                left, top, right, bottom = truth.box
                rows, columns = (centres >= top) & (centres < bottom), (centres >= left) & (centres < right)
                marks[index, :, :, _INDEX[truth.concept]] |= rows[:, None] & columns
    return torch.from_numpy(marks).flatten(1, 2)


def asked_rows(pictures: list[JudgedPicture], asked: int, rng: np.random.Generator) -> Tensor:
    """Which questions each picture is asked: at most half about concepts in it, the rest about others.

    More about what is there would teach it to say yes: in pictures of two concepts it then sees a third.
    """
    rows = []
    for picture in pictures:
        shown = {truth.concept for truth in picture.truths}
        there = [i * GRADES + g for i, c in enumerate(CONCEPTS) if c.name in shown for g in range(GRADES)]
        others = [i * GRADES + g for i, c in enumerate(CONCEPTS) if c.name not in shown for g in range(GRADES)]
        about = min(asked // 2, len(there))
        chosen = [*rng.choice(there, about, replace=False)] if about else []
        chosen += [*rng.choice(others, asked - about, replace=False)]
        rows.append([int(row) for row in chosen])
    return torch.tensor(rows)
