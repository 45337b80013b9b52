"""Trains the miniature CLIP: pictures and captions of the miniature world as directions of one space.

Source: Radford et al. (2021), CLIP. Two pictures of a batch whose captions name the same things are no contrast, so
that each is right for both, as in Yang et al. (2022), UniCL.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig

from dominance.miniature.captions import world_words
from dominance.miniature.concepts import CONCEPTS
from dominance.miniature.renderer import SIDE
from dominance.miniature.world import World, diversity_by_kind
from dominance.training.artefacts import ModelArtefacts
from dominance.training.images import as_images
from dominance.training.judge_pictures import JudgedPicture, filmed
from dominance.training.judge_questions import PATCH, concept_patches
from dominance.training.loop import Schedule, train
from dominance.training.vocabulary import PROMPT_TOKENS, new_tokenizer

_FILMED = 0.7
_REDRAWN_EVERY = 16
"""One batch of so many is redrawn by the model, which takes several times as long as a step."""
_MEAN, _DEVIATION = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
_LITTLE_WORDS = frozenset({"a", "an", "and", "beside", "next", "of", "one", "picture", "to", "with"})
_THINGS = tuple(word for word in world_words() if word not in _LITTLE_WORDS)
_LARGEST_SCALE = 100.0


@dataclass(frozen=True)
class ClipSettings:
    """Everything that decides what is trained.

    Attributes:
        seed: of pictures and initial weights.
        pictures: that it sees, each of them new.
        batch: pictures and captions that are told apart at once.
        width: channels of both encoders.
        channels: of the space that they share.
    """

    seed: int = 0
    pictures: int = 128_000
    batch: int = 64
    width: int = 96
    vision_layers: int = 4
    text_layers: int = 2
    channels: int = 64
    learning_rate: float = 1e-3

    def record(self) -> dict[str, object]:
        return asdict(self)


def new_clip(settings: ClipSettings, tokenizer: CLIPTokenizer) -> CLIPModel:
    """An untrained CLIP for 64×64 pictures in patches of 8×8, and for the miniature models' texts."""
    shared: dict[str, Any] = {
        "hidden_size": settings.width,
        "intermediate_size": 3 * settings.width,
        "num_attention_heads": 4,
    }
    text = CLIPTextConfig(
        **shared,
        num_hidden_layers=settings.text_layers,
        vocab_size=len(tokenizer),
        max_position_embeddings=PROMPT_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        projection_dim=settings.channels,
    )
    vision = CLIPVisionConfig(
        **shared,
        num_hidden_layers=settings.vision_layers,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=settings.channels,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        config = CLIPConfig(
            text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=settings.channels
        )
        return CLIPModel(config)


def captions_world() -> World:
    """Singles and pairs of every kind, every concept in ever new designs; only a model's held-out pairs are missing."""
    return World(diversity_by_kind(1.0, 1.0), pairs=0.25, entity_pairs=0.25, entities_together=0.15, free_layouts=0.3)


def named_things(captions: list[str]) -> Bool[Tensor, "caption thing"]:
    """Which of the world's things, scenery included, each caption names."""
    named = [set(caption.split()) for caption in captions]
    return torch.tensor([[thing in words for thing in _THINGS] for words in named])


def contrast(logits: Float[Tensor, "picture caption"], named: Bool[Tensor, "caption thing"]) -> Float[Tensor, ""]:
    """The mean cross-entropy of the captions of each picture and of the pictures of each caption.

    Every caption that names the same things as a picture's own is as right for it.
    """
    same = (named[:, None] == named[None]).all(-1).to(logits)
    shares = same / same.sum(1, keepdim=True)
    return (nn.functional.cross_entropy(logits, shares) + nn.functional.cross_entropy(logits.T, shares)) / 2


class ClipInTraining(nn.Module):
    """The CLIP, and a head that says of every patch which concepts stand there, which is thrown away afterwards.

    From captions of whole pictures alone the image encoder learns to see slowly.
    """

    def __init__(self, settings: ClipSettings, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.clip = new_clip(settings, tokenizer)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed + 1)
            self.whereabouts = nn.Linear(settings.width, len(CONCEPTS))

    def loss(
        self,
        images: Float[Tensor, "picture 3 64 64"],
        pictures: list[JudgedPicture],
        captions: list[str],
        rows: dict[str, Tensor],
    ) -> Float[Tensor, ""]:
        """Of a batch of pictures, their captions and the captions' tokens."""
        found = self.clip(pixel_values=images, **rows)
        with torch.no_grad():  # as in the paper, so that the logits stay of a size that can be learned from
            self.clip.logit_scale.clamp_(max=math.log(_LARGEST_SCALE))
        where = self.whereabouts(found.vision_model_output.last_hidden_state[:, 1:])
        truth = concept_patches(pictures).to(where)
        seen = nn.functional.binary_cross_entropy_with_logits(where, truth, 1 + 3 * truth)
        return contrast(found.logits_per_image, named_things(captions).to(images.device)) + 2 * seen


def train_clip(
    settings: ClipSettings,
    folder: Path,
    artefacts: ModelArtefacts | None = None,
    artefacts_of: str | None = None,
    device: str = "cpu",
) -> Path:
    """Trains, or resumes, and returns the folder of the finished CLIP, ``folder/clip``.

    Args:
        artefacts: of the model whose images it shall understand; None trains on renders alone.
        artefacts_of: that model's identity, so that a run is not resumed with another.
    """
    tokenizer = new_tokenizer()
    student = ClipInTraining(settings, tokenizer).to(device)
    world = captions_world()
    folder.mkdir(parents=True, exist_ok=True)

    def loss(step: int) -> Tensor:
        rng = np.random.default_rng([settings.seed, 21, step])
        captions, pictures = _captioned(world, settings, step, rng)
        images = as_images(np.stack([picture.pixels for picture in pictures])).to(device)
        if artefacts is not None and step % _REDRAWN_EVERY == 0:
            images = artefacts.on(images, pictures, rng)
        rows = tokenizer(captions, padding=True, return_tensors="pt").to(device)
        return student.loss(images, pictures, captions, dict(rows))

    schedule = Schedule(settings.pictures // settings.batch, settings.batch, settings.learning_rate)
    record = settings.record() | {"artefacts_of": artefacts_of}
    train("clip", student.train(), loss, schedule, folder / "clip.safetensors", record)
    return save_clip(student.clip.cpu(), tokenizer, folder / "clip", record)


def _captioned(
    world: World, settings: ClipSettings, step: int, rng: np.random.Generator
) -> tuple[list[str], list[JudgedPicture]]:
    first = step * settings.batch
    drawn = [world.picture(settings.seed, index) for index in range(first, first + settings.batch)]
    worn = [filmed(picture.pixels, rng) if rng.random() < _FILMED else picture.pixels for _, picture in drawn]
    pictures = [JudgedPicture(own, picture.truths) for own, (_, picture) in zip(worn, drawn, strict=True)]
    return [caption for caption, _ in drawn], pictures


def save_clip(model: CLIPModel, tokenizer: CLIPTokenizer, target: Path, record: dict[str, object]) -> Path:
    """An ordinary transformers folder: fp16 safetensors, tokenizer and image processor."""
    model.to(torch.float16).save_pretrained(target, safe_serialization=True)
    tokenizer.save_pretrained(target)
    side = {"height": SIDE, "width": SIDE}
    CLIPImageProcessorPil(
        size=side, crop_size=side, do_center_crop=False, image_mean=_MEAN, image_std=_DEVIATION
    ).save_pretrained(target)
    (target / "training.json").write_text(json.dumps(record, indent=1) + "\n")
    return target
