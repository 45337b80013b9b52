import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import mann_whitney, ranks
from dominance.metrics.ranks import mean_ranks


def test_rank_test_against_a_published_example() -> None:
    """The ages in the documentation of scipy.stats.mannwhitneyu: U = 17 of 20 pairs, exact p = 14/126."""
    found = mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
    assert found.u == pytest.approx(17)
    assert found.p_value == pytest.approx(14 / 126)
    assert found.effect == pytest.approx(0.7)
    assert found.n == (5, 4)


def test_rank_test_by_hand() -> None:
    """Two against two have six orders; U is 0, 1, 2, 2, 3, 4."""
    assert mann_whitney([1, 2], [3, 4]).p_value == pytest.approx(2 / 6)
    assert mann_whitney([1, 3], [2, 4]).p_value == pytest.approx(4 / 6)
    assert mann_whitney([1, 4], [2, 3]).p_value == 1.0


def test_where_counting_ends_the_approximation_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.5, 1, 30), rng.normal(size=30)
    exact = mann_whitney(first, second)
    assert sum(exact.n) == ranks.MOST_EXACT
    monkeypatch.setattr(ranks, "MOST_EXACT", 0)
    approximate = mann_whitney(first, second)
    assert exact.p_value != approximate.p_value == pytest.approx(exact.p_value, rel=0.05)


@pytest.mark.parametrize(("n", "decidable"), [((3, 4), False), ((4, 4), True), ((2, 7), False), ((2, 8), True)])
def test_the_least_p_of_so_few_decides_whether_they_can_differ(n: tuple[int, int], decidable: bool) -> None:
    test = mann_whitney(np.arange(n[0]), 100 + np.arange(n[1]))
    assert (test.decidable, test.p_value < 0.05) == (decidable, decidable)


def test_rank_test_with_ties_and_with_nothing_but_ties() -> None:
    """Of 9 pairs 1 is above and 4 tie: U = 3. Two ties of three: z = (1.5 − 0.5) / √(9/12 · (7 − 48/30)) = 0.497."""
    found = mann_whitney([1, 1, 2], [1, 2, 2])
    assert found.u == pytest.approx(3)
    assert found.p_value == pytest.approx(0.6192, abs=1e-4)
    assert mann_whitney([1, 1], [1, 1]).p_value == 1.0


def test_ranks_count_an_item_as_often_as_it_stands() -> None:
    """5 5 9 has ranks 1.5 1.5 3; with 5 once and 9 three times, 1 and 3."""
    values, weights = np.array([5.0, 5.0, 9.0]), np.array([[1, 1, 1], [1, 0, 3]])
    assert mean_ranks(values, weights).tolist() == [[1.5, 1.5, 3.0], [1.0, 1.0, 3.0]]


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([1.0], [float("nan")])])
def test_what_has_no_rank_test_is_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(InputError, match="one or more each"):
        mann_whitney(first, second)
