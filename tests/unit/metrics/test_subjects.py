"""A subject is found where predictions differ with and without the prompt, and only where noises agree on it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dominance.metrics.subjects import CELLS, find_subject, split


def blob(row: int, column: int, size: int = 32) -> torch.Tensor:
    """Low everywhere, high in a square of eight cells from that place on."""
    map_ = torch.full((size, size), 0.1)
    map_[row : row + 8, column : column + 8] = 2.0
    return map_


def grain(seed: int) -> torch.Tensor:
    return torch.rand(2, 32, 32, generator=torch.Generator().manual_seed(seed))


@given(row=st.integers(2, 22), column=st.integers(2, 22), seed=st.integers(0, 99))
def test_the_centre_and_the_cells_of_a_square_are_found(row: int, column: int, seed: int) -> None:
    found = find_subject(blob(row, column) + 0.2 * grain(seed))
    assert found is not None
    assert found.centre == pytest.approx(((row + 4) / 32, (column + 4) / 32), abs=0.03)
    assert found.mask.shape == (CELLS, CELLS)
    assert 16 <= int(found.mask.sum()) <= 36, "four cells a side, and those that it reaches into"
    assert found.agreement > 0.8


def test_nothing_is_found_where_noises_do_not_agree() -> None:
    assert find_subject(grain(3)) is None
    assert find_subject(torch.stack([blob(2, 2), blob(22, 22)])) is None
    assert find_subject(torch.ones(2, 8, 8)) is None
    assert find_subject(torch.zeros(2, 8, 8)) is None
    assert find_subject(torch.full((2, 8, 8), torch.nan)) is None
    assert find_subject(blob(2, 2)[None]) is None, "one noise agrees with nobody"


def test_the_amount_of_one_noise_changes_nothing() -> None:
    maps = blob(6, 14) + 0.1 * grain(1)
    one, other = find_subject(maps), find_subject(maps * torch.tensor([1.0, 50.0])[:, None, None])
    assert one is not None
    assert other is not None
    assert one.centre == pytest.approx(other.centre, abs=1e-6)
    assert torch.equal(one.mask, other.mask)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=20))
def test_the_threshold_has_the_largest_variance_between_its_groups(listed: list[float]) -> None:
    values = torch.tensor(listed, dtype=torch.float64)

    def between(threshold: float) -> float:
        low, high = values[values <= threshold], values[values > threshold]
        if not len(low) or not len(high):
            return 0.0
        return len(low) * len(high) * float(low.mean() - high.mean()) ** 2

    best = max(between(value) for value in listed)
    assert between(split(values)) == pytest.approx(best, rel=1e-6, abs=1e-9)
