import pytest
import torch
from torch import tensor

from dominance.errors import InputError
from dominance.metrics import attention_deviation, deviation_change, interval_edges


def test_deviation_by_hand() -> None:
    attention = tensor([[0.01, 0.05, 0.03], [0.02, 0.02, 0.02]])
    assert attention_deviation(attention, 1).tolist() == pytest.approx([0.03, 0.0], abs=1e-7)
    assert attention_deviation(attention, 0).tolist() == pytest.approx([-0.03, 0.0], abs=1e-7)


def test_a_concept_of_two_tokens_is_summed_against_the_mean_of_the_rest() -> None:
    assert attention_deviation(tensor([0.1, 0.2, 0.05, 0.15]), [0, 1]).item() == pytest.approx(0.2)


def test_edges_part_a_generation() -> None:
    assert interval_edges(50) == (0, 10, 20, 30, 40, 49)
    assert interval_edges(25) == (0, 5, 10, 15, 20, 24)
    assert interval_edges(2) == (0, 1)
    assert interval_edges(10, 1) == (0, 9)


def test_change_over_intervals_by_hand() -> None:
    deviation = tensor([[0.0, 0.1, 0.4, 0.3], [1.0, 1.0, 1.0, 0.0]])
    changes = deviation_change(deviation, (0, 2, 3))
    assert changes[0].tolist() == pytest.approx([0.4, -0.1])
    assert changes[1].tolist() == pytest.approx([0.0, -1.0])


@pytest.mark.parametrize("index", [3, -1, [], [0, 0]])
def test_a_token_that_is_not_there_is_refused(index: int | list[int]) -> None:
    with pytest.raises(
        InputError, match=r"has the tokens \[.*\] of 3; give each concept at least one index from 0 to 2"
    ):
        attention_deviation(torch.zeros(3), index)


def test_a_concept_that_is_the_whole_prompt_is_refused() -> None:
    with pytest.raises(InputError, match=r"all 2 token\(s\) belong to the concept"):
        attention_deviation(torch.zeros(2), [0, 1])


@pytest.mark.parametrize("edges", [(0,), (0, 0), (2, 1), (-1, 2), (0, 4)])
def test_edges_that_are_none_are_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="rising"):
        deviation_change(torch.zeros(4), edges)


@pytest.mark.parametrize(("steps", "intervals"), [(1, 5), (5, 0)])
def test_a_generation_that_cannot_be_parted_is_refused(steps: int, intervals: int) -> None:
    with pytest.raises(InputError, match="2 steps or more"):
        interval_edges(steps, intervals)
