"""Presence of a prompt's concepts in one image, from yes/no answers: soft and harsh."""

from collections.abc import Sequence

from dominance.errors import InputError


def soft_presence(p_yes: Sequence[Sequence[float]]) -> float:
    """The mean over concepts of the mean P(yes) over each concept's questions, 0 to 1.

    Args:
        p_yes: of each concept its questions' P(yes); of an answer without a probability 1 for yes and 0 for no.

    Raises:
        InputError: no concept, a concept without a question, or a value that is no probability.

    Source: the soft form of a VQA score, as Marioriyad et al. (2025), arXiv 2410.20972, report BLIP-VQA and TIFA; the
    five questions a concept are those of the DvD score.

    >>> soft_presence([[1.0, 0.5], [0.0, 0.5]])
    0.5
    """
    if not p_yes or not all(p_yes):
        raise InputError("presence is over no concept, or over a concept without a question; give one question or more")
    if not all(0 <= value <= 1 for own in p_yes for value in own):
        raise InputError(f"P(yes) is {p_yes!r}; give probabilities from 0 to 1")
    return sum(sum(own) / len(own) for own in p_yes) / len(p_yes)


def harsh_presence(present: Sequence[bool]) -> bool:
    """Whether every concept is present: one that is missing makes the image worth nothing.

    Raises:
        InputError: no concept.

    Source: the harsh form of the same scores.

    >>> harsh_presence([True, True]), harsh_presence([True, False])
    (True, False)
    """
    if not present:
        raise InputError("presence is over no concept; give one or more")
    return all(present)
