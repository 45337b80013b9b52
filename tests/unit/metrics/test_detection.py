import numpy as np
import pytest

from dominance.errors import InputError
from dominance.metrics import grouped_folds, held_out_splits, mann_whitney, roc_auc, roc_auc_interval, youden_threshold


def test_area_by_hand() -> None:
    """Of 3 × 2 pairs, 4 are in order and 1 is a tie: 4.5 of 6."""
    assert roc_auc([3, 2, 1, 2, 0.5], [True, True, True, False, False]) == pytest.approx(4.5 / 6)


def test_area_of_order_disorder_and_no_order() -> None:
    labels = [True, True, False, False]
    assert roc_auc([4, 3, 2, 1], labels) == 1.0
    assert roc_auc([1, 2, 3, 4], labels) == 0.0
    assert roc_auc([5, 5, 5, 5], labels) == 0.5


def test_area_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 6, 60), rng.random(60) < 0.4
    above = scores[labels][:, None] - scores[~labels][None, :]
    assert roc_auc(scores, labels) == pytest.approx(((above > 0) + (above == 0) / 2).mean())


def test_interval_against_the_published_standard_error() -> None:
    """Hanley & McNeil (1982), equation 2, for one area of 0.89 among 100 items."""
    rng = np.random.default_rng(1)
    labels = np.arange(100) < 50
    scores = rng.normal(0, 1, 100) + 1.7 * labels
    area = roc_auc(scores, labels)
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    error = ((area * (1 - area) + 49 * (first - area**2) + 49 * (second - area**2)) / 2500) ** 0.5
    low, high = roc_auc_interval(scores, labels)
    assert (low, high) == roc_auc_interval(scores, labels)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.25)
    assert low < area < high


def test_images_of_one_prompt_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    labels = (np.arange(20) < 10).repeat(10)
    scores = (rng.normal(0, 1, 20) + (np.arange(20) < 10)).repeat(10)
    apart, together = roc_auc_interval(scores, labels), roc_auc_interval(scores, labels, list(np.arange(200) // 10))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_resamples_of_one_kind_are_left_out() -> None:
    assert roc_auc_interval([1.0, 0.0], [True, False], resamples=50) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1, 2], [True, True], "2 of 2 items are positive"),
        ([1, 2], [False, False], "0 of 2 items are positive"),
        ([], [], "give both kinds"),
        ([1], [True, False], "one label a score"),
        ([1, float("nan")], [True, False], "not a finite number"),
    ],
)
def test_what_has_no_area_is_refused(scores: list[float], labels: list[bool], message: str) -> None:
    for measure in (roc_auc, youden_threshold, roc_auc_interval):
        with pytest.raises(InputError, match=message):
            measure(scores, labels)


def test_threshold_by_hand() -> None:
    """Above 0.3: both positives and one of three negatives; above 0.55: one positive, no negative."""
    scores, labels = [0.4, 0.7, 0.1, 0.2, 0.45], [True, True, False, False, False]
    assert youden_threshold(scores, labels) == pytest.approx(0.3)
    assert youden_threshold([0.5, 0.5], [True, False]) == 0.5


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    assert youden_threshold([0.0, 1.0, 2.0, 3.0], [False, True, False, True]) == pytest.approx(2.5)


def test_rank_test_against_a_published_example() -> None:
    """The ages in the documentation of scipy.stats.mannwhitneyu: U = 17 of 20 pairs, asymptotic p = 0.1113."""
    found = mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
    assert found.u == pytest.approx(17)
    assert found.p_value == pytest.approx(0.1113, abs=5e-5)
    assert found.effect == pytest.approx(0.7)
    assert found.n == (5, 4)


def test_rank_test_with_ties_and_with_nothing_but_ties() -> None:
    """Of 9 pairs 1 is above and 4 tie: U = 3. Two ties of three: z = (1.5 − 0.5) / √(9/12 · (7 − 48/30)) = 0.497."""
    found = mann_whitney([1, 1, 2], [1, 2, 2])
    assert found.u == pytest.approx(3)
    assert found.p_value == pytest.approx(0.6192, abs=1e-4)
    assert mann_whitney([1, 1], [1, 1]).p_value == 1.0


def test_folds_never_part_a_group_and_share_the_positives_out() -> None:
    groups = [place // 3 for place in range(60)]
    labels = [group % 4 == 0 for group in groups]
    splits = grouped_folds(groups, labels, folds=5, seed=3)
    assert len(splits) == 5
    assert sorted(place for _, test in splits for place in test) == list(range(60))
    for train, test in splits:
        assert not {groups[place] for place in train} & {groups[place] for place in test}
        assert len(train) + len(test) == 60
        assert len(test) == 12
        assert sum(labels[place] for place in test) == 3


def test_folds_follow_their_seed_and_are_no_more_than_groups() -> None:
    labels = [True, False] * 6
    groups = list("abcdefghijkl")
    assert len(grouped_folds(groups[:2] * 6, labels, folds=10)) == 2
    first, again = (grouped_folds(groups, labels, 3, seed=1) for _ in range(2))
    assert [list(test) for _, test in first] == [list(test) for _, test in again]
    with pytest.raises(InputError, match="two of each or more"):
        grouped_folds(["a"] * 4, [True, False] * 2)
    with pytest.raises(InputError, match="two of each or more"):
        grouped_folds([], [])


def test_what_is_scored_shares_no_trait_with_what_is_fitted_on() -> None:
    traits = [frozenset(pair) for pair in ("ab", "ac", "bc", "cd", "ba", "ef")]
    splits = held_out_splits(traits)
    assert sorted(place for _, test in splits for place in test) == list(range(6))
    for train, test in splits:
        assert not {trait for place in train for trait in traits[place]} & {t for place in test for t in traits[place]}
    assert [list(part) for part in splits[0]] == [[3, 5], [0, 4]]
    with pytest.raises(InputError, match="shares a trait"):
        held_out_splits([frozenset("ab"), frozenset("bc")])
    with pytest.raises(InputError, match="no trait"):
        held_out_splits([frozenset("ab"), frozenset()])
