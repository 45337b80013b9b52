import pytest
import torch

import dominance.metrics
from dominance.errors import InputError
from dominance.metrics import dvd_score


@pytest.mark.parametrize(
    ("dominating", "dominated", "questions", "score"),
    [
        (5, 0, 5, 100),
        (3, 2, 5, 36),
        (4, 2, 5, 48),
        (5, 5, 5, 0),
        (0, 0, 5, 0),
        (5, 3, 5, 40),
        (1, 0, 1, 100),
        (2, 1, 4, 37.5),
    ],
)
def test_the_formula_by_hand(dominating: int, dominated: int, questions: int, score: float) -> None:
    assert dvd_score(dominating, dominated, questions) == pytest.approx(score)


def test_numbers_give_a_float_and_tensors_a_tensor_of_the_broadcast_shape() -> None:
    assert isinstance(dvd_score(3, 2), float)
    grid = dvd_score(torch.arange(6)[:, None], torch.arange(6))
    assert grid.shape == (6, 6)
    assert grid.is_floating_point()
    assert grid[3, 2].item() == pytest.approx(36.0)
    assert grid[5, 0].item() == grid.max().item() == pytest.approx(100.0)


def test_soft_counts_are_taken() -> None:
    assert dvd_score(2.5, 2.5) == pytest.approx(25.0)


def test_half_precision_counts_do_not_overflow() -> None:
    assert dvd_score(torch.tensor(5.0, dtype=torch.float16), 0).item() == pytest.approx(100.0)
    assert dvd_score(torch.tensor(5, dtype=torch.int8), torch.tensor(0, dtype=torch.int8)).item() == pytest.approx(
        100.0
    )


@pytest.mark.parametrize(
    ("dominating", "dominated"), [(6, 0), (0, 6), (-1, 0), (0, -0.1), (float("nan"), 0), (0, float("inf"))]
)
def test_counts_out_of_range_are_refused(dominating: float, dominated: float) -> None:
    with pytest.raises(InputError, match="give counts of yes from 0 to 5"):
        dvd_score(dominating, dominated)
    with pytest.raises(ValueError, match="from 0 to 5"):
        dvd_score(torch.tensor([1.0, dominating]), torch.tensor([1.0, dominated]))


@pytest.mark.parametrize("count", ["3", None, object(), 1j])
def test_what_is_no_number_is_refused(count: object) -> None:
    with pytest.raises(InputError, match="give counts of yes from 0 to 5"):
        dvd_score(count, 0)


@pytest.mark.parametrize("questions", [0, -1, 2.5, True])
def test_a_number_of_questions_that_is_none_is_refused(questions: object) -> None:
    with pytest.raises(InputError, match="whole number of questions"):
        dvd_score(0, 0, questions)


def test_all_is_honest() -> None:
    assert all(hasattr(dominance.metrics, name) for name in dominance.metrics.__all__)
