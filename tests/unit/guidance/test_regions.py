"""Regions: they share out every place, follow the maps, and stay where they are in time."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dominance.guidance.regions import Parting, Regions, parted


def places(rows: int = 8, columns: int = 12) -> torch.Tensor:
    down, across = torch.arange(rows) + 0.5 - rows / 2, torch.arange(columns) + 0.5 - columns / 2
    return torch.stack(torch.meshgrid(down, across, indexing="ij"), dim=-1)


@given(seed=st.integers(0, 10**6), count=st.integers(2, 5), edge=st.floats(0.1, 5))
def test_shares_sum_to_one_whatever_the_centres(seed: int, count: int, edge: float) -> None:
    centres = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed)) * 3
    shares = parted(places(), centres, edge)
    assert shares.shape == (count, 8, 12)
    assert torch.allclose(shares.sum(dim=0), torch.ones(8, 12), atol=1e-5)
    assert (shares >= 0).all()
    turned = parted(places(), centres.flip(0), edge)
    assert torch.allclose(turned.flip(0), shares, atol=1e-5)


def test_two_concepts_get_half_planes_of_any_direction() -> None:
    above = parted(places(), torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 1.0)
    assert (above[0, :3] > 0.8).all()
    assert (above[0, 5:] < 0.2).all()
    assert torch.allclose(above[0, :, 0], above[0, :, -1])
    halves = parted(places(), torch.tensor([[-1.0, -0.1], [1.0, 0.1]]), 1.0, halves=True)
    assert (halves[0, :, :5] > 0.8).all()
    assert torch.allclose(halves[0, 0], halves[0, -1])
    assert (halves[0] > 0.5).sum() == 48


def test_the_same_centre_is_shared_alike() -> None:
    assert torch.allclose(parted(places(), torch.zeros(2, 2), 1.0), torch.full((2, 8, 12), 0.5))


def test_three_concepts_get_the_cells_nearest_to_their_centres() -> None:
    centres = torch.tensor([[-2.0, -4.0], [-2.0, 4.0], [3.0, 0.0]])
    shares = parted(places(), centres, 0.3)
    nearest = torch.cdist(places().reshape(-1, 2), centres).argmin(dim=-1).reshape(8, 12)
    assert (shares.argmax(dim=0) == nearest).float().mean() > 0.95


def test_the_parting_follows_the_maps_until_it_is_fixed() -> None:
    parting = Parting(Regions(texts=(("a",), ("b",)), fixed=0.4))
    left = torch.zeros(2, 4, 4)
    left[0, :, 0] = left[1, :, 3] = 1.0
    with pytest.raises(RuntimeError, match="no maps"):
        parting.masks(4, 4, (8, 8))
    parting.see(left, 0.0)
    assert (parting.masks(8, 8, (8, 8))[0, :, 0] > 0.9).all()
    for _ in range(12):
        parting.see(left.flip(0), 0.1)
    turned = parting.masks(8, 8, (8, 8))
    assert (turned[0, :, 0] < 0.1).all()
    parting.see(left, 0.4)
    assert torch.equal(parting.masks(8, 8, (8, 8)), turned)
    # A finer grid has the same edge, in latents.
    assert torch.allclose(parting.masks(4, 4, (8, 8))[0, 0, 0], turned[0, 0, :2].mean(), atol=0.05)
