"""The miniature models' tokenizers, in which each of the world's words is one token: CLIP's pairs, T5's pieces."""

import itertools
from typing import Any

from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer, T5Tokenizer

from dominance.miniature.captions import world_words

PROMPT_TOKENS: int = 24
"""Length that prompts are padded or cut to for CLIP, start and end included."""
T5_TOKENS: int = 120
"""Length that PixArt's pipeline pads or cuts prompts to, the end included."""


def new_tokenizer() -> CLIPTokenizer:
    """A CLIPTokenizer that takes any text; built, not trained, so that it is the same every time.

    A word's merges are appended at the end of the ranking, on top of how the earlier merges cut it, so that
    no later word changes how an earlier one is cut.
    """
    letters = sorted(ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    for word in world_words():
        pieces = _cut(word, merges)
        while len(pieces) > 1:
            merges.append((pieces[0], pieces[1]))
            pieces = _cut(word, merges)
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    tokens = list(dict.fromkeys([*tokens, "<|startoftext|>", "<|endoftext|>"]))
    vocabulary = {token: index for index, token in enumerate(tokens)}
    pairs: Any = merges  # the signature says texts, but the tokenizers library takes pairs
    return CLIPTokenizer(vocab=vocabulary, merges=pairs, model_max_length=PROMPT_TOKENS)


def _cut(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """Byte-pair encoding of one word: the best-ranked pair is merged until none is left."""
    rank = {pair: index for index, pair in enumerate(merges)}
    pieces = [*word[:-1], f"{word[-1]}</w>"]
    while len(pieces) > 1:
        best = min(itertools.pairwise(pieces), key=lambda pair: rank.get(pair, len(rank)))
        if best not in rank:
            break
        merged: list[str] = []
        index = 0
        while index < len(pieces):
            if tuple(pieces[index : index + 2]) == best:
                merged.append("".join(best))
                index += 2
            else:
                merged.append(pieces[index])
                index += 1
        pieces = merged
    return pieces


def new_t5_tokenizer() -> T5Tokenizer:
    """A T5Tokenizer of the world's words, and of ASCII's letters for all others; built, not trained."""
    letters = [chr(code) for code in range(33, 127)]
    pieces = dict.fromkeys(["<pad>", "</s>", "<unk>", "▁", *(f"▁{word}" for word in world_words()), *letters])
    scored = [(piece, -1 / len(piece)) for piece in pieces]  # so that one long piece beats several short ones
    return T5Tokenizer(vocab=scored, extra_ids=0, model_max_length=T5_TOKENS)
