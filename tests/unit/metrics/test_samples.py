import pytest

from dominance.errors import InputError
from dominance.metrics import grouped_folds, held_out_splits


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
    with pytest.raises(InputError, match=r"1 group\(s\) in 1 fold\(s\); give two or more of each"):
        grouped_folds(["a"] * 4, [True, False] * 2)
    with pytest.raises(InputError, match="give two or more of each"):
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
