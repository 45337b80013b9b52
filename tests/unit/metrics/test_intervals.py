from math import comb

import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import bootstrap_mean, rate, t_interval, wilson_interval
from dominance.metrics.intervals import exact_interval, exact_rate


def test_wilson_against_published_values() -> None:
    """Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for count, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(count, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_stays_within_0_and_1_and_mirrors() -> None:
    for n in (1, 3, 10, 1000):
        for count in {0, 1, n // 2, n}:
            low, high = wilson_interval(count, n)
            assert 0 <= low <= count / n <= high <= 1
            mirrored = wilson_interval(n - count, n)
            assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


@pytest.mark.parametrize(("count", "n"), [(0, 0), (2, 1), (-1, 5)])
def test_what_is_no_rate_is_refused(count: int, n: int) -> None:
    with pytest.raises(InputError, match="is not a rate"):
        wilson_interval(count, n)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.8])
def test_the_exact_interval_holds_a_share_that_was_tried_until_there_was_enough(share: float) -> None:
    """Over every way in which trying can end: with the fourth success, or after 30 candidates."""
    wanted, most = 4, 30
    ends = [(wanted, n, comb(n - 1, wanted - 1)) for n in range(wanted, most + 1)]
    ends += [(count, most, comb(most, count)) for count in range(wanted)]
    chances = [ways * share**count * (1 - share) ** (n - count) for count, n, ways in ends]
    assert sum(chances) == pytest.approx(1)
    covered = [low <= share <= high for low, high in (exact_interval(count, n) for count, n, _ in ends)]
    assert sum(chance for chance, holds in zip(chances, covered, strict=True) if holds) >= 0.95


def test_the_exact_interval_of_none_and_of_all_is_one_sided() -> None:
    assert exact_interval(0, 10) == (0.0, pytest.approx(1 - 0.025**0.1))
    assert exact_interval(10, 10) == (pytest.approx(0.025**0.1), 1.0)
    assert exact_rate(0, 0).interval is None
    with pytest.raises(InputError, match="is not a rate"):
        exact_interval(1, 0)


def test_a_rate_of_nothing_has_no_interval_and_no_share() -> None:
    assert rate(0, 0).interval is None
    assert rate(0, 0).share is None


def test_bootstrap_is_repeatable_and_covers_the_mean() -> None:
    clusters = [[float(v)] for v in np.random.default_rng(1).normal(10, 2, 200)]
    low, high = bootstrap_mean(clusters)
    assert (low, high) == bootstrap_mean(clusters)
    mean = np.mean(clusters)
    standard_error = np.std(clusters) / np.sqrt(200)
    assert low == pytest.approx(mean - 1.96 * standard_error, abs=0.05)
    assert high == pytest.approx(mean + 1.96 * standard_error, abs=0.05)


def test_values_that_share_a_cluster_widen_the_interval() -> None:
    values = np.random.default_rng(2).normal(0, 1, 10).repeat(10)
    apart = bootstrap_mean([[v] for v in values])
    together = bootstrap_mean([list(values[i : i + 10]) for i in range(0, 100, 10)])
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_empty_clusters_are_left_out_and_nothing_is_refused() -> None:
    assert bootstrap_mean([[1.0], [], [1.0]]) == (1.0, 1.0)
    with pytest.raises(InputError, match="no values; give at least one"):
        bootstrap_mean([[], []])


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (8, 2.306), (30, 2.042), (200, 1.972)]
)
def test_student_against_published_quantiles(freedom: int, quantile: float) -> None:
    """Fisher & Yates (1963), table III, 5%; the units have a standard deviation of 1."""
    n = freedom + 1
    units = np.random.default_rng(n).normal(size=n)
    units = (units - units.mean()) / units.std(ddof=1) + 7
    low, high = t_interval(units.tolist()) or (0.0, 0.0)
    assert (high - low) / 2 * n**0.5 == pytest.approx(quantile, abs=1e-3)
    assert (low + high) / 2 == pytest.approx(7)


@pytest.mark.slow
def test_of_six_student_holds_the_mean_as_often_as_it_says_and_the_bootstrap_does_not() -> None:
    rng = np.random.default_rng(0)
    held = [[low <= 0 <= high for low, high in both(rng.normal(size=6).tolist())] for _ in range(1000)]
    student, bootstrap = np.mean(held, axis=0)
    assert student == pytest.approx(0.95, abs=0.015)
    assert bootstrap < 0.9


def both(units: list[float]) -> list[tuple[float, float]]:
    return [t_interval(units) or (0.0, 0.0), bootstrap_mean([[unit] for unit in units], resamples=400)]


def test_one_unit_has_no_spread_and_none_no_mean() -> None:
    assert t_interval([4.0]) is None
    with pytest.raises(InputError, match="no values; give at least one"):
        t_interval([])
