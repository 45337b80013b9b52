from collections.abc import Sequence
from dataclasses import replace

import pytest

from dominance.records import Answer, Concept, Gate, JudgeWarning, Prompt, PromptResult, Question, ScoredImage
from dominance.runs.stages.gate import judge_gate, let_pass
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt

TOWER, MUG, LAMP = Concept("tower", "landmark"), Concept("mug"), Concept("lamp")
PAIR = Prompt("tower-mug", "a tower and a mug", (TOWER, MUG), "entity-object")
THREE = Prompt("three", "a tower, a mug and a lamp", (TOWER, MUG, LAMP))
ALONE = Prompt("alone", "a mug", (MUG,))


def answers(concept: Concept, yes: int | None, questions: int = 5) -> list[Answer]:
    asked = [Question(concept.name, f"{concept.name} {grade}?", grade) for grade in range(1, questions + 1)]
    if yes is None:
        return [Answer(question, None, None, "the judge timed out") for question in asked]
    return [Answer(q, index < yes, 0.9 if index < yes else 0.1) for index, q in enumerate(asked)]


def image(prompt: Prompt, counts: Sequence[int | None], name: str = "0") -> ScoredImage:
    given = [a for concept, yes in zip(prompt.concepts, counts, strict=True) for a in answers(concept, yes)]
    return score_image(prompt, name, "images/x.png", given)


@pytest.mark.parametrize(
    ("counts", "verdict", "dvd", "dominating"),
    [
        ((5, 5), "balanced", 0, None),
        ((3, 3), "balanced", 24, None),
        ((5, 3), "balanced", 40, "tower"),
        ((5, 0), "collapsed", 100, "tower"),
        ((0, 5), "collapsed", 100, "mug"),
        ((3, 2), "collapsed", 36, "tower"),
        ((2, 3), "collapsed", 36, "mug"),
        ((0, 0), "lost", 0, None),
        ((2, 2), "lost", 24, None),
        ((2, 0), "collapsed", 40, "tower"),
        ((1, 0), "lost", 20, "tower"),
    ],
)
def test_an_image_of_two_concepts(counts: tuple[int, int], verdict: str, dvd: float, dominating: str | None) -> None:
    scored = image(PAIR, counts)
    assert scored.verdict == verdict
    assert scored.dvd == pytest.approx(dvd)
    assert scored.dominating == dominating


def test_three_concepts_take_the_largest_of_all_ordered_pairs() -> None:
    scored = image(THREE, (5, 4, 1))
    assert len(scored.pairs) == 6
    assert scored.pairs["tower", "lamp"] == pytest.approx(80)
    assert scored.pairs["lamp", "tower"] == 0
    assert (scored.dvd, scored.dominating, scored.dominated) == (pytest.approx(80), "tower", "lamp")
    assert scored.verdict == "collapsed"


def test_one_concept_has_presence_but_no_dvd() -> None:
    present, absent = image(ALONE, (3,)), image(ALONE, (2,))
    assert (present.dvd, present.verdict) == (None, "balanced")
    assert (absent.dvd, absent.verdict) == (None, "lost")
    result = score_prompt(ALONE, [present, absent])
    assert result.dvd_mean is None
    assert result.dvd_interval is None
    assert result.presence["mug"].share == 0.5


def test_an_unanswered_question_leaves_the_image_unscored_and_says_why() -> None:
    scored = image(PAIR, (5, None))
    assert scored.verdict is None
    assert scored.dvd is None
    assert scored.problem == "the judge timed out"
    assert scored.yes == {"tower": 5, "mug": None}
    result = score_prompt(PAIR, [scored, image(PAIR, (5, 0))])
    assert (result.scored, result.collapsed, len(result.images)) == (1, 1, 2)
    assert result.presence["mug"].n == 1


def test_an_answer_is_doubtful_between_a_quarter_and_three_quarters() -> None:
    def doubtful(p_yes: float | None) -> bool:
        return Answer(Question("mug", "mug?", 1), True, p_yes).doubtful

    assert [p for p in (None, 0.0, 0.25, 0.251, 0.5, 0.749, 0.75, 1.0) if doubtful(p)] == [0.251, 0.5, 0.749]


