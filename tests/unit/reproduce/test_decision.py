"""The rule on intervals, p from them, and Holm's correction."""

import numpy as np
import pytest

from dominance.metrics import rate, wilson_interval
from dominance.reproduce.decision import (
    Measured,
    Rule,
    Side,
    chance,
    decide,
    holm,
    of_clusters,
    of_difference,
    of_draws,
    of_medians,
    of_rate,
    of_rates,
)


@pytest.mark.parametrize(
    ("side", "interval", "verdict"),
    [
        ("above", (0.51, 0.9), "reproduced"),
        ("above", (0.1, 0.49), "contradicted"),
        ("above", (0.4, 0.6), "undecided"),
        ("above", (0.5, 0.9), "undecided"),
        ("below", (0.1, 0.49), "reproduced"),
        ("below", (0.51, 0.9), "contradicted"),
        ("below", (0.4, 0.6), "undecided"),
    ],
)
def test_the_interval_decides(side: Side, interval: tuple[float, float], verdict: str) -> None:
    assert decide(Rule("a share", 0.5, side, "share"), interval) == verdict


def test_a_rule_says_what_it_does() -> None:
    words = Rule("share of prompts", 0.05, "above", "share").words
    assert words.startswith("share of prompts; reproduced where its 95% interval lies above 5%, contradicted")


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
    rule = Rule("a mean", 0.0, "above", "measure")
    for shift in np.linspace(-1.0, 1.0, 9):
        measured = of_clusters([[value] for value in rng.normal(shift, 1.0, 12)])
        decided = decide(rule, measured.interval) != "undecided"
        assert decided == (chance(measured, 0.0) < 0.05)


def test_holm_stops_at_the_first_that_fails() -> None:
    assert holm({"a": 0.01, "b": 0.02, "c": 0.04, "d": 0.2}) == {"a"}
    assert holm({"a": 0.01, "b": 0.016, "c": 0.024, "d": 0.2}) == {"a", "b", "c"}
    assert holm({}) == frozenset()


def test_differences_are_second_less_first_and_the_smaller_group_counts() -> None:
    few, many = [1.0, 2.0, 3.0], [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    for measured in (of_difference(few, many), of_medians(few, many)):
        assert measured.value > 0
        assert measured.interval[0] > 0
        assert measured.n == 9
        assert not measured.enough
    assert of_medians(many, many).enough
    rates = of_rates(rate(2, 10), rate(9, 10))
    assert rates.value == pytest.approx(0.7)
    assert rates.interval[0] > 0


def test_draws_that_are_no_numbers_are_left_out() -> None:
    draws = np.array([np.nan, *np.linspace(0, 1, 101)])
    low, high = of_draws(0.5, draws, 20).interval
    assert 0 < low < 0.05 < 0.95 < high < 1
