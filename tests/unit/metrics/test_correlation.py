import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import spearman, spearman_chance, spearman_interval


def test_order_reversed_and_order_kept() -> None:
    assert spearman([1, 2, 3, 4], [40, 30, 20, 10]) == -1
    assert spearman([1, 2, 3, 4], [1, 10, 100, 1000]) == 1


def test_ties_share_their_mean_rank() -> None:
    # ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, deviations sqrt(1.5) and sqrt(2)
    assert spearman([5, 5, 9], [1, 2, 3]) == pytest.approx(1.5 / (1.5 * 2) ** 0.5)


def test_a_constant_side_has_no_correlation() -> None:
    assert spearman([1, 1, 1], [1, 2, 3]) is None


def test_fewer_than_two_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="two or more"):
        spearman([1], [2])
    with pytest.raises(InputError, match="two or more"):
        spearman([1, 2], [2])


def test_the_interval_holds_the_value_and_draws_whole_clusters() -> None:
    clusters = [[(0.0, 90.0), (0.5, 50.0), (1.0, 20.0)], [(0.0, 80.0), (0.5, 60.0), (1.0, 70.0)]] * 3
    low, high = spearman_interval(clusters, resamples=500) or (1, -1)
    value = spearman(*zip(*[pair for cluster in clusters for pair in cluster], strict=True))
    assert value is not None
    assert low <= value <= high
    assert low < high


@pytest.mark.parametrize("clusters", [[], [[]], [[(0.0, 1.0)], []]])
def test_an_interval_of_fewer_than_two_pairs_is_refused(clusters: list) -> None:
    with pytest.raises(InputError, match="two or more"):
        spearman_interval(clusters)


def test_no_interval_when_nothing_varies() -> None:
    assert spearman_interval([[(0.0, 1.0), (1.0, 1.0)]], resamples=50) is None


def test_chance_by_hand() -> None:
    """One stratum of three in order: of the six orders two correlate as much, this one and the reverse."""
    assert spearman_chance([[(0.0, 1.0), (0.5, 2.0), (1.0, 3.0)]], shuffles=6000) == pytest.approx(1 / 3, abs=0.02)


def test_strata_that_differ_are_no_correlation_and_what_is_in_each_of_them_is() -> None:
    """Values that depend on the stratum alone, then on the dose alone."""
    doses = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    rng = np.random.default_rng(0)
    apart = [[(dose, place * 50 + rng.random()) for dose in doses] for place in range(4)]
    within = [[(dose, place * 5 - 40 * dose + rng.random()) for dose in doses] for place in range(4)]
    assert (spearman_chance(apart, shuffles=500) or 0) > 0.05
    assert spearman_chance(within, shuffles=500) == 1 / 501
    assert spearman_chance([[(0.0, 1.0), (1.0, 1.0)]]) is None