def test_images_that_hang_on_doubtful_answers_are_counted_by_verdict() -> None:
    def judged(p_yes: Sequence[float]) -> ScoredImage:
        mug = [Answer(a.question, p >= 0.5, p) for a, p in zip(answers(MUG, 0), p_yes, strict=True)]
        return score_image(PAIR, "0", "x", [*answers(TOWER, 5), *mug])

    present, absent, sure = (
        judged((0.9, 0.8, 0.6, 0.1, 0)),
        judged((0.9, 0.8, 0.4, 0.3, 0)),
        judged((0.6, 0.6, 0, 0, 0)),
    )
    assert (present.verdict, present.could_be, present.doubtful) == ("balanced", ("collapsed",), ("mug",))
    assert (absent.verdict, absent.could_be, absent.doubtful) == ("collapsed", ("balanced",), ("mug",))
    assert (sure.verdict, sure.hangs, sure.doubtful) == ("collapsed", False, ())
    unscored = image(PAIR, (5, None))
    assert (unscored.hangs, unscored.doubtful) == (False, ())
    result = score_prompt(PAIR, [present, absent, absent, sure, unscored])
    assert result.hanging == {"balanced": 1, "collapsed": 2, "lost": 0, "mixed": 0}
    hard = [Answer(a.question, a.yes) for a in present.answers]
    assert score_prompt(PAIR, [score_image(PAIR, "0", "x", hard), unscored]).hanging is None


def test_soft_score_is_the_sum_of_probabilities_and_absent_without_them() -> None:
    assert image(PAIR, (5, 0)).soft_dvd == pytest.approx(4.5 * (5 - 0.5) / 25 * 100)
    hard = [Answer(a.question, a.yes) for a in [*answers(TOWER, 5), *answers(MUG, 0)]]
    assert score_image(PAIR, "0", "x", hard).soft_dvd is None


def test_a_prompt_is_dominated_from_seven_of_ten_in_one_direction() -> None:
    def verdict(towers: int, mugs: int, both: int) -> str | None:
        images = [image(PAIR, c) for c in [(5, 0)] * towers + [(0, 5)] * mugs + [(5, 5)] * both]
        return score_prompt(PAIR, images).verdict

    assert verdict(7, 0, 3) == "dominance"
    assert verdict(6, 4, 0) == "mixed"
    assert verdict(0, 7, 3) == "dominance"
    assert verdict(0, 3, 7) == "balanced"
    assert verdict(6, 0, 4) == "mixed"
    assert verdict(0, 0, 0) is None


def test_with_three_concepts_a_direction_counts_wherever_it_collapses() -> None:
    """Castle over book and castle over chair collapse in every image, whichever is the larger."""
    result = score_prompt(THREE, [image(THREE, (5, 0, 1)), image(THREE, (5, 1, 0))] * 5)
    assert result.verdict == "dominance"
    assert result.dominating == "tower"


def test_what_is_present_is_not_dominated() -> None:
    result = score_prompt(THREE, [image(THREE, (5, 3, 0), str(seed)) for seed in range(10)])
    assert set(result.images[0].collapses) == {("tower", "lamp"), ("mug", "lamp")}
    assert (result.verdict, result.presence["mug"].count, result.presence["lamp"].count) == ("dominance", 10, 0)
    turns = [image(THREE, (5, 3, 0) if seed % 2 else (5, 0, 3), str(seed)) for seed in range(10)]
    assert score_prompt(THREE, turns).verdict == "mixed"  # mug and lamp vanish in turn: no direction has seven of ten


def test_groups_cluster_by_prompt_and_name_the_nameless_by_kind() -> None:
    one = score_prompt(PAIR, [image(PAIR, (5, 0))] * 4)
    other = score_prompt(THREE, [image(THREE, (5, 5, 5))] * 4)
    first, second = score_groups([one, other])
    assert (first.name, first.scored, first.dvd_mean) == ("entity-object", 4, 100.0)
    assert second.name == THREE.group_name == "landmark–object–object"
    assert second.collapsed.count == 0


def test_the_gate_fails_closed_and_names_the_prompt() -> None:
    collapsed = score_prompt(PAIR, [image(PAIR, (5, 0))] * 3 + [image(PAIR, (5, 5))])
    alone = score_prompt(ALONE, [image(ALONE, (5,))] * 2)
    assert judge_gate(Gate(max_collapse=0.75), [collapsed, alone]).passed
    assert judge_gate(
        Gate(max_collapse=0.58), [score_prompt(PAIR, [image(PAIR, c) for c in 29 * [(5, 0)] + 21 * [(5, 5)]])]
    ).passed
    failed = judge_gate(Gate(max_collapse=0.7), [collapsed, alone])
    assert not failed.passed
    assert "tower-mug: 3 of 4 images collapse, tower dominating" in failed.reason
    assert list(failed.failures) == ["tower-mug"]
    vanished = judge_gate(Gate(min_presence=0.5), [collapsed, alone])
    assert "mug is present in 1 of 4 images" in vanished.reason


