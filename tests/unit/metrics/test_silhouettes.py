"""Silhouettes without place and size: properties, and cases by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dominance.errors import InputError
from dominance.metrics import silhouette, silhouette_spread

MASKS = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))).filter(np.any)


def placed(mask: np.ndarray, scale: int, down: int, across: int) -> np.ndarray:
    """The mask larger, and elsewhere in a larger picture."""
    large = np.kron(mask, np.ones((scale, scale), dtype=bool)).astype(bool)
    return np.pad(large, ((down, 3), (across, 1)))


@given(MASKS, st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=4))
def test_one_silhouette_at_other_places_and_sizes_has_no_spread(mask: np.ndarray, places: list) -> None:
    assert silhouette_spread([silhouette(placed(mask, *place)) for place in places]) == pytest.approx(0, abs=1e-4)


@given(st.lists(MASKS, min_size=2, max_size=6), st.randoms())
def test_the_spread_is_from_0_to_1_in_any_order(masks: list[np.ndarray], order) -> None:
    found = [silhouette(mask) for mask in masks]
    spread = silhouette_spread(found)
    assert 0 <= spread <= 1
    order.shuffle(found)
    assert silhouette_spread(found) == pytest.approx(spread, abs=1e-6)
    assert silhouette_spread([one[:, ::-1] for one in found]) == pytest.approx(spread, abs=1e-6)


@given(MASKS)
def test_a_silhouette_fills_its_square_from_side_to_side(mask: np.ndarray) -> None:
    found = silhouette(mask, side=16)
    assert found.shape == (16, 16)
    assert ((found >= 0) & (found <= 1)).all()
    assert found[[0, -1]].any(axis=1).all() or found[:, [0, -1]].any(axis=0).all()
    rows, columns = np.nonzero(mask)
    side = max(np.ptp(rows), np.ptp(columns)) + 1
    assert found.mean() == pytest.approx(mask.sum() / side**2, rel=1e-4)


def test_lying_standing_and_mirrored_ones_differ() -> None:
    bar = np.ones((8, 2), dtype=bool)
    assert silhouette_spread([silhouette(bar), silhouette(bar.T)]) == pytest.approx(1 - 1 / 7)  # of 4 : 1
    corner = np.tri(8, dtype=bool)
    assert silhouette_spread([silhouette(corner), silhouette(corner[:, ::-1])]) > 0.4
    apart = np.eye(2, dtype=bool)
    assert silhouette_spread([silhouette(apart), silhouette(~apart)]) == 1


def test_a_smaller_side_means_over_the_area() -> None:
    found = silhouette(np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=bool), side=1)
    assert found.tolist() == [[pytest.approx(4 / 9)]]


def test_nothing_has_no_silhouette_and_one_has_no_spread() -> None:
    with pytest.raises(InputError, match="empty"):
        silhouette(np.zeros((3, 3), dtype=bool))
    with pytest.raises(InputError, match="two or more"):
        silhouette_spread([silhouette(np.ones((2, 2), dtype=bool))])
