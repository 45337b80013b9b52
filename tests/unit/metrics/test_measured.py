"""Quantities with intervals: differences, draws, the smallest of several, and p."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from dominance.metrics import bootstrap_mean, t_interval
from dominance.metrics.intervals import exact_interval
from dominance.metrics.measured import (
    Measured,
    chance,
    of_area,
    of_clusters,
    of_difference,
    of_draws,
    of_medians,
    of_paired_medians,
    of_rate,
    of_rates,
    smallest,
)
from dominance.records import Rate


def test_p_is_where_the_interval_just_reaches_the_threshold() -> None:
    measured = of_rate(18, 20)
    p = chance(measured, 0.5)
    low, _ = exact_interval(18, 20, 1 - p)
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


def _wrong(measure: Callable[[np.random.Generator], Measured], threshold: float, level: float, tries: int) -> float:
    """How often something is decided although the threshold is the truth."""
    rng = np.random.default_rng(0)
    ends = (measure(rng) for _ in range(tries))
    return sum(
        one.least <= level and not low <= threshold <= high
        for one in ends
        for low, high in (one.at(1 - level),)
    ) / tries  # fmt: skip


@pytest.mark.parametrize("level", [0.05, 0.0017])
@pytest.mark.parametrize("units", [5, 6, 8, 12])
def test_few_units_decide_by_chance_as_seldom_as_is_claimed(units: int, level: float) -> None:
    """The first level is that of a verdict, the second Holm's first of thirty claims."""
    tries = 600
    allowed = level + 4 * (level / tries) ** 0.5

    def normal(rng: np.random.Generator) -> list[float]:
        return rng.normal(size=units).tolist()

    assert _wrong(lambda rng: of_clusters([[value] for value in normal(rng)]), 0, level, tries) < allowed
    assert _wrong(lambda rng: of_difference(normal(rng), normal(rng)), 0, level, tries) < allowed
    labels = [False] * units + [True] * units
    assert (
        _wrong(lambda rng: of_area(normal(rng) + normal(rng), labels), 0.5, level, 150)
        < level + 4 * (level / 150) ** 0.5
    )


@pytest.mark.parametrize("units", [5, 6, 8, 12])
def test_a_share_of_few_decides_by_chance_at_most_as_often_as_is_claimed(units: int) -> None:
    for level in (0.05, 0.0017):
        ends = [of_rate(count, units).at(1 - level) for count in range(units + 1)]
        for share in (0.3, 0.5, 0.634):
            wrong = [count for count, (low, high) in enumerate(ends) if not low <= share <= high]
            assert sum(math.comb(units, k) * share**k * (1 - share) ** (units - k) for k in wrong) <= level


def test_p_of_few_units_is_never_below_what_they_can_give() -> None:
    assert chance(of_clusters([[1.0]] * 5), 0) == 2 / 2**5
    assert chance(of_clusters([[1.0]] * 6), 0) == 2 / 2**6
    assert chance(of_area([0, 0, 0, 1, 1, 1], [False] * 3 + [True] * 3), 0.5) >= 2 / 20
    assert chance(of_difference([0.0] * 5, [1.0] * 6), 0) == 2 / 462
    assert chance(of_medians([0.0] * 5, [1.0] * 6), 0) == 2 / 462
    assert chance(of_paired_medians([0.0] * 7, [1.0] * 7), 0) == 2 / 2**7
    assert chance(of_rates(Rate(0, 6, None), Rate(6, 6, None)), 0) >= 2 / 924
    assert chance(of_rate(6, 6), 0.5) == pytest.approx(2 / 2**6, rel=0.01)
    assert [of_clusters([[1.0]] * count).enough for count in (5, 6)] == [False, True]
    assert not smallest([of_clusters([[1.0]] * 6)] * 2).enough  # since one of two is decided twice as often


def test_few_units_have_students_interval_and_many_the_bootstraps() -> None:
    values = [12.0, -3.0, 55.0, 80.0, 71.0, 40.0]
    assert of_clusters([[value] for value in values]).interval == pytest.approx(t_interval(values))
    assert of_clusters([[value] for value in values], most=60).interval[1] == 60
    many = [[value] for value in values * 5]
    assert of_clusters(many).interval == bootstrap_mean(many)
    assert t_interval(values * 5) == pytest.approx(bootstrap_mean(many), abs=1)


def test_of_a_share_it_is_known_what_any_outcome_could_show() -> None:
    none, every = (of_rate(3, 10).extremes or pytest.fail("none"))(0.95)
    assert (none, every) == (of_rate(0, 10).interval, of_rate(10, 10).interval)
    both = smallest([of_rate(3, 10), of_rate(3, 40)]).extremes
    assert both is not None
    assert both(0.95) == ((0.0, of_rate(0, 40).at(0.975)[1]), (every[0], 1.0))
    assert smallest([of_rate(3, 10), of_clusters([[1.0]] * 9)]).extremes is None
    assert of_rate(2.5, 10).interval == (of_rate(2, 10).interval[0], of_rate(3, 10).interval[1])


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
