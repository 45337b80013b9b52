"""Pictures and questions as a Qwen-VL reads them: patches of pixels, and tokens with a place for each merged patch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor
from transformers import Qwen2Tokenizer, Qwen2VLImageProcessorPil

from dominance.errors import ModelError
from dominance.judges.loading import load_tokenizer
from dominance.pictures import as_rgb

LEAST_PIXELS: int = 256 * 28**2
MOST_PIXELS: int = 1280 * 28**2
"""Pictures are made smaller or larger to lie between these. Source: the official release of Jeong & Lee (2025)."""


@dataclass(frozen=True)
class SeenPicture:
    """One picture, cut into patches.

    Attributes:
        patches: pixel values, a row for each patch.
        grid: frames (always 1), rows and columns of patches.
        tokens: how many tokens stand for it, one for each square of merged patches.
    """

    patches: Float[Tensor, "patch value"]
    grid: Int[Tensor, "3"]
    tokens: int


@dataclass(frozen=True)
class QwenReader:
    """Image processor, tokenizer and chat template; no video processor and so no torchvision.

    Attributes:
        template: the folder's own chat template.
        image_token: stands in the chat for one merged patch of the picture.
        least_pixels, most_pixels: limits of a picture's area.
    """

    tokenizer: Qwen2Tokenizer
    processor: Qwen2VLImageProcessorPil
    template: str
    image_token: int
    least_pixels: int = LEAST_PIXELS
    most_pixels: int = MOST_PIXELS

    def see(self, image: Image.Image) -> SeenPicture:
        """The picture's patches.

        Raises:
            ValueError: a side is more than 200 times the other.
        """
        limits = {"shortest_edge": self.least_pixels, "longest_edge": self.most_pixels}
        seen = self.processor(images=[as_rgb(image)], size=limits, return_tensors="pt")
        grid = seen["image_grid_thw"][0]
        return SeenPicture(seen["pixel_values"], grid, int(grid.prod()) // self.processor.merge_size**2)

    def chat(self, text: str) -> list[int]:
        """Tokens of the chat in which a picture and the question are sent, with one token for the picture."""
        sent: Any = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
        written = self.tokenizer.apply_chat_template(
            sent, chat_template=self.template, tokenize=False, add_generation_prompt=True
        )
        return self.tokenizer(str(written)).input_ids

    def prompt(self, chat: Sequence[int], tokens: int) -> list[int]:
        """The chat with as many tokens for the picture as it takes."""
        position = list(chat).index(self.image_token)
        return [*chat[:position], *[self.image_token] * tokens, *chat[position + 1 :]]

    @property
    def most_tokens(self) -> int:
        """How many tokens the largest picture takes."""
        factor = self.processor.patch_size * self.processor.merge_size
        return self.most_pixels // factor**2

    def reserved(self, text: str) -> str | None:
        """The first word in a text that the chat keeps for itself, such as the mark of a turn's end; None without."""
        words = self.tokenizer.added_tokens_encoder
        return next((word for word in words if word.strip() and word in text), None)


def load_reader(what: str, path: Path, image_token: int) -> QwenReader:
    """The reader of a Qwen-VL folder.

    Args:
        what: it is, for messages.
        image_token: the number by which the model knows a patch of a picture.

    Raises:
        ModelError: no chat template, one that does not take exactly one image, or a tokenizer of another model.
    """
    tokenizer = load_tokenizer(path, Qwen2Tokenizer)
    processor = Qwen2VLImageProcessorPil.from_pretrained(path, local_files_only=True)
    template = _template(path, tokenizer)
    if template is None:
        raise ModelError(f"{what} in {path} has no chat template; add its chat_template.json to the folder")
    reader = QwenReader(tokenizer, processor, template, image_token)
    chats = [reader.chat(text) for text in ("?", "yes?")]
    if any(chat.count(image_token) != 1 for chat in chats):
        raise ModelError(
            f"the chat template of {what} in {path} does not take exactly one image; fetch the template of"
            " an instruct model"
        )
    return reader


def _template(path: Path, tokenizer: Qwen2Tokenizer) -> str | None:
    """First chat_template.jinja, which the tokenizer reads, then chat_template.json, then the tokenizer's own."""
    older = path / "chat_template.json"
    found: object = tokenizer.chat_template
    if older.is_file() and not (path / "chat_template.jinja").is_file():
        found = json.loads(older.read_text(encoding="utf-8"))["chat_template"]
    if isinstance(found, dict):
        found = found.get("default")
    return found if isinstance(found, str) else None


def as_batch(
    pictures: Sequence[SeenPicture], prompts: Sequence[Sequence[int]], image_token: int, device: torch.device
) -> dict[str, Tensor]:
    """What a model takes: prompts of one length, one of each picture.

    Returns:
        ``input_ids`` and ``mm_token_type_ids`` (1 where a token stands for the picture) as (picture, token);
        ``pixel_values`` as (patch, value), one picture after the other; ``image_grid_thw`` as (picture, 3).
    """
    tokens = torch.tensor([list(prompt) for prompt in prompts], device=device)
    return {
        "input_ids": tokens,
        "mm_token_type_ids": (tokens == image_token).long(),
        "pixel_values": torch.cat([picture.patches for picture in pictures]).to(device),
        "image_grid_thw": torch.stack([picture.grid for picture in pictures]).to(device),
    }
