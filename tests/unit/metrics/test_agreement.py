import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dominance.errors import InputError
from dominance.metrics import Confusion, category_kappa, category_kappa_interval, confusion, kappa_interval


def test_kappa_of_the_textbook_table() -> None:
    """By hand: p_o = 35/50, p_e = (25·30 + 25·20)/50² = 1/2, κ = 0.4."""
    table = Confusion(both_yes=20, only_first=5, only_second=10, neither=15)
    assert (table.n, table.agreed) == (50, 35)
    assert table.kappa == pytest.approx(0.4)


def test_the_answers_are_counted_each_in_its_cell() -> None:
    first, second = [True, True, True, False, False, False], [True, False, False, True, False, False]
    assert confusion(first, second) == Confusion(1, 2, 1, 2)
    assert confusion(second, first) == Confusion(1, 1, 2, 2)


def test_perfect_agreement_and_perfect_contradiction() -> None:
    answers = np.array([True, False] * 5)
    assert confusion(answers, answers).kappa == 1.0
    assert confusion(answers, ~answers).kappa == pytest.approx(-1.0)


@pytest.mark.parametrize("same", [True, False])
def test_judges_that_always_say_the_same_have_no_kappa_and_no_interval(same: bool) -> None:
    answers = [same] * 40
    assert confusion(answers, answers).kappa is None
    assert kappa_interval(answers, answers) is None
    assert confusion([], []).kappa is None


def test_a_judge_that_always_says_yes_agrees_by_chance_alone() -> None:
    assert confusion([True] * 6, [True, False] * 3).kappa == 0.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_kappa_is_at_most_one_symmetric_and_blind_to_which_answer_is_called_yes(answers: list) -> None:
    first, second = np.array(answers, dtype=bool).T
    kappa = confusion(first, second).kappa
    for other in (confusion(second, first).kappa, confusion(~first, ~second).kappa):
        assert (kappa is None) == (other is None)
        if kappa is not None:
            assert -1 - 1e-9 <= kappa <= 1 and other == pytest.approx(kappa)


def simulated(images: int, questions: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers of two judges that err by the image, not by the question."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random(images) < 0.5, questions)
    astray = np.repeat(rng.random(images) < 0.2, questions)
    return truth, truth ^ astray, np.repeat(np.arange(images), questions)


def test_questions_about_one_image_widen_the_interval() -> None:
    first, second, images = simulated(40, 10, 0)
    kappa = confusion(first, second).kappa
    alone, together = kappa_interval(first, second), kappa_interval(first, second, list(images))
    assert alone is not None and together is not None and kappa is not None
    assert together[0] < kappa < together[1]
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
    assert together == kappa_interval(first, second, list(images))
    assert together != kappa_interval(first, second, list(images), seed=1)


def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty() -> None:
    """With y = 1/2 for both and a fifth astray, κ = (0.8 − 0.5) / 0.5 = 0.6."""
    held = 0
    for seed in range(100):
        first, second, images = simulated(60, 3, seed)
        interval = kappa_interval(first, second, list(images), resamples=400)
        assert interval is not None
        held += interval[0] <= 0.6 <= interval[1]
    assert held >= 88


def test_one_image_has_no_interval() -> None:
    assert kappa_interval([True, False], [True, True], ["a", "a"]) is None


def test_unequal_lists_are_refused() -> None:
    with pytest.raises(InputError, match="2 answers of one judge but 1 of the other"):
        confusion([True, False], [True])
    with pytest.raises(InputError, match="1 groups for 2 items"):
        kappa_interval([True, False], [True, True], ["a"])


def test_kappa_of_three_categories() -> None:
    """By hand: p_o = 8/10, p_e = (5·4 + 3·3 + 2·3)/100 = 0.35, κ = 0.45/0.65."""
    first, second = "aaaaabbbcc", "aaaabbbccc"
    assert category_kappa(first, second) == pytest.approx((0.8 - 0.35) / 0.65)
    assert category_kappa("aab", "aab") == 1.0
    assert category_kappa("aa", "aa") is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_kappa_of_two_categories_is_that_of_yes_and_no(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    assert category_kappa(first, second) == pytest.approx(confusion(first, second).kappa)


def test_the_interval_of_categories_holds_kappa_and_draws_whole_groups() -> None:
    rng = np.random.default_rng(0)
    first = rng.choice(list("abc"), 200).tolist()
    second = [one if rng.random() < 0.8 else "a" for one in first]
    groups = [place // 4 for place in range(200)]
    value, interval = category_kappa(first, second), category_kappa_interval(first, second, groups, resamples=500)
    assert interval is not None and value is not None and interval[0] < value < interval[1]
    assert category_kappa_interval(first, second, [0] * 200) is None
    with pytest.raises(InputError, match="give as many of both"):
        category_kappa("aa", "a")
