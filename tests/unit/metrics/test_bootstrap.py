import numpy as np
import pytest

from dominance.metrics import bootstrap
from dominance.metrics.bootstrap import percentile_interval, resampled


def test_each_resample_draws_as_many_clusters_as_there_are() -> None:
    drawn = resampled(lambda weights: weights.sum(1).astype(float), 7, resamples=30)
    assert drawn.tolist() == [7.0] * 30


def test_every_cluster_is_drawn_as_often_as_every_other() -> None:
    mean = [resampled(lambda weights, own=own: weights[:, own].astype(float), 4).mean() for own in range(4)]
    assert mean == pytest.approx([1.0] * 4, abs=0.03)


@pytest.mark.parametrize("width", [0, 40])
def test_what_is_drawn_does_not_depend_on_how_much_fits_at_once(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def first(weights: np.ndarray) -> np.ndarray:
        sizes.append(len(weights))
        return weights[:, 0].astype(float)

    whole = resampled(first, 5, resamples=100, width=width)
    monkeypatch.setattr(bootstrap, "_MOST_NUMBERS", 120)
    parts = resampled(first, 5, resamples=100, width=width)
    assert parts.tolist() == whole.tolist()
    assert sizes[0] == 100 and max(sizes[1:]) == 120 // max(5, width)


def test_a_generator_goes_on_where_it_was_and_a_seed_starts_again() -> None:
    rng = np.random.default_rng(3)
    one, other, again = (resampled(lambda weights: weights[:, 0].astype(float), 9, 50, seed) for seed in (rng, rng, 3))
    assert one.tolist() == again.tolist() != other.tolist()


def test_a_statistic_may_leave_draws_out() -> None:
    found = resampled(lambda weights: weights[weights[:, 0] > 0, 0].astype(float), 2, resamples=400)
    assert 200 < len(found) < 400 and found.min() == 1


def test_the_interval_leaves_as_much_below_as_above() -> None:
    assert percentile_interval(np.arange(101.0), 0.9) == pytest.approx((5, 95))
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25, 975))
