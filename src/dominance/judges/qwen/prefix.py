"""All questions about a picture in one forward: the picture and the chat's beginning are read once and shared.

What a causal model makes of the first tokens does not depend on those that follow. So the prompts' common beginning,
which ends with the picture, is read once. The questions' own tokens then follow it in one row, one question after the
other; a mask hides them from each other, so that each is read as if it stood alone. Neither is the beginning's cache
repeated nor a question padded. Positions are given explicitly: every question begins where the beginning ends, and a
picture takes fewer positions than tokens.
"""

import itertools
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
        for entry, logits in zip(group, _ask(model, _read_prefixes(model, group), group, words), strict=True):
            found[entry.index] = logits
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
    model: QwenModel, read: ReadPrefixes, group: Sequence[AskedPicture], words: Sequence[int]
) -> list[Float[Tensor, "question word"]]:
    """All suffixes of the pictures in one forward, each picture's in a row of their own behind its prefix."""
    device = model.device
    rows = [_row(entry.suffixes) for entry in group]
    longest = max(len(row.tokens) for row in rows)
    shape = (len(rows), longest)
    tokens, steps, owner = (
        torch.zeros(shape, dtype=torch.long),
        torch.zeros(shape, dtype=torch.long),
        -torch.ones(shape),
    )
    for index, row in enumerate(rows):
        length = len(row.tokens)
        tokens[index, :length], steps[index, :length] = torch.tensor(row.tokens), torch.tensor(row.steps)
        owner[index, :length] = torch.tensor(row.questions)
    # Padding, of rows that are shorter than the longest, sees and is seen by padding alone, and the prefix.
    own = (owner[:, :, None] == owner[:, None, :]) & torch.ones(longest, longest, dtype=torch.bool).tril()
    prefix = torch.ones(*shape, len(group[0].prefix), dtype=torch.bool)
    positions = read.following[:, None] + steps.to(device)
    states = model.model(
        input_ids=tokens.to(device),
        attention_mask=torch.cat([prefix, own], dim=-1)[:, None].to(device),
        position_ids=positions.expand(3, -1, -1),
        past_key_values=read.cache,
        use_cache=True,
    ).last_hidden_state
    return [
        model.lm_head(states[index, torch.tensor(row.ends, device=device)])[:, list(words)].float().cpu()
        for index, row in enumerate(rows)
    ]


@dataclass(frozen=True)
class _Row:
    """A picture's suffixes, one after the other.

    Attributes:
        tokens: of all of them.
        steps: each token's place in its own suffix, from 0.
        questions: the number of each token's suffix.
        ends: where the last token of each suffix stands.
    """

    tokens: list[int]
    steps: list[int]
    questions: list[int]
    ends: list[int]


def _row(suffixes: Sequence[list[int]]) -> _Row:
    return _Row(
        tokens=[token for suffix in suffixes for token in suffix],
        steps=[step for suffix in suffixes for step in range(len(suffix))],
        questions=[number for number, suffix in enumerate(suffixes) for _ in suffix],
        ends=[end - 1 for end in itertools.accumulate(map(len, suffixes))],
    )