def test_the_gate_fails_when_nothing_or_too_little_was_scored() -> None:
    nothing = score_prompt(PAIR, [image(PAIR, (None, None))])
    some = score_prompt(PAIR, [image(PAIR, (5, 5))] * 9 + [image(PAIR, (None, 5))])
    assert judge_gate(Gate(max_collapse=1.0), [nothing]).reason == "nothing was scored: 0 of 1 images"
    assert not judge_gate(Gate(max_collapse=1.0), [some]).passed
    assert judge_gate(Gate(max_collapse=1.0, max_unscored=0.1), [some]).passed
    assert not judge_gate(Gate(max_collapse=1.0, max_unscored=0.5), [some, nothing]).passed
    assert not judge_gate(Gate(max_collapse=1.0), []).passed


def test_the_gate_names_every_reason_of_every_prompt() -> None:
    both = prompt_with(PAIR, ((5, 0), 8), ((0, 0), 2))
    three = prompt_with(THREE, ((5, 5, 0), 10))
    judged = judge_gate(Gate(max_collapse=0.2, min_presence=0.9), [both, prompt_with(ALONE, ((5,), 10)), three])
    assert judged.reason == f"2 of 3 prompts fail: {'; '.join(judged.failures.values())}"
    assert judged.failures == {
        "tower-mug": "tower-mug: 8 of 10 images collapse, tower dominating (limit 20%); tower is present in 8 of 10"
        " images (at least 90% required); mug is present in 0 of 10 images (at least 90% required)",
        "three": "three: 10 of 10 images collapse, mug dominating in 10, tower in 10 (limit 20%);"
        " lamp is present in 0 of 10 images (at least 90% required)",
    }
    assert judged.run_failures == ()


def test_the_gate_s_line_names_a_few_of_many_prompts() -> None:
    many = [prompt_with(replace(PAIR, id=f"p{place}"), ((5, 0), 4)) for place in range(7)]
    judged = judge_gate(Gate(max_collapse=0.2), many)
    assert judged.reason == "7 of 7 prompts fail: " + "; ".join(
        [*(f"p{place}: 4 of 4 images collapse, tower dominating (limit 20%)" for place in range(3)), "and 4 more"]
    )
    assert list(judged.failures) == [f"p{place}" for place in range(7)]


def test_a_prompt_without_an_image_fails_and_says_so() -> None:
    judged = judge_gate(Gate(max_collapse=1.0), [prompt_with(PAIR, ((5, 5), 4)), score_prompt(THREE, [])])
    assert judged.failures == {"three": "three: it has no images"}


UNFIT = JudgeWarning("another world", "the judge was made for others")
SEEMING = JudgeWarning("always yes", "all labels say yes", unfit=False)


def test_an_unfit_judge_fails_the_gate_whatever_it_says() -> None:
    good = [prompt_with(PAIR, ((5, 5), 10))]
    judged = judge_gate(Gate(max_collapse=1.0), good, [UNFIT])
    assert (judged.passed, judged.reason, judged.failures) == (False, UNFIT.says, {})
    assert judged.run_failures == (UNFIT.says,)
    assert judge_gate(Gate(max_collapse=1.0), good, [SEEMING]).passed


def test_an_unfit_judge_can_be_allowed_which_the_gate_says() -> None:
    good, bad = prompt_with(PAIR, ((5, 5), 10)), prompt_with(PAIR, ((5, 0), 10))
    judged = judge_gate(Gate(max_collapse=0.2), [good], [UNFIT], allow_unfit_judge=True)
    assert judged.passed
    assert judged.reason.endswith(
        "10 images scored; --allow-unfit-judge let it pass although the judge was made for others"
    )
    assert not judge_gate(Gate(max_collapse=0.2), [bad], [UNFIT], allow_unfit_judge=True).passed


def test_reasons_of_the_run_come_first() -> None:
    some = prompt_with(PAIR, ((5, 0), 9), ((None, 5), 1))
    judged = judge_gate(Gate(max_collapse=0.2), [some], [UNFIT])
    assert judged.run_failures == (UNFIT.says, "1 of 10 images are unscored (limit 0%)")
    assert judged.reason.startswith(f"{UNFIT.says}; and 1 of 10 images are unscored (limit 0%); and 1 of 1 prompts")


