"""Similarity and quality from embeddings, against scikit-learn and scipy."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics.pairwise import cosine_similarity

from dominance.errors import InputError
from dominance.metrics.image_text import cosines, least_concept, photo_quality


def drawn(seed: int, rows: int, channels: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, channels)).astype(np.float32)


def test_cosines_are_those_of_scikit_learn_whatever_the_lengths() -> None:
    images, texts = drawn(0, 7) * 30, drawn(1, 5) * 0.01
    assert cosines(images, texts) == pytest.approx(cosine_similarity(images, texts), abs=1e-6)
    assert np.abs(cosines(images, images)).max() <= 1


def test_the_least_concept_is_the_smallest_of_each_row() -> None:
    assert least_concept(np.array([[0.3, 0.1, 0.2], [0.0, 0.4, -0.4]])).tolist() == [0.1, -0.4]


def test_quality_is_the_softmax_over_the_two_texts() -> None:
    good, bad = np.random.default_rng(2).uniform(-1, 1, (2, 9))
    expected = softmax(100 * np.stack([good, bad]), axis=0)[0]
    assert photo_quality(good, bad) == pytest.approx(expected, abs=1e-12)
    assert photo_quality(good, bad, 7.5) == pytest.approx(softmax(7.5 * np.stack([good, bad]), axis=0)[0], abs=1e-12)
    assert photo_quality(np.array([1.0, -1.0]), np.array([-1.0, 1.0]), 1e6).round(6).tolist() == [1.0, 0.0]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="16 and 8 channels; take both from one encoder"):
        cosines(drawn(0, 2), drawn(1, 2, 8))
    with pytest.raises(InputError, match="has no direction"):
        cosines(np.zeros((1, 4)), drawn(0, 1, 4))
    with pytest.raises(InputError, match="similarity is over no concept"):
        least_concept(np.zeros((2, 0)))
    with pytest.raises(InputError, match="a number above 0"):
        photo_quality(np.zeros(1), np.zeros(1), 0.0)
