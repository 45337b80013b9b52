"""Trains the miniature judge: a small BLIP-VQA that looks at a picture and answers graded yes/no questions."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForQuestionAnswering,
    BlipImageProcessorPil,
    BlipTextConfig,
    BlipVisionConfig,
)

from dominance.errors import ModelError
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.renderer import SIDE
from dominance.records import Concept, Question
from dominance.training.artefacts import ModelArtefacts
from dominance.training.drawn_pictures import DrawnPictures
from dominance.training.images import as_images
from dominance.training.judge_pictures import JudgedPicture, sample_judged
from dominance.training.judge_questions import PATCH, Catechism, all_true_answers, asked_rows, concept_patches
from dominance.training.loop import Schedule, train

LEARNING_RATE: float = 8e-4
"""Peak when training begins with nothing."""
LATER_LEARNING_RATE: float = 4e-4
"""Peak when an earlier judge's training goes on."""
_ASKED_OF_LABELLED = 14
_ASIDE_OF_LABELLED = 0.3
_MEAN, _DEVIATION = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class JudgeSettings:
    """Everything that decides what is trained.

    Attributes:
        seed: of pictures, questions and initial weights.
        pictures: that its image encoder learns to see from, each of them new.
        answered: pictures after that, about which it is asked and learns to answer.
        asked: questions about each of those.
        garbled: share of the pictures in which a concept is made unrecognisable, once they are as damaged as they come.
        base: identity of the judge whose training goes on; None starts from nothing.
        labelled: identity of the pictures that it also learns from, labelled by eye; None for none.
        labelled_share: share of each batch that these are.
    """

    seed: int = 0
    pictures: int = 192_000
    answered: int = 40_000
    batch: int = 32
    asked: int = 8
    width: int = 128
    vision_layers: int = 5
    text_layers: int = 2
    learning_rate: float = LEARNING_RATE
    garbled: float = 0.35
    base: str | None = None
    labelled: str | None = None
    labelled_share: float = 0.5

    def record(self) -> dict[str, object]:
        return asdict(self)


class EarlierJudge(Protocol):
    """A judge whose training goes on, as far as training needs it."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> BlipForQuestionAnswering: ...

    @property
    def tokenizer(self) -> BertTokenizer: ...


def new_judge(settings: JudgeSettings, tokenizer: BertTokenizer) -> BlipForQuestionAnswering:
    """An untrained judge for 64×64 pictures in patches of 8×8."""
    text = BlipTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        encoder_hidden_size=settings.width,
        intermediate_size=3 * settings.width,
        num_hidden_layers=settings.text_layers,
        num_attention_heads=4,
        max_position_embeddings=32,
        bos_token_id=tokenizer.get_vocab()["[DEC]"],
        sep_token_id=tokenizer.sep_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    vision = BlipVisionConfig(
        hidden_size=settings.width,
        intermediate_size=3 * settings.width,
        num_hidden_layers=settings.vision_layers,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=PATCH,
        initializer_range=0.02,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        config = BlipConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), tie_word_embeddings=True)
        return BlipForQuestionAnswering(config)


class JudgeInTraining(nn.Module):
    """The judge, and two more heads on its image encoder, which are thrown away afterwards.

    One answers all seventy questions of a picture from the image alone, the other says of every patch which
    concepts stand there. The image encoder learns from them first: from the few questions that can be asked of a
    picture it learns slowly, and questions about what it cannot see yet teach the rest of the judge nothing.
    """

    def __init__(self, settings: JudgeSettings, catechism: Catechism) -> None:
        super().__init__()
        self.judge = new_judge(settings, catechism.tokenizer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed + 1)
            self.all_answers = nn.Linear(settings.width, len(catechism.texts))
            self.whereabouts = nn.Linear(settings.width, len(CONCEPTS))

    def look(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the image encoder makes of images, and both heads' logits: of yes for every question, of every patch.

        Args:
            images: (image, 3, 64, 64) in [-1, 1].
        """
        seen = self.judge.vision_model(pixel_values=images).last_hidden_state
        return seen, self.all_answers(seen[:, 0]), self.whereabouts(seen[:, 1:])

    def answer(self, seen: Tensor, tokens: Tensor, mask: Tensor, answers: Tensor) -> Tensor:
        """Logits over the vocabulary for each place of the decoder.

        Args:
            tokens, mask: (image, asked, token).
            answers: (image, asked, 2), the decoder's start token and the true answer.
        """
        spread = seen.repeat_interleave(tokens.shape[1], dim=0)
        read = self.judge.text_encoder(
            input_ids=tokens.flatten(0, 1), attention_mask=mask.flatten(0, 1), encoder_hidden_states=spread
        ).last_hidden_state
        return self.judge.text_decoder(
            input_ids=answers.flatten(0, 1), encoder_hidden_states=read, encoder_attention_mask=mask.flatten(0, 1)
        ).logits


