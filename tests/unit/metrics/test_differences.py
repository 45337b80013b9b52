"""Differences and their intervals."""

import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import mean_difference, paired_rate_difference, rate_difference
from dominance.metrics import rate as counted
from dominance.metrics.differences import difference_of_intervals
from dominance.metrics.intervals import alike_rate
from dominance.records import Rate


def rate(count: int, n: int) -> Rate:
    return Rate(count, n, None)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # Newcombe (1998), table II, method 10, with its signs turned: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/20.
        ((48, 80), (56, 70), (0.2000, 0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.6000, 0.1705, 0.8090)),
        ((0, 20), (10, 10), (1.0000, 0.6791, 1.0000)),
    ],
)
def test_published_intervals(first, second, expected):
    difference, (low, high) = rate_difference(rate(*first), rate(*second))
    assert (difference, low, high) == pytest.approx(expected, abs=6e-5)


def test_joined_intervals_are_those_of_the_rates_where_these_are_wilsons():
    joined = difference_of_intervals(counted(48, 80), counted(56, 70))
    assert joined == rate_difference(rate(48, 80), rate(56, 70))
    few = difference_of_intervals(alike_rate(48, 80, 8), alike_rate(56, 70, 7))
    assert few[0] == joined[0] and few[1][0] < joined[1][0] < joined[1][1] < few[1][1]
    with pytest.raises(InputError, match="over no images"):
        difference_of_intervals(counted(48, 80), rate(0, 0))


def test_a_difference_turns_its_sign_with_its_sides():
    there, (low, high) = rate_difference(rate(2, 10), rate(9, 12))
    back, (back_low, back_high) = rate_difference(rate(9, 12), rate(2, 10))
    assert (back, back_low, back_high) == pytest.approx((-there, -high, -low))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        # Newcombe (1998), paired data, method 10, with its signs turned: 36 both, 12 and 2 on one side only.
        ((36, 12, 2, 0), (-0.2, -0.3404, -0.0569)),
        # By hand: Wilson's ends of 4/4 and 0/4 are 0.5101 and 0.4899; sqrt(0.4899² + 0.4899²) = 0.6928.
        ((0, 4, 0, 0), (-1.0, -1.0, -0.3072)),
        ((0, 0, 4, 0), (1.0, 0.3072, 1.0)),
    ],
)
def test_paired_intervals(pairs, expected):
    difference, (low, high) = paired_rate_difference(*pairs)
    assert (difference, low, high) == pytest.approx(expected, abs=6e-5)


def test_pairs_that_agree_are_more_certain_than_rates_apart():
    _, (low, high) = paired_rate_difference(10, 2, 2, 10)
    _, (apart_low, apart_high) = rate_difference(rate(12, 24), rate(12, 24))
    assert apart_low < low < 0 < high < apart_high


def test_paired_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    for n in (4, 10, 40):
        drawn = rng.multinomial(n, [0.5, 0.2, 0.1, 0.2], size=1500)
        ends = [paired_rate_difference(*map(int, counts))[1] for counts in drawn]
        assert np.mean([low <= -0.1 <= high for low, high in ends]) > 0.93


def test_means_of_samples_that_do_not_vary_differ_for_certain():
    assert mean_difference([1.0, 1.0], [4.0] * 3) == (3.0, (3.0, 3.0))
    difference, (low, high) = mean_difference([0, 100] * 5, [36] * 10)
    assert low < difference == -14 < high
    assert mean_difference([0, 1], [2, 5]) == mean_difference([0, 1], [2, 5])


def test_nothing_has_no_difference():
    with pytest.raises(InputError):
        rate_difference(rate(0, 0), rate(1, 2))
    with pytest.raises(InputError):
        mean_difference([], [1.0])
    with pytest.raises(InputError):
        paired_rate_difference(0, 0, 0, 0)
