"""When to give up what is half made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dominance.errors import InputError
from dominance.metrics import abort_threshold, cost_ratio, usable_cost

ITEMS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=20)


@given(ITEMS, st.sampled_from([0.1, 0.4, 0.9]), st.sampled_from([0.0, 0.05, 0.3]))
def test_no_allowed_threshold_is_cheaper(items: list[tuple[int, bool]], spent: float, most: float) -> None:
    items = [*items, (10, True)]
    scores, usable = np.array([float(s) for s, _ in items]), np.array([good for _, good in items])
    chosen = abort_threshold(scores, usable, spent, most)
    assert (scores[usable] < chosen).mean() <= most
    for other in np.arange(-0.5, 21, 0.5):
        if (scores[usable] < other).mean() <= most:
            cost = usable_cost(scores, usable, chosen, spent)
            assert cost <= usable_cost(scores, usable, other, spent) + 1e-9


def test_costs_by_hand() -> None:
    scores, usable = np.array([0.1, 0.2, 0.6, 0.8]), np.array([False, False, True, True])
    assert usable_cost(scores, usable, 0.0, 0.4) == 2.0
    assert usable_cost(scores, usable, 0.4, 0.4) == pytest.approx(1.4)
    assert usable_cost(scores, usable, 1.0, 0.4) == float("inf")


def test_what_cannot_be_chosen_from_is_refused() -> None:
    with pytest.raises(InputError, match="no item is usable"):
        abort_threshold([0.1, 0.2], [False, False], 0.4, 0.05)
    with pytest.raises(InputError, match="not a finite number"):
        abort_threshold([0.1, float("nan")], [False, True], 0.4, 0.05)


def test_a_ratio_of_costs_by_hand_and_its_interval_over_clusters() -> None:
    ratio, interval = cost_ratio([(50, 1), (100, 1)], [(200, 1), (400, 0)])
    assert ratio == pytest.approx((150 / 2) / (600 / 1))
    assert interval is not None
    assert interval[0] == 0.0  # the second way may gain nothing
    assert interval[1] == pytest.approx(50 / 200)
    assert cost_ratio([(50, 1)], [(100, 1)]) == (0.5, None)
    for first, second in (([(1, 0)], [(1, 1)]), ([(1, 1)], [(1, 0)]), ([], []), ([(1, 1)], [])):
        with pytest.raises(InputError):
            cost_ratio(first, second)
