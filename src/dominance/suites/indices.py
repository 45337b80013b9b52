"""Attend-and-Excite's ``token_indices`` as words, where that can be known without the tokenizer."""

import re

from dominance.errors import SuiteError
from dominance.wording import described, quoted

_ONE_TOKEN = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "of",
        "in",
        "on",
        "with",
        "by",
        "to",
        "at",
        "from",
        "near",
        "next",
        "under",
        "over",
        "behind",
        "beside",
        "between",
        "photo",
        "picture",
        "painting",
        "two",
        "red",
        "orange",
        "yellow",
        "green",
        "blue",
        "purple",
        "pink",
        "brown",
        "gray",
        "black",
        "white",
        "cat",
        "dog",
        "bird",
        "bear",
        "lion",
        "horse",
        "elephant",
        "monkey",
        "frog",
        "turtle",
        "rabbit",
        "mouse",
        "backpack",
        "glasses",
        "crown",
        "suitcase",
        "chair",
        "balloon",
        "bow",
        "car",
        "bowl",
        "bench",
        "clock",
        "apple",
    ]
)
"""Words that CLIP reads as one token: little words, colours, and the things that the paper's prompts are made of."""


def words_at(text: str, indices: object, where: str) -> list[str]:
    """The words at these positions of CLIP's tokens, counted from 1, because 0 is the start token.

    Source: Chefer et al. (2023), whose prompts give the tokens to excite by their indices.

    >>> words_at("a cat and a frog", [2, 5], "here")
    ['cat', 'frog']

    Raises:
        SuiteError: not a list of positions in the text, or a word before one of them may be several tokens.
    """
    words = re.findall(r"\w+|[^\w\s]", text)
    if not isinstance(indices, list) or not indices or not all(type(index) is int for index in indices):
        raise SuiteError(f"{where}: token_indices is {described(indices)}; give a list such as [2, 5]")
    if min(indices) < 1 or max(indices) > len(words):
        raise SuiteError(
            f"{where}: token_indices are {indices}, but {quoted(text)} has words 1 to {len(words)};"
            " list the words under concepts instead"
        )
    doubtful = next((word for word in words[: max(indices)] if word.lower() not in _ONE_TOKEN), None)
    if doubtful is not None:
        raise SuiteError(
            f"{where}: token_indices count tokens, and {quoted(doubtful)} may be several of them;"
            " list the words under concepts instead"
        )
    return [words[index - 1] for index in indices]
