"""How far one token of a prompt draws the attention away from the others, and which token or concept that is."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dominance.errors import InputError

ENTROPY_FLOOR: float = 0.1
"""Least entropy, as a share of the largest possible, that a focus score is divided by."""

PAPER_LAYERS: tuple[int, ...] = (9, 10)
"""Cross-attention layers of the published rule. Source: Jeong & Lee (2025), arXiv 2512.20666."""

PAPER_THRESHOLD: float = 0.010
"""Focus score from which the published rule calls a prompt's risk high. Source: Jeong & Lee (2025)."""


def focus_score(attention: Float[Tensor, "*batch token"], floor: float = ENTROPY_FLOOR) -> Float[Tensor, "*batch"]:
    """How far the strongest token stands out, more so where few share all: ``(max_i α_i − mean_{j≠i*} α_j) / h``.

    ``h = H / log2 |T|`` is the normalised entropy, with ``H = −Σ p_i log2 p_i`` and ``p = α / Σα``.

    Args:
        attention: attention probabilities of the tokens T of a prompt, raw (not renormalised over T), at least two.
        floor: h counts as no less than this. The entropy of two tokens goes to 0 as one of them takes all, and the
            score would grow without bound; from the floor on it is at most ``max α / floor``.

    Returns:
        0 where all tokens get the same, or nothing; it scales with the attention: ``focus(c · α) = c · focus(α)``.

    Raises:
        InputError: fewer than two tokens, attention below 0 or not finite, a floor outside (0, 1].

    Source: Jeong & Lee (2025), the focus score; T without start, end and padding, and the floor, are our choice.

    >>> round(focus_score(torch.tensor([0.04, 0.02])).item(), 5)  # 0.02 / H(2/3, 1/3) = 0.02 / 0.9183
    0.02178
    """
    _check(attention, fewest=2)
    if not 0 < floor <= 1:
        raise InputError(f"the entropy's floor is {floor}; give a share above 0 and at most 1")
    count = attention.shape[-1]
    strongest = attention.amax(-1)
    others = (attention.sum(-1) - strongest) / (count - 1)
    return (strongest - others) / (attention_entropy(attention) / math.log2(count)).clamp(min=floor)


def attention_entropy(attention: Float[Tensor, "*batch token"]) -> Float[Tensor, "*batch"]:
    """Entropy of the attention renormalised over the tokens, in bits: ``H = −Σ p_i log2 p_i``, ``p = α / Σα``.

    Returns:
        From 0 (one token has all) to ``log2 |T|`` (all have the same, or none has any).

    Raises:
        InputError: no token, attention below 0 or not finite.
    """
    _check(attention, fewest=1)
    total = attention.sum(-1, keepdim=True)
    shares = torch.where(total > 0, attention / total.clamp(min=torch.finfo(attention.dtype).tiny), 1.0)
    shares = shares / shares.sum(-1, keepdim=True)
    return -torch.xlogy(shares, shares).sum(-1) / math.log(2)


def peak_token(attention: Float[Tensor, "*batch token"]) -> Int[Tensor, "*batch"]:
    """Index of the token with the highest attention; of equals, the first.

    Raises:
        InputError: no token, attention below 0 or not finite.
    """
    _check(attention, fewest=1)
    # Not argmax, which may return any of several equals.
    highest = attention == attention.amax(-1, keepdim=True)
    indices = torch.arange(attention.shape[-1], device=attention.device)
    return torch.where(highest, indices, attention.shape[-1]).amin(-1)


def concept_attention(
    attention: Float[Tensor, "*batch token"],
    concepts: Sequence[Sequence[int]],
    pooled: Literal["sum", "max"] = "sum",
) -> Float[Tensor, "*batch concept"]:
    """Attention of each concept, from that of its tokens.

    Args:
        concepts: the token indices of each concept.
        pooled: ``sum`` for how much attention a concept gets, ``max`` for which concept peaks.

    Raises:
        InputError: no concept, a concept without tokens, or a token that is not there; attention as above.
    """
    _check(attention, fewest=1)
    check_tokens(concepts, attention.shape[-1])
    taken = [attention[..., list(tokens)] for tokens in concepts]
    return torch.stack([part.sum(-1) if pooled == "sum" else part.amax(-1) for part in taken], dim=-1)


def concept_maps(
    maps: Float[Tensor, "*batch token row column"], concepts: Sequence[Sequence[int]]
) -> Float[Tensor, "*batch concept row column"]:
    """Map of each concept: the mean of its tokens' maps.

    Raises:
        InputError: no concept, a concept without tokens, or a token that is not there.
    """
    check_tokens(concepts, maps.shape[-3])
    return torch.stack([maps[..., list(tokens), :, :].mean(-3) for tokens in concepts], dim=-3)


def check_tokens(concepts: Sequence[Sequence[int]], count: int) -> None:
    """Raises an InputError unless each concept has tokens, once each, among the first ``count``."""
    if not concepts:
        raise InputError("no concept given; give the token indices of at least one concept")
    for tokens in concepts:
        if not tokens or len(set(tokens)) < len(tokens) or not all(0 <= index < count for index in tokens):
            raise InputError(
                f"a concept has the tokens {list(tokens)} of {count}; give each concept at least one index from 0 to"
                f" {count - 1}, each once"
            )


def _check(attention: Tensor, fewest: int) -> None:
    if attention.shape[-1] < fewest:
        raise InputError(
            f"attention of {attention.shape[-1]} token(s); give {fewest} or more, for example of a prompt with"
            " two content words"
        )
    if not bool(((attention >= 0) & torch.isfinite(attention)).all()):
        raise InputError("attention has negative or non-finite values; give probabilities, in float32 if in doubt")
