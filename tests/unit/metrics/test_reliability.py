import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import (
    brier_score,
    calibration_interval,
    chance_error,
    clustered_rate,
    discernment,
    expected_calibration_error,
    held_out_accuracy,
    rate,
    reliability_bins,
)


def drawn(n: int, seed: int, squash: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and truths that are yes less decidedly than they say where ``squash`` is below 1."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.3, 0.3, n)
    return p, rng.random(n) < 0.5 + (p - 0.5) * squash


def test_bins_count_each_answer_once_and_one_belongs_to_the_last() -> None:
    bins = reliability_bins([0.0, 0.05, 0.1, 0.95, 1.0], [False, True, True, True, False])
    assert [found.yes.n for found in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins[0].mean == pytest.approx(0.025)
    assert (bins[0].yes.count, bins[9].yes.count) == (1, 1)
    assert (bins[3].mean, bins[3].yes.share, bins[3].yes.interval) == (None, None, None)
    assert (bins[9].low, bins[9].high) == (0.9, 1.0)


def test_error_by_hand() -> None:
    """Two bins: |0.15 − 1/2| · 2/4 + |0.8 − 1| · 2/4 = 0.275."""
    assert expected_calibration_error([0.1, 0.2, 0.8, 0.8], [True, False, True, True], bins=2) == pytest.approx(0.275)


def test_a_judge_that_is_sure_and_right_has_no_error_and_one_that_is_wrong_has_all() -> None:
    truth = [True, False, True, False]
    assert expected_calibration_error([1, 0, 1, 0], truth) == 0.0
    assert expected_calibration_error([0, 1, 0, 1], truth) == 1.0
    assert (brier_score([1, 0, 1, 0], truth), brier_score([0, 1, 0, 1], truth)) == (0.0, 1.0)
    assert brier_score([0.5] * 4, truth) == 0.25


def test_the_interval_corrects_what_few_answers_make_too_large() -> None:
    """A known error of 0.1464 (probabilities 1/0.6 too decided): held about nine times in ten at 300 answers."""
    held = 0
    for seed in range(60):
        p, truth = drawn(300, seed, squash=0.6)
        interval = calibration_interval(p, truth, resamples=400)
        assert interval is not None and 0 <= interval[0] <= interval[1] <= 1
        held += interval[0] <= 0.1464 <= interval[1]
    assert held >= 48


def test_answers_about_one_image_widen_the_interval() -> None:
    p, truth = drawn(60, 3, squash=0.5)
    p, truth, images = np.repeat(p, 10), np.repeat(truth, 10), list(np.repeat(np.arange(60), 10))
    alone, together = calibration_interval(p, truth), calibration_interval(p, truth, images)
    assert alone is not None and together is not None
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])
    assert calibration_interval(p, truth, ["one"] * len(p)) is None


def test_a_right_judge_stays_within_chance_and_a_wrong_one_does_not() -> None:
    p, truth = drawn(400, 5)
    low, high = chance_error(p)
    assert 0 < low < expected_calibration_error(p, truth) < high < 0.1
    p, truth = drawn(400, 5, squash=0.4)
    assert expected_calibration_error(p, truth) > chance_error(p)[1]
    assert chance_error([0.0, 1.0]) == (0.0, 0.0)


def test_hits_among_yeses_and_among_noes() -> None:
    found = discernment([True, True, False, False, True], [True, True, True, False, False])
    assert (found.sensitivity.count, found.sensitivity.n) == (2, 3)
    assert (found.specificity.count, found.specificity.n) == (1, 2)
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert discernment([True], [True]).balanced_accuracy is None


def test_answers_about_one_image_count_as_one() -> None:
    alone = clustered_rate([True, False, False, False], range(4))
    assert alone == rate(1, 4)
    five = clustered_rate(np.repeat([True, False, False, False], 5), np.repeat(np.arange(4), 5))
    assert (five.count, five.n, five.interval) == (5, 20, alone.interval)
    assert clustered_rate([False] * 6, [0, 0, 0, 1, 1, 1]).interval == rate(0, 2).interval
    assert clustered_rate([], []) == rate(0, 0)
    grouped = discernment([True, True, False, False], [True, True, True, True], ["a", "a", "b", "b"])
    assert grouped.sensitivity.interval == rate(1, 2).interval


def test_a_threshold_is_tried_on_images_that_it_was_not_chosen_on() -> None:
    images = [f"image {index // 2}" for index in range(40)]
    truth = np.arange(40) % 2 == 0
    assert held_out_accuracy(np.where(truth, 0.3, 0.1), truth, images) == 1.0
    rng = np.random.default_rng(0)
    assert held_out_accuracy(rng.random(40), truth, images) == pytest.approx(0.5, abs=0.25)
    assert held_out_accuracy([0.3, 0.1], [True, False], ["a", "b"]) is None
    assert held_out_accuracy([0.3, 0.1], [True, False], ["a", "a"]) is None


@pytest.mark.parametrize(
    ("p_yes", "truth", "message"),
    [
        ([], [], "one or more"),
        ([0.5], [True, False], "1 probabilities but 2 truths"),
        ([1.5], [True], "a probability is outside 0 to 1"),
        ([float("nan")], [True], "a probability is outside 0 to 1"),
    ],
)
def test_what_is_no_probability_is_refused(p_yes: list[float], truth: list[bool], message: str) -> None:
    for measure in (reliability_bins, expected_calibration_error, brier_score, calibration_interval):
        with pytest.raises(InputError, match=message):
            measure(p_yes, truth)


def test_no_bins_and_foreign_groups_are_refused() -> None:
    with pytest.raises(InputError, match="0 bins"):
        reliability_bins([0.5], [True], bins=0)
    with pytest.raises(InputError, match="1 groups for 2 items"):
        calibration_interval([0.5, 0.6], [True, False], ["a"])
    with pytest.raises(InputError, match="2 answers but 1 truths"):
        discernment([True, False], [True])
