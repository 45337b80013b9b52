"""Answers from probabilities."""

import pytest
from PIL import Image

from dominance.judges.protocol import ScriptedJudge, as_answer
from dominance.records import Question

QUESTION = Question("mug", "Is there a mug?", 1)
OTHER = Question("lamp", "Is there a lamp?", 1)


@pytest.mark.parametrize(("p_yes", "yes"), [(0.0, False), (0.4999, False), (0.5, True), (1.0, True)])
def test_one_half_and_more_counts_as_yes(p_yes: float, yes: bool) -> None:
    answer = as_answer(QUESTION, p_yes)
    assert (answer.yes, answer.p_yes, answer.problem) == (yes, p_yes, None)


@pytest.mark.parametrize("p_yes", [None, float("nan"), float("inf"), -0.01, 1.01])
def test_what_is_no_probability_is_unscored_and_says_why(p_yes: float | None) -> None:
    answer = as_answer(QUESTION, p_yes)
    assert (answer.yes, answer.p_yes) == (None, None)
    assert answer.problem


def test_a_scripted_judge_answers_each_image_its_own_questions() -> None:
    judge = ScriptedJudge(lambda image, question: image.width / 10 if question.concept == "mug" else None)
    images = [Image.new("RGB", (2, 2)), Image.new("RGB", (8, 8))]
    first, second = judge.answer(images, [(QUESTION,), (OTHER, QUESTION)])
    assert [answer.yes for answer in first] == [False]
    assert [answer.yes for answer in second] == [None, True]
    assert [answer.question for answer in second] == [OTHER, QUESTION]
