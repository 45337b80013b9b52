"""P(yes) from a language model's logits at the first place of its answer."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedTokenizerBase

YES: tuple[str, ...] = ("yes", "Yes", "YES", " yes", " Yes", " YES")
NO: tuple[str, ...] = ("no", "No", "NO", " no", " No", " NO")
"""The spellings whose probabilities are summed; one that the tokenizer cuts into several tokens is left out."""


def answer_tokens(tokenizer: PreTrainedTokenizerBase, spellings: Sequence[str]) -> tuple[int, ...]:
    """The spellings that are one token each, without doubles; none where the tokenizer knows no such token."""
    cut = [tokenizer(spelling, add_special_tokens=False).input_ids for spelling in spellings]
    unknown = tokenizer.unk_token_id
    return tuple(dict.fromkeys(tokens[0] for tokens in cut if len(tokens) == 1 and tokens[0] != unknown))


def probability_of_yes(
    yes: Float[Tensor, "question spelling"], no: Float[Tensor, "question other_spelling"]
) -> Float[Tensor, "question"]:
    """``P(yes) = Σ p(yes spellings) / (Σ p(yes spellings) + Σ p(no spellings))``, from their logits.

    All that the model might say besides drops out, so this is 0.5 or more exactly when yes is as likely as no.
    """
    return torch.sigmoid(yes.float().logsumexp(-1) - no.float().logsumexp(-1))
