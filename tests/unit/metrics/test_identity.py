"""Similarity to references and copies, against hand arithmetic and the properties that they must have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dominance.errors import InputError
from dominance.metrics import copies, recalled, reference_similarity


def at(*degrees: float) -> np.ndarray:
    """Directions in the plane: their cosines are those of the angles between them."""
    turned = np.radians(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1)


def test_similarity_is_the_median_of_medians_beside_what_the_references_have_among_themselves() -> None:
    found = reference_similarity([at(0), at(30, 60)], at(0, 10, 20))
    medians = np.cos(np.radians([10, 20, 50]))
    assert found.median == pytest.approx(np.median(medians), abs=1e-6)
    own = np.sort([np.mean(np.cos(np.radians(pair))) for pair in ((10, 20), (10, 10), (20, 10))])
    assert found.ceiling == pytest.approx(tuple(np.quantile(own, (0.25, 0.5, 0.75))), abs=1e-6)
    assert found.interval is not None
    assert found.interval[0] <= found.median <= found.interval[1]


def test_one_prompt_has_no_interval() -> None:
    assert reference_similarity([at(0, 40)], at(0, 10)).interval is None


def test_the_interval_is_that_of_medians_over_drawn_prompts() -> None:
    """Of two prompts of one image each, a draw holds both or one of them twice."""
    found = reference_similarity([at(0), at(60)], at(0, 0))
    assert found.interval == pytest.approx((0.5, 1.0), abs=1e-6)


def test_a_copy_is_nearer_to_a_reference_than_these_are_to_one_another() -> None:
    assert copies(at(1, 5, 14, 90), at(0, 10, 20)).tolist() == [True, True, True, False]


def test_an_image_is_recalled_that_is_nearer_to_the_references_than_to_every_unseen_set() -> None:
    unseen = [at(40, 42), at(80, 90)]
    assert recalled(at(3, 19, 25, 41, 85), at(0, 10), unseen).tolist() == [True, True, True, False, False]
    nearly_alike = at(0, 1e-3, 2e-3)
    assert not copies(at(5, 8), nearly_alike).any(), "the references' own distances are too small to count anything"
    assert recalled(at(5, 8), nearly_alike, unseen).all()
    with pytest.raises(InputError, match="give at least one set"):
        recalled(at(5), at(0, 10), [])


def test_one_image_in_four_is_recalled_by_chance() -> None:
    rng = np.random.default_rng(0)
    shown, *unseen = rng.normal(size=(4, 30, 6))
    share = recalled(rng.normal(size=(4000, 6)), shown, unseen).mean()
    assert 0.2 < share < 0.3


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 8))
@settings(max_examples=60, deadline=None)
def test_neither_the_length_of_embeddings_nor_the_order_of_references_counts(seed: int, images: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    shown, references = rng.normal(size=(images, 5)), rng.normal(size=(n, 5))
    first = reference_similarity([shown], references)
    scaled = reference_similarity([3 * shown], references[::-1] * rng.uniform(0.5, 2, (n, 1)))
    assert scaled.median == pytest.approx(first.median, abs=1e-5)
    assert scaled.ceiling == pytest.approx(first.ceiling, abs=1e-5)
    assert (copies(shown, references) == copies(7 * shown, references[::-1])).all()
    assert copies(references, references).sum() >= n // 2  # each is its own nearest reference


@pytest.mark.parametrize(("images", "references"), [(0, 2), (1, 1), (1, 0)])
def test_too_few_pictures_are_refused(images: int, references: int) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="give"):
        reference_similarity([rng.normal(size=(images, 3))], rng.normal(size=(references, 3)))
    with pytest.raises(InputError, match="give"):
        copies(rng.normal(size=(images, 3)), rng.normal(size=(references, 3)))
