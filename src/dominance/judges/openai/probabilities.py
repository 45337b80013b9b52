"""P(yes) from the log-probabilities that an endpoint gives for the first token of its answer; pure."""

import math
from dataclasses import dataclass

from dominance.judges.openai.texts import bare, begins, is_mark

LEAST_MASS = 0.05
"""P(yes) + P(no) from which the two are compared; below it the endpoint was about to say something else."""
MOST_OF_IT = 0.5
"""The same where the text begins with neither yes nor no: by its own words the endpoint did say something else."""
KNOWN = 0.05
"""How far P(yes) may be unknown, where only one of the two words is among the tokens that the endpoint lists."""
_SPELLINGS = 6
"""Spellings of a word that may be missing in a list: with and without a space, in three kinds of letters."""
_MARKS = " \t\r\n\u2581\u0120\u010a*_\"'`.,:;!()[]"
"""What may stand around a token's word: spaces, the marks that tokenizers write for them, and punctuation."""


@dataclass(frozen=True)
class _Share:
    """A token's word and its probability."""

    word: str
    probability: float


def p_yes_of(logprobs: object, answer: str) -> float | None:
    """``P(yes) / (P(yes) + P(no))`` over all spellings at the first token that is a word, 0 to 1.

    Where only one of the two words is listed, the other has at most what the list leaves over: its sum to 1, or its
    least likely token once a spelling. P(yes) then lies between two bounds, and the one nearer to 0.5 is taken if they
    differ by no more than KNOWN: so a single token of probability 0.55 says nothing, and never 1.

    None where the endpoint gave none, where they are no log-probabilities (above 0, no numbers, more than 1 in sum),
    where they are not those of the answer's own first token, or where yes and no have next to no share in them: less
    than LEAST_MASS, or than MOST_OF_IT where the text begins with neither.
    """
    first = _first_word(logprobs)
    said = bare(answer).strip(_MARKS).lower()
    word = "" if first is None else _word(first["token"])
    if first is None or not said.startswith(word) or (word in {"yes", "no"} and not begins(answer)):
        return None
    shares = _shares(first)
    yes = sum(share.probability for share in shares if share.word == "yes")
    no = sum(share.probability for share in shares if share.word == "no")
    if yes + no < (LEAST_MASS if begins(answer) else MOST_OF_IT):
        return None
    if {"yes", "no"} <= {share.word for share in shares}:
        return yes / (yes + no)
    unseen = _left_over(shares)
    bound = max(yes, no) / (yes + no + unseen)
    if 1 - bound > KNOWN:
        return None
    return bound if yes > no else 1 - bound


def _first_word(logprobs: object) -> dict | None:
    """The entry of the first token that is a word."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    entries = [entry for entry in tokens if isinstance(entry, dict)] if isinstance(tokens, list) else []
    return next((e for e in entries if _word(e.get("token")) and not is_mark(str(e["token"]))), None)


def _shares(entry: dict) -> list[_Share]:
    """The listed tokens, or the chosen one where no others are; none at all if one of them cannot be right."""
    listed = entry.get("top_logprobs")
    shares = [_share(token) for token in (listed if isinstance(listed, list) and listed else [entry])]
    read = [share for share in shares if share is not None]
    whole = len(read) == len(shares) and sum(share.probability for share in read) <= 1.01
    return read if whole else []


def _left_over(shares: list[_Share]) -> float:
    """The most that a word can have that is not listed."""
    rest = max(0.0, 1 - sum(share.probability for share in shares))
    return min(rest, _SPELLINGS * min(share.probability for share in shares))


def _share(entry: object) -> _Share | None:
    """A token's word and probability; None when it is no log-probability."""
    if not isinstance(entry, dict):
        return None
    value = entry.get("logprob")
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= 1e-3:
        return None
    return _Share(_word(entry.get("token")), math.exp(max(value, -1e4)))


def _word(token: object) -> str:
    return token.strip(_MARKS).lower() if isinstance(token, str) else ""
