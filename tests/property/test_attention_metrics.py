"""What holds of the attention metrics whatever the attention."""

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from dominance.metrics import (
    attention_deviation,
    attention_entropy,
    concept_attention,
    deviation_change,
    focus_score,
    interval_edges,
    mann_whitney,
    peak_token,
    roc_auc,
    youden_threshold,
)
from dominance.metrics.focus import ENTROPY_FLOOR

ATTENTION = st.integers(2, 9).flatmap(
    lambda count: arrays(np.float64, count, elements=st.floats(0, 1, width=32, allow_subnormal=False))
).map(torch.from_numpy)  # fmt: skip
SCALES = st.floats(1e-3, 1e3)


def close(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(ATTENTION, SCALES)
def test_focus_scales_with_the_attention_and_entropy_and_peak_do_not(attention, scale):
    assert close(focus_score(scale * attention), scale * focus_score(attention))
    assert close(attention_entropy(scale * attention), attention_entropy(attention))
    assert close(attention_deviation(scale * attention, 0), scale * attention_deviation(attention, 0))


@settings(deadline=None)
@given(ATTENTION, st.randoms(use_true_random=False))
def test_the_order_of_tokens_does_not_matter(attention, random):
    order = list(range(len(attention)))
    random.shuffle(order)
    moved = attention[order]
    assert close(focus_score(moved), focus_score(attention))
    assert close(attention_entropy(moved), attention_entropy(attention))
    assert moved[peak_token(moved)] == attention[peak_token(attention)]
    for place, token in enumerate(order):
        assert close(attention_deviation(moved, place), attention_deviation(attention, token))


@settings(deadline=None)
@given(ATTENTION)
def test_bounds(attention):
    focus, entropy = focus_score(attention), attention_entropy(attention)
    assert -1e-12 <= float(entropy) <= math.log2(len(attention)) + 1e-9
    assert -1e-12 <= float(focus) <= float(attention.max()) / ENTROPY_FLOOR + 1e-9
    assert float(focus_score(torch.full_like(attention, 0.3))) < 1e-9


@settings(deadline=None)
@given(ATTENTION)
def test_deviations_of_single_tokens_cancel(attention):
    assert abs(sum(float(attention_deviation(attention, place)) for place in range(len(attention)))) < 1e-9


@settings(deadline=None)
@given(ATTENTION, st.integers(1, 8))
def test_changes_add_up_to_the_whole_change(attention, intervals):
    changes = deviation_change(attention, interval_edges(len(attention), intervals))
    assert close(changes.sum(), attention[-1] - attention[0])


@settings(deadline=None)
@given(ATTENTION)
def test_concepts_that_part_the_tokens_part_the_attention(attention):
    halves = [list(range(0, len(attention), 2)), list(range(1, len(attention), 2))]
    assert close(concept_attention(attention, halves).sum(), attention.sum())
    assert close(concept_attention(attention, halves, pooled="max").max(), attention.max())


LABELLED = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=30).filter(
    lambda items: len({label for _, label in items}) == 2
)


@settings(deadline=None)
@given(LABELLED)
def test_area_mirrors_and_keeps_under_any_rising_function(items):
    scores, labels = np.array([float(score) for score, _ in items]), np.array([label for _, label in items])
    area = roc_auc(scores, labels)
    assert math.isclose(roc_auc(-scores, labels), 1 - area, abs_tol=1e-12)
    assert math.isclose(roc_auc(scores, ~labels), 1 - area, abs_tol=1e-12)
    assert math.isclose(roc_auc(np.exp(scores), labels), area, abs_tol=1e-12)
    test = mann_whitney(scores[labels], scores[~labels])
    assert math.isclose(test.effect, 2 * area - 1, abs_tol=1e-12)
    assert math.isclose(test.p_value, mann_whitney(scores[~labels], scores[labels]).p_value, abs_tol=1e-12)
    assert 0 <= test.p_value <= 1


@settings(deadline=None)
@given(LABELLED)
def test_no_threshold_does_better_than_youdens(items):
    scores, labels = np.array([float(score) for score, _ in items]), np.array([label for _, label in items])

    def gain(threshold):
        return (scores[labels] >= threshold).mean() - (scores[~labels] >= threshold).mean()

    best = gain(youden_threshold(scores, labels))
    between = [low + 0.5 for low in np.unique(scores)[:-1]]
    assert all(gain(threshold) <= best + 1e-12 for threshold in between)
