"""Overlap of attention maps: identities, invariance to scale, gradients, and known values."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dominance.guidance.overlap import Overlap
from dominance.metrics.overlap import (
    LOSSES,
    attend_and_excite,
    centre_distance,
    centres,
    cluster_compactness,
    competing,
    divergence,
    intensity,
    iou,
    normalised,
    smoothed,
    spread,
)

SCALED = [name for name in LOSSES if name != "intensity"]


def maps(seed: int, concepts: int = 2, rows: int = 4, columns: int = 5, images: int = 2) -> Tensor:
    made = torch.rand(images, concepts, rows, columns, generator=torch.Generator().manual_seed(seed))
    return made.double() + 0.01


def spot(row: int, column: int, side: int = 4) -> Tensor:
    made = torch.zeros(side, side, dtype=torch.float64)
    made[row, column] = 1
    return made


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("concepts", [2, 3, 4])
def test_gradients_are_those_of_finite_differences(name: str, concepts: int) -> None:
    if name == "com-area" and concepts != 3:
        pytest.skip("the area is of three concepts")
    given = maps(3, concepts).requires_grad_()
    assert torch.autograd.gradcheck(LOSSES[name], (given,), eps=1e-6, atol=1e-5)


@given(seed=st.integers(0, 10**6), scale=st.floats(1e-6, 1e6), concepts=st.integers(2, 4))
def test_the_amount_of_attention_changes_nothing_but_intensity(seed: int, scale: float, concepts: int) -> None:
    plain, scaled = maps(seed, concepts), maps(seed, concepts)
    scaled[:, 0] *= scale
    for name in SCALED:
        assert torch.allclose(LOSSES[name](plain), LOSSES[name](scaled), rtol=1e-6, atol=1e-9), name


def test_starving_one_concept_is_no_way_out() -> None:
    same = maps(1)[:, :1].expand(-1, 2, -1, -1).clone()
    same[:, 1] *= 1e-6
    assert torch.allclose(iou(same), torch.full((2,), 0.5, dtype=torch.float64))
    assert torch.allclose(divergence(same), torch.zeros(2, dtype=torch.float64), atol=1e-9)
    assert (intensity(same) < 1e-6).all()


@given(seed=st.integers(0, 10**6))
def test_compactness_is_total_variation(seed: int) -> None:
    given = maps(seed)
    p = normalised(given).flatten(-2)
    variation = (p[:, 0] - p[:, 1]).abs().sum(dim=-1) / 2
    assert torch.allclose(cluster_compactness(given), (1 + variation) / p.shape[-1])
    least, most = torch.minimum(p[:, 0], p[:, 1]).sum(-1), torch.maximum(p[:, 0], p[:, 1]).sum(-1)
    assert torch.allclose(least / most, (1 - variation) / (1 + variation))
    assert ((iou(given) <= 0.5) & (iou(given) >= least / 2)).all()


def test_maps_of_one_cell_each() -> None:
    two = torch.stack([spot(0, 0), spot(3, 3)])
    assert centres(two).flatten().tolist() == pytest.approx([0, 0, 3, 3])
    assert float(centre_distance(two)) == pytest.approx(math.sqrt(18))
    assert float(spread(two)) == pytest.approx(0, abs=1e-9)
    assert float(iou(two)) == pytest.approx(0, abs=1e-9)
    assert float(cluster_compactness(two)) == pytest.approx(2 / 16)
    assert float(divergence(two)) > 100
    three = torch.stack([spot(0, 0), spot(0, 3), spot(3, 0)])
    assert float(centre_distance(three, area=True)) == pytest.approx(4.5)
    assert float(LOSSES["com-area"](three)) == pytest.approx(-4.5 / 12.5)
    assert float(LOSSES["com"](three)) == pytest.approx(-(3 + 3 + math.sqrt(18)) / 30)


def test_spread_is_the_second_moment() -> None:
    line = torch.zeros(1, 2, 1, 5, dtype=torch.float64)
    line[0, 0, 0, [0, 4]] = 0.5
    line[0, 1, 0, 2] = 0.1
    assert float(spread(line)) == pytest.approx((4 + 0) / 2)


@given(seed=st.integers(0, 10**6), concepts=st.integers(2, 4))
def test_the_order_of_concepts_does_not_matter(seed: int, concepts: int) -> None:
    given = maps(seed, concepts)
    for name, loss in LOSSES.items():
        assert torch.allclose(loss(given), loss(given.flip(1))), name


def test_attend_and_excite_is_of_the_weakest_concept() -> None:
    given = torch.stack([spot(0, 0) * 0.9, spot(1, 1) * 0.3])
    assert float(attend_and_excite(given)) == pytest.approx(0.7)
    tokens = torch.stack([spot(0, 0), spot(1, 1) * 0.5, torch.zeros(4, 4)])
    shares = competing(tokens)
    assert torch.allclose(shares.sum(dim=0), torch.ones(4, 4, dtype=torch.float64))
    assert float(shares[0, 0, 0]) == pytest.approx(1.0)
    assert float(shares[0, 2, 2]) == pytest.approx(1 / 3)


def test_smoothing_keeps_constants_and_the_sum_inside() -> None:
    assert torch.allclose(smoothed(torch.full((1, 2, 4, 4), 0.3)), torch.full((1, 2, 4, 4), 0.3))
    middle = smoothed(torch.stack([spot(2, 2, 5), spot(2, 2, 5)]))
    assert float(middle[0].sum()) == pytest.approx(1)
    assert float(middle[0, 2, 2]) == pytest.approx(0.6193, abs=1e-4)
    assert smoothed(torch.rand(2, 1, 1)).shape == (2, 1, 1)


@pytest.mark.parametrize("shape", [(1, 4, 4), (4, 4), (2, 1, 1)])
def test_what_is_no_set_of_maps_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="give two or more concepts"):
        normalised(torch.rand(shape))


def test_losses_whose_weights_the_paper_does_not_give_are_unweighted_and_the_method_says_so() -> None:
    given = maps(0)
    assert torch.equal(LOSSES["iou"](given), iou(given))
    assert torch.equal(LOSSES["kl"](given), -divergence(given))
    assert torch.equal(LOSSES["cc"](given), -cluster_compactness(given))
    assert "no weights of IoU, KL and CC; ours are 1" in str(Overlap.__doc__)
