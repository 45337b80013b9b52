"""By hand: entropies of halves and quarters are whole numbers of bits."""

import math

import pytest
import torch
from torch import tensor

from dominance.errors import InputError
from dominance.metrics import attention_entropy, concept_attention, concept_maps, focus_score, peak_token
from dominance.metrics.focus import ENTROPY_FLOOR


def test_focus_of_four_tokens_by_hand() -> None:
    """Shares 1/2, 1/4, 1/8, 1/8: H = 7/4 bits of 2; max 0.08, mean of the others 0.08/3."""
    attention = tensor([0.08, 0.04, 0.02, 0.02])
    expected = (0.08 - 0.08 / 3) / (7 / 4 / 2)
    assert focus_score(attention).item() == pytest.approx(expected)


def test_the_numerator_takes_raw_attention_and_the_entropy_that_of_the_tokens_alone() -> None:
    attention = tensor([0.04, 0.02])
    entropy = -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3))
    assert focus_score(attention).item() == pytest.approx(0.02 / entropy)


def test_equal_attention_and_none_at_all_have_no_focus() -> None:
    assert focus_score(tensor([[0.02] * 5, [0.0] * 5])).tolist() == [pytest.approx(0, abs=1e-7), 0]


def test_the_entropy_of_two_tokens_is_floored() -> None:
    """All on one of two tokens: entropy 0, so the floor is what it is divided by."""
    assert focus_score(tensor([0.05, 0.0])).item() == pytest.approx(0.05 / ENTROPY_FLOOR)
    assert focus_score(tensor([0.05, 0.0]), floor=0.5).item() == pytest.approx(0.1)


def test_batches_of_layers_and_images() -> None:
    attention = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0))
    scores = focus_score(attention)
    assert scores.shape == (3, 4)
    assert scores[2, 1].item() == pytest.approx(focus_score(attention[2, 1]).item())


def test_entropy_by_hand() -> None:
    attention = tensor([[4.0, 2, 1, 1], [1, 1, 1, 1], [3, 0, 0, 0], [0, 0, 0, 0]])
    assert attention_entropy(attention).tolist() == pytest.approx([1.75, 2, 0, 2], abs=1e-6)


def test_the_peak_is_the_highest_and_of_equals_the_first() -> None:
    assert peak_token(tensor([[0.1, 0.3, 0.2], [0.2, 0.1, 0.2]])).tolist() == [1, 0]


def test_a_concept_of_several_tokens_sums_for_how_much_and_peaks_by_its_highest() -> None:
    attention = tensor([0.1, 0.2, 0.25, 0.05])
    concepts = [[0, 1], [2]]
    assert concept_attention(attention, concepts).tolist() == pytest.approx([0.3, 0.25])
    assert concept_attention(attention, concepts, pooled="max").tolist() == pytest.approx([0.2, 0.25])


def test_the_map_of_a_concept_is_the_mean_of_its_tokens_maps() -> None:
    maps = torch.arange(12.0).reshape(1, 3, 2, 2)
    found = concept_maps(maps, [[0, 2], [1]])
    assert found.shape == (1, 2, 2, 2)
    assert found[0, 0].tolist() == [[4, 5], [6, 7]]
    assert found[0, 1].tolist() == [[4, 5], [6, 7]]


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        ([0.1], "give 2 or more"),
        ([0.1, -0.1], "negative or non-finite"),
        ([0.1, float("nan")], "negative or non-finite"),
    ],
)
def test_what_is_no_attention_is_refused(attention: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        focus_score(tensor(attention))


@pytest.mark.parametrize("floor", [0.0, -1.0, 1.1])
def test_a_floor_that_is_no_share_is_refused(floor: float) -> None:
    with pytest.raises(InputError, match="floor"):
        focus_score(tensor([0.1, 0.2]), floor=floor)


@pytest.mark.parametrize(
    ("concepts", "found"),
    [
        ([], "no concept given"),
        ([[]], r"has the tokens \[\] of 3; give each concept at least one index"),
        ([[3]], r"has the tokens \[3\] of 3"),
        ([[-1]], r"has the tokens \[-1\] of 3"),
        ([[0, 0]], r"has the tokens \[0, 0\] of 3"),
    ],
)
def test_places_that_are_not_there_are_refused(concepts: list[list[int]], found: str) -> None:
    with pytest.raises(InputError, match=found):
        concept_attention(tensor([0.1, 0.2, 0.3]), concepts)
    with pytest.raises(InputError, match=found):
        concept_maps(torch.zeros(3, 2, 2), concepts)
