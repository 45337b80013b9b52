import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import roc_auc, roc_auc_interval, youden_threshold


def test_area_by_hand() -> None:
    """Of 3 × 2 pairs, 4 are in order and 1 is a tie: 4.5 of 6."""
    assert roc_auc([3, 2, 1, 2, 0.5], [True, True, True, False, False]) == pytest.approx(4.5 / 6)


def test_area_of_order_disorder_and_no_order() -> None:
    labels = [True, True, False, False]
    assert roc_auc([4, 3, 2, 1], labels) == 1.0
    assert roc_auc([1, 2, 3, 4], labels) == 0.0
    assert roc_auc([5, 5, 5, 5], labels) == 0.5


def test_area_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 6, 60), rng.random(60) < 0.4
    above = scores[labels][:, None] - scores[~labels][None, :]
    assert roc_auc(scores, labels) == pytest.approx(((above > 0) + (above == 0) / 2).mean())


def test_interval_against_the_published_standard_error() -> None:
    """Hanley & McNeil (1982), equation 2, for one area of 0.89 among 100 items."""
    rng = np.random.default_rng(1)
    labels = np.arange(100) < 50
    scores = rng.normal(0, 1, 100) + 1.7 * labels
    area = roc_auc(scores, labels)
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    error = ((area * (1 - area) + 49 * (first - area**2) + 49 * (second - area**2)) / 2500) ** 0.5
    low, high = roc_auc_interval(scores, labels)
    assert (low, high) == roc_auc_interval(scores, labels)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.25)
    assert low < area < high


def test_images_of_one_prompt_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    labels = (np.arange(20) < 10).repeat(10)
    scores = (rng.normal(0, 1, 20) + (np.arange(20) < 10)).repeat(10)
    apart, together = roc_auc_interval(scores, labels), roc_auc_interval(scores, labels, list(np.arange(200) // 10))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_resamples_of_one_kind_are_left_out() -> None:
    assert roc_auc_interval([1.0, 0.0], [True, False], resamples=50) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1, 2], [True, True], "2 of 2 items are positive"),
        ([1, 2], [False, False], "0 of 2 items are positive"),
        ([], [], "give both kinds"),
        ([1], [True, False], "1 scores but 2 labels; give one of each per item"),
        ([1, float("nan")], [True, False], "not a finite number"),
    ],
)
def test_what_has_no_area_is_refused(scores: list[float], labels: list[bool], message: str) -> None:
    for measure in (roc_auc, youden_threshold, roc_auc_interval):
        with pytest.raises(InputError, match=message):
            measure(scores, labels)


def test_threshold_by_hand() -> None:
    """Above 0.3: both positives and one of three negatives; above 0.55: one positive, no negative."""
    scores, labels = [0.4, 0.7, 0.1, 0.2, 0.45], [True, True, False, False, False]
    assert youden_threshold(scores, labels) == pytest.approx(0.3)
    assert youden_threshold([0.5, 0.5], [True, False]) == 0.5


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    assert youden_threshold([0.0, 1.0, 2.0, 3.0], [False, True, False, True]) == pytest.approx(2.5)