def prompt_with(prompt: Prompt, *counts: tuple[Sequence[int | None], int]) -> PromptResult:
    """A prompt of so many images with these counts of yes."""
    return score_prompt(prompt, [image(prompt, yes) for yes, times in counts for _ in range(times)])


def test_an_unscored_image_hides_no_prompts_failure_of_the_gate() -> None:
    bad, most = prompt_with(PAIR, ((5, 0), 10)), prompt_with(THREE, ((5, 5, 5), 9), ((5, 5, None), 1))
    judged = judge_gate(Gate(max_collapse=0.2), [bad, most])
    assert judged.reason == (
        "1 of 20 images are unscored (limit 0%); and 1 of 2 prompts fail:"
        " tower-mug: 10 of 10 images collapse, tower dominating (limit 20%)"
    )
    assert list(judged.failures) == ["tower-mug"]
    held = judge_gate(Gate(max_collapse=1.0), [most])
    assert (held.reason, held.failures) == ("1 of 10 images are unscored (limit 0%)", {})


def test_each_dominator_of_a_failed_gate_has_its_own_count() -> None:
    both = judge_gate(Gate(max_collapse=0.2), [prompt_with(PAIR, ((0, 5), 6), ((5, 0), 4))])
    assert "10 of 10 images collapse, mug dominating in 6, tower in 4 (limit 20%)" in both.reason
    two_over_one = judge_gate(Gate(max_collapse=0.2), [prompt_with(THREE, ((5, 4, 0), 2), ((5, 5, 5), 2))])
    assert "2 of 4 images collapse, mug dominating in 2, tower in 2 (" in two_over_one.reason


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (Gate(max_collapse=0.996), "(limit 99.6%)"),
        (Gate(max_collapse=0.29), "(limit 29%)"),
        (Gate(min_presence=0.005), "(at least 0.5% required)"),
        (Gate(max_collapse=1.0, min_presence=0.0), "(collapse at most 100%, every concept present in at least 0%)"),
    ],
)
def test_limits_are_told_as_they_were_given(gate: Gate, said: str) -> None:
    assert said in judge_gate(gate, [prompt_with(PAIR, ((5, 0), 10))]).reason


def test_a_limit_of_unscored_images_is_told_as_it_was_given() -> None:
    half = prompt_with(PAIR, ((5, 5), 1), ((5, None), 1))
    assert judge_gate(Gate(max_collapse=1.0, max_unscored=0.004), [half]).reason.endswith("(limit 0.4%)")


ADVICE = "; --max-collapse alone does not catch this: give --min-presence too"


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([(PAIR, (0, 0), 10), (ALONE, (0,), 10)], "2 of 2 prompts show none of their concepts in most images"),
        ([(PAIR, (0, 0), 7), (ALONE, (5,), 10)], "1 of 2 prompts shows none of its concepts in most images"),
        (
            [(THREE, (2, 2, 2), 10), (PAIR, (5, 0), 10)],
            "1 of 2 prompts shows none of its concepts in most images, 1 of 2 prompts lacks a concept in most images",
        ),
        ([(PAIR, (5, 5), 10), (ALONE, (5,), 10)], None),
    ],
)
def test_a_limit_on_collapse_alone_says_what_it_lets_pass(
    images: list[tuple[Prompt, tuple[int, ...], int]], said: str | None
) -> None:
    prompts = [prompt_with(prompt, (counts, times)) for prompt, counts, times in images]
    judged = judge_gate(Gate(max_collapse=1.0), prompts)
    assert judged.passed
    assert let_pass(Gate(max_collapse=1.0), prompts) == (said and said + ADVICE)
    assert judged.reason.endswith(f"; but {said}{ADVICE}" if said else "images scored")
    assert let_pass(Gate(max_collapse=1.0, min_presence=0.0), prompts) is None


def test_what_fails_the_gate_is_not_let_pass() -> None:
    prompts = [prompt_with(PAIR, ((5, 0), 10)), prompt_with(ALONE, ((0,), 10))]
    assert (
        let_pass(Gate(max_collapse=0.2), prompts) == f"1 of 2 prompts shows none of its concepts in most images{ADVICE}"
    )
    assert not judge_gate(Gate(max_collapse=0.2), prompts).passed
