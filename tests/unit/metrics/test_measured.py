"""Quantities with intervals: differences, draws, the smallest of several, and p."""

import numpy as np
import pytest

from dominance.metrics import wilson_interval
from dominance.metrics.measured import (
    Measured,
    chance,
    of_clusters,
    of_difference,
    of_draws,
    of_medians,
    of_paired_medians,
    of_rate,
    smallest,
)


def test_p_is_where_the_interval_just_reaches_the_threshold() -> None:
    measured = of_rate(18, 20)
    p = chance(measured, 0.5)
    low, _ = wilson_interval(18, 20, 1 - p)
    assert low == pytest.approx(0.5, abs=0.005)
    assert p < 0.05
    assert chance(of_rate(10, 20), 0.5) > 0.9
    assert chance(Measured(1.0, lambda _: (0.9, 1.1), 20), 0.0) == pytest.approx(1e-4)


def test_p_below_five_percent_is_the_same_as_an_interval_that_leaves_the_threshold_out() -> None:
    rng = np.random.default_rng(0)
    for shift in np.linspace(-1.0, 1.0, 9):
        measured = of_clusters([[value] for value in rng.normal(shift, 1.0, 12)])
        low, high = measured.interval
        decided = low > 0 or high < 0
        assert decided == (chance(measured, 0.0) < 0.05)


def test_differences_are_second_less_first_and_the_smaller_group_counts() -> None:
    few, many = [1.0, 2.0, 3.0], [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    for measured in (of_difference(few, many), of_medians(few, many)):
        assert measured.value > 0
        assert measured.interval[0] > 0
        assert measured.n == 9
        assert not measured.enough
    assert of_medians(many, many).enough


def test_draws_that_are_no_numbers_are_left_out() -> None:
    draws = np.array([np.nan, *np.linspace(0, 1, 101)])
    low, high = of_draws(0.5, draws, 20).interval
    assert 0 < low < 0.05 < 0.95 < high < 1


def test_pairs_stay_together() -> None:
    before = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    paired = of_paired_medians(before, [value - 5 for value in before])
    assert paired.value == -5
    assert paired.interval == (-5, -5)
    assert of_medians(before, [value - 5 for value in before]).interval[1] > 0


def test_the_smallest_lies_above_only_where_all_do_and_below_where_one_does() -> None:
    high, low, mixed = (of_clusters([[value + noise] for noise in (-0.1, 0.0, 0.1) * 4]) for value in (2.0, -2.0, 0.01))
    both = smallest([high, mixed])
    assert both.value == pytest.approx(mixed.value)
    assert both.interval[0] == mixed.interval[0] < 0 < both.interval[1]
    assert both.interval[1] == mixed.at(0.975)[1] > mixed.interval[1]
    assert smallest([high, low]).interval[1] < 0
    assert smallest([high, high]).interval[0] > 0
    assert smallest([high]).interval == high.interval
    few = Measured(0.0, lambda _: (-1.0, 1.0), 3)
    assert not smallest([high, few]).enough
    assert not smallest([high, Measured(0.0, lambda _: (-1.0, 1.0), 30, fewest=3)]).enough
