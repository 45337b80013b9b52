"""All questions about a picture in one forward: the picture and the chat's beginning are read once and shared.

What a causal model makes of the first tokens does not depend on those that follow. So the prompts' common beginning,
which ends with the picture, is read once, its cache is repeated for every question, and the questions' own tokens,
padded on the right, go through the model together. Positions are given explicitly, because a picture takes fewer
positions than tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import DynamicCache

from dominance.judges.qwen.prompts import SeenPicture, as_batch

QwenModel = Any
"""A Qwen2-VL, Qwen2.5-VL or Qwen3-VL for generation; their annotations are narrower than what they take."""

PREFIX_TOKENS: int = 8192
"""Tokens of pictures and chats' beginnings that are read in one forward, at most; one picture is always read."""
CACHE_BYTES: int = 2**30
"""Memory for the repeated caches of one forward, at most; one question is always asked."""


@dataclass(frozen=True)
class AskedPicture:
    """A picture and the prompts about it.

    Attributes:
        index: of the picture among all that are asked about.
        prefix: the tokens that all its prompts begin with, the last of them the picture's last.
        suffixes: what follows in each.
    """

    index: int
    picture: SeenPicture
    prefix: list[int]
    suffixes: list[list[int]]


@dataclass(frozen=True)
class ReadPrefixes:
    """What a model keeps of prefixes of one length.

    Attributes:
        cache: keys and values, a row for each picture.
        following: (picture,), the position of the token that follows each prefix.
    """

    cache: DynamicCache
    following: Tensor

    @property
    def bytes_a_token(self) -> int:
        """What one token of one picture takes in the cache."""
        rows = [part[0, :, 0] for kept in self.layers() for part in kept]
        return sum(row.numel() * row.element_size() for row in rows)

    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each layer, as (picture, head, token, channel)."""
        layers: list[Any] = self.cache.layers
        return [(layer.keys, layer.values) for layer in layers]


def first_answer_logits(
    model: QwenModel, pictures: Sequence[SeenPicture], prompts: Sequence[Sequence[list[int]]], words: Sequence[int]
) -> list[Float[Tensor, "question word"]]:
    """Logits of some words at the first token of the answer, for every prompt of every picture, on the CPU.

    Args:
        prompts: for each picture its prompts, as tokens.
        words: tokens of the vocabulary.
    """
    token = model.config.image_token_id
    asked = [
        _split(index, picture, own, token)
        for index, (picture, own) in enumerate(zip(pictures, prompts, strict=True))
        if own
    ]
    found = [torch.empty(len(own), len(words)) for own in prompts]
    for group in _read_together(asked):
        read = _read_prefixes(model, group)
        rows = [(row, number) for row, entry in enumerate(group) for number in range(len(entry.suffixes))]
        for part in _parts(rows, group, read.bytes_a_token):
            suffixes = [group[row].suffixes[number] for row, number in part]
            logits = _ask(model, read, [row for row, _ in part], suffixes, words)
            for (row, number), values in zip(part, logits, strict=True):
                found[group[row].index][number] = values
    return found


def _split(index: int, picture: SeenPicture, prompts: Sequence[list[int]], image_token: int) -> AskedPicture:
    first = prompts[0]
    end = len(first) - first[::-1].index(image_token)
    if any(prompt[:end] != first[:end] for prompt in prompts):
        raise ValueError("the chat puts the question before the picture")
    return AskedPicture(index, picture, first[:end], [prompt[end:] for prompt in prompts])


def _read_together(asked: Sequence[AskedPicture]) -> Iterator[list[AskedPicture]]:
    """Pictures whose prefixes are equally long, so that none needs padding, up to PREFIX_TOKENS."""
    by_length: dict[int, list[AskedPicture]] = {}
    for entry in asked:
        by_length.setdefault(len(entry.prefix), []).append(entry)
    for length, alike in by_length.items():
        count = max(1, PREFIX_TOKENS // length)
        yield from (alike[start : start + count] for start in range(0, len(alike), count))


def _parts(
    rows: Sequence[tuple[int, int]], group: Sequence[AskedPicture], bytes_a_token: int
) -> Iterator[Sequence[tuple[int, int]]]:
    """The questions of a group, as many at a time as CACHE_BYTES hold."""
    longest = len(group[0].prefix) + max(len(suffix) for entry in group for suffix in entry.suffixes)
    count = max(1, CACHE_BYTES // (longest * bytes_a_token))
    yield from (rows[start : start + count] for start in range(0, len(rows), count))


def _read_prefixes(model: QwenModel, group: Sequence[AskedPicture]) -> ReadPrefixes:
    batch = as_batch(
        [entry.picture for entry in group], [entry.prefix for entry in group], model.config.image_token_id, model.device
    )
    positions, _ = model.model.get_rope_index(
        batch["input_ids"], batch["mm_token_type_ids"], image_grid_thw=batch["image_grid_thw"]
    )
    cache = DynamicCache(config=model.config)
    model.model(**batch, position_ids=positions, past_key_values=cache, use_cache=True)
    return ReadPrefixes(cache, positions.amax(dim=(0, 2)) + 1)


def _ask(
    model: QwenModel, read: ReadPrefixes, rows: Sequence[int], suffixes: Sequence[list[int]], words: Sequence[int]
) -> Float[Tensor, "question word"]:
    """The suffixes in one forward, each after the prefix of its row."""
    chosen = torch.tensor(rows, device=model.device)
    cache = DynamicCache(config=model.config)
    for layer, (keys, values) in enumerate(read.layers()):
        cache.update(keys[chosen], values[chosen], layer)
    lengths = torch.tensor([len(suffix) for suffix in suffixes], device=model.device)
    longest = max(map(len, suffixes))
    # Padding stands to the right of all that is read, where a causal model does not look: no mask is needed.
    tokens = torch.tensor([suffix + [0] * (longest - len(suffix)) for suffix in suffixes], device=model.device)
    positions = read.following[chosen][:, None] + torch.arange(longest, device=model.device)
    states = model.model(
        input_ids=tokens, position_ids=positions.expand(3, -1, -1), past_key_values=cache, use_cache=True
    ).last_hidden_state
    last = states[torch.arange(len(suffixes), device=model.device), lengths - 1]
    return model.lm_head(last)[:, list(words)].float().cpu()
