"""Soft and harsh presence: hand arithmetic, and what cannot be."""

import pytest

from dominance.errors import InputError
from dominance.metrics.presence import harsh_presence, soft_presence


def test_every_concept_counts_alike_however_many_questions_it_has() -> None:
    assert soft_presence([[1.0, 0.0, 0.5], [0.2]]) == pytest.approx((0.5 + 0.2) / 2)
    assert soft_presence([[1.0] * 5, [1.0] * 5]) == 1.0


def test_one_missing_concept_is_enough() -> None:
    assert harsh_presence([True, True, True])
    assert not harsh_presence([True, False, True])


@pytest.mark.parametrize("broken", [[], [[]], [[0.5], []]])
def test_presence_of_nothing_is_refused(broken: list[list[float]]) -> None:
    with pytest.raises(InputError, match="give one question or more"):
        soft_presence(broken)
    with pytest.raises(InputError, match="give one or more"):
        harsh_presence([])


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="probabilities from 0 to 1"):
        soft_presence([[0.5, value]])