def as_judge_images(pictures: list[JudgedPicture]) -> Tensor:
    """Float32 (image, 3, 64, 64) in [-1, 1], what the judge's image processor makes of 64×64 pictures."""
    return as_images(np.stack([picture.pixels for picture in pictures]))


def train_judge(
    settings: JudgeSettings,
    folder: Path,
    ask: Callable[[Concept], tuple[Question, ...]],
    artefacts: ModelArtefacts | None = None,
    artefacts_of: str | None = None,
    device: str = "cpu",
    base: EarlierJudge | None = None,
    labelled: DrawnPictures | None = None,
) -> Path:
    """Trains, or resumes, and returns the folder of the finished judge, ``folder/judge``.

    With a base, a judge of the same layers and words, its weights are where training begins.

    Args:
        ask: the questions about a concept, by rising strictness, as ``QuestionSet.ask`` gives them.
        artefacts: of the model that the judge shall see through; None trains without them.
        artefacts_of: that model's identity, so that a run is not resumed with another.
        labelled: pictures that readers have labelled; it is learned from once the judge learns to answer.

    Raises:
        ModelError: the base is no such judge.
    """
    catechism = Catechism(ask)
    student = JudgeInTraining(settings, catechism)
    if base is not None:
        _begin_at(base, student, catechism)
    student = student.to(device)
    folder.mkdir(parents=True, exist_ok=True)
    record = settings.record() | {"questions": catechism.texts, "artefacts_of": artefacts_of}
    looking = Schedule(settings.pictures // settings.batch, settings.batch, settings.learning_rate)
    answering = Schedule(settings.answered // settings.batch, settings.batch, settings.learning_rate)
    lessons = _Lessons(settings, student, catechism, artefacts, device, labelled)
    if looking.steps:
        look = partial(lessons.to_look, looking.steps)
        train("judge looks", student, look, looking, folder / "judge-looking.safetensors", record)
    train("judge answers", student.train(), lessons.to_answer, answering, folder / "judge.safetensors", record)
    return save_judge(student.judge.cpu(), catechism, folder / "judge")


@dataclass(frozen=True)
class _Lessons:
    """The losses that a judge learns by, each from a batch of pictures of its own."""

    settings: JudgeSettings
    student: JudgeInTraining
    catechism: Catechism
    artefacts: ModelArtefacts | None
    device: str
    labelled: DrawnPictures | None = None

    def to_look(self, steps: int, step: int) -> Tensor:
        """The loss of a step in which it learns to see, of so many steps; the pictures become worse by and by."""
        rng = np.random.default_rng([self.settings.seed, 11, step])
        pictures, images = self._rendered(rng, min(1.0, 3 * step / steps), self.settings.batch)
        return self._aside(pictures, *self.student.look(images)[1:])

    def to_answer(self, step: int) -> Tensor:
        """The loss of a step in which it learns to answer."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, 12, step])
        if self.labelled is None:
            return self._of_renders(settings.batch, rng)
        share = settings.labelled_share
        count = round(settings.batch * share)
        return share * self._of_labelled(self.labelled, count, rng) + (1 - share) * self._of_renders(
            settings.batch - count, rng
        )

    def _of_renders(self, count: int, rng: np.random.Generator) -> Tensor:
        pictures, images = self._rendered(rng, 1.0, count)
        rows = asked_rows(pictures, self.settings.asked, rng)
        truth = all_true_answers(pictures).float()
        seen, everything, somewhere = self.student.look(images)
        said = self._said(seen, rows, truth.gather(1, rows), torch.ones(rows.shape))
        return said + self._aside(pictures, everything, somewhere)

    def _of_labelled(self, labelled: DrawnPictures, count: int, rng: np.random.Generator) -> Tensor:
        chosen = labelled.draw(count, rng)
        rows = chosen.asked(_ASKED_OF_LABELLED, rng)
        seen, everything, _ = self.student.look(as_images(chosen.pixels).to(self.device))
        said = self._said(seen, rows, chosen.yes.gather(1, rows), chosen.weight.gather(1, rows))
        return said + _ASIDE_OF_LABELLED * _weighted_answers(everything, chosen.yes, chosen.weight)

    def _said(self, seen: Tensor, rows: Tensor, yes: Tensor, weight: Tensor) -> Tensor:
        """Cross-entropy of the answers to the questions of these rows, and of the end after each.

        Args:
            yes, weight: (picture, asked), what P(yes) should be, and how much that counts.
        """
        catechism, student = self.catechism, self.student
        yes, weight = yes.to(self.device).flatten(), weight.to(self.device).flatten()
        answer = torch.where(yes > 0.5, catechism.yes, catechism.no)
        begun = torch.stack([torch.full_like(answer, student.judge.decoder_start_token_id), answer], dim=-1)
        tokens, mask = (table[rows].to(self.device) for table in (catechism.tokens, catechism.mask))
        logits = student.answer(seen, tokens, mask, begun.view(*rows.shape, 2))
        first = logits[:, 0].log_softmax(-1)
        said = -(weight * (yes * first[:, catechism.yes] + (1 - yes) * first[:, catechism.no])).sum() / weight.sum()
        ending = torch.full_like(answer, catechism.tokenizer.sep_token_id)
        return said + 0.1 * nn.functional.cross_entropy(logits[:, 1], ending)

    def _rendered(self, rng: np.random.Generator, damage: float, count: int) -> tuple[list[JudgedPicture], Tensor]:
        pictures = [sample_judged(rng, damage, self.settings.garbled) for _ in range(count)]
        images = as_judge_images(pictures).to(self.device)
        return pictures, images if self.artefacts is None else self.artefacts.on(images, pictures, rng)

    def _aside(self, pictures: list[JudgedPicture], everything: Tensor, somewhere: Tensor) -> Tensor:
        answers = _weighted_answers(everything, all_true_answers(pictures))
        return answers + 2 * _weighted_answers(somewhere, concept_patches(pictures))


def _begin_at(base: EarlierJudge, student: JudgeInTraining, catechism: Catechism) -> None:
    """Gives the student the weights of an earlier judge; the two heads, which no judge keeps, begin anew."""
    if base.tokenizer.get_vocab() != catechism.tokenizer.get_vocab():
        raise ModelError(f"the judge {base.name!r} has a vocabulary different from the questions'; train from scratch")
    weights = base.model.state_dict()
    shapes = {name: tuple(weight.shape) for name, weight in student.judge.state_dict().items()}
    if shapes != {name: tuple(weight.shape) for name, weight in weights.items()}:
        raise ModelError(f"the judge {base.name!r} has layers different from the miniature judge's; train from scratch")
    student.judge.load_state_dict(weights)


def _weighted_answers(logits: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy of yes/no logits, the rarer yes counting four times."""
    target = truth.to(logits)
    counts = 1 + 3 * target if weight is None else (1 + 3 * target) * weight.to(logits)
    return nn.functional.binary_cross_entropy_with_logits(logits, target, counts)


def save_judge(judge: BlipForQuestionAnswering, catechism: Catechism, target: Path) -> Path:
    """An ordinary transformers folder: fp16 safetensors, tokenizer and image processor."""
    judge.to(torch.float16).save_pretrained(target, safe_serialization=True)
    catechism.tokenizer.save_pretrained(target)
    BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}, image_mean=_MEAN, image_std=_DEVIATION).save_pretrained(
        target
    )
    (target / "dominance.json").write_text(json.dumps({"taught": catechism.taught}, indent=1) + "\n")
    return target
