"""The DvD score: how far one concept took an image over from another."""

from typing import overload

import torch
from torch import Tensor

from dominance.errors import InputError


@overload
def dvd_score(dominating_yes: float, dominated_yes: float, questions: int = 5) -> float: ...
@overload
def dvd_score(dominating_yes: Tensor, dominated_yes: Tensor | float, questions: int = 5) -> Tensor: ...
@overload
def dvd_score(dominating_yes: float, dominated_yes: Tensor, questions: int = 5) -> Tensor: ...


def dvd_score(dominating_yes: float | Tensor, dominated_yes: float | Tensor, questions: int = 5) -> float | Tensor:
    """Dominant-vs-dominated score of an image: ``C1 · (N − C2) / N² · 100``.

    Args:
        dominating_yes: C1, how many of the N questions on the dominating concept were answered yes, 0 to N;
            sums of P(yes) give the soft score.
        dominated_yes: C2, the same for the dominated concept. Tensors broadcast against each other.
        questions: N, questions a concept, at least 1.

    Returns:
        From 0 (the dominating concept is absent, or the dominated one complete) to 100 (a full collapse);
        a float for numbers, a tensor of the broadcast shape for tensors.

    Raises:
        InputError: a count below 0, above N or not a number; fewer than one question.

    Source: Jeong & Lee (2025), arXiv 2512.20666, the DvD score.

    >>> dvd_score(5, 0), dvd_score(3, 2), dvd_score(5, 5)
    (100.0, 36.0, 0.0)
    """
    if isinstance(questions, bool) or not isinstance(questions, int) or questions < 1:
        raise InputError(f"questions is {questions!r}; give a whole number of questions a concept, 1 or more")
    _check_count("dominating_yes", dominating_yes, questions)
    _check_count("dominated_yes", dominated_yes, questions)
    return dominating_yes * (questions - dominated_yes) / questions**2 * 100.0


def _check_count(name: str, count: float | Tensor, questions: int) -> None:
    try:
        values = torch.as_tensor(count)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{name} is {count!r}; give counts of yes from 0 to {questions}") from None
    if values.is_complex() or not bool(((values >= 0) & (values <= questions)).all()):
        raise InputError(f"{name} is {count}; give counts of yes from 0 to {questions}")
