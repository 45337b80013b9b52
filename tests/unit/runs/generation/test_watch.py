"""The judge's look in the middle of a call of one's own pipeline."""

import copy
from typing import Any, cast

import diffusers
import numpy as np
import pytest
from tiny_families import draw, tiny

from dominance.errors import InputError, ItemError
from dominance.judges.protocol import ScriptedJudge
from dominance.runs.generation.watch import watch
from dominance.runs.stages.counting import counted

PROMPT = "a [tower:landmark] and a [mug]"
TEXT = ["a tower and a mug"]
YES = ScriptedJudge(lambda image, question: 1.0)
NO = ScriptedJudge(lambda image, question: float(question.concept == "tower"))


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux"])
def test_a_call_that_will_fail_ends_at_the_look(family: str) -> None:
    pipeline = tiny(family)
    plain = draw(pipeline, TEXT, steps=5)
    with watch(pipeline, PROMPT, YES, threshold=0.5, height=16, width=24) as watched:
        assert np.array_equal(draw(pipeline, TEXT, steps=5, callback_on_step_end=watched), plain)
        assert (watched.given_up, watched.scores) == (False, [1.0])
        assert watched.pictures[0].size == (24, 16)
    with watch(pipeline, PROMPT, NO, threshold=0.5, height=16, width=24) as watched, counted(pipeline) as count:
        draw(pipeline, TEXT, steps=5, callback_on_step_end=watched)
        whole = 10 if family in ("sd1", "sdxl", "sd3") else 5
        assert (watched.given_up, watched.scores, count()) == (True, [0.0], 0.4 * whole)
        draw(pipeline, TEXT, steps=1, callback_on_step_end=watched)  # of a single step nothing can be saved
        assert (watched.given_up, watched.scores) == (False, [])
    assert "step" not in vars(cast(Any, pipeline).scheduler)
    assert np.array_equal(draw(pipeline, TEXT, steps=5), plain)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of numpy, about diffusers
def test_a_call_that_is_watched_draws_its_seed_s_noise() -> None:
    pipeline = copy.copy(cast(Any, tiny("sd1")))
    pipeline.scheduler = diffusers.EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config)
    plain = draw(pipeline, TEXT, steps=5)
    with watch(pipeline, PROMPT, YES, threshold=0.5) as watched:
        assert np.array_equal(draw(pipeline, TEXT, steps=5, callback_on_step_end=watched), plain)
    assert watched.scores == [1.0]


def test_a_call_of_several_images_goes_on_for_one_of_them() -> None:
    pipeline, asked = tiny("sd1"), iter([0.0] * 5 + [1.0] * 5)
    judge = ScriptedJudge(lambda image, question: 1.0 if question.concept == "tower" else next(asked))
    with watch(pipeline, PROMPT, judge, threshold=0.5) as watched:
        draw(pipeline, TEXT * 2, steps=5, callback_on_step_end=watched)
    assert (watched.given_up, watched.scores) == (False, [0.0, 1.0])


def test_a_model_without_a_threshold_is_named_what_makes_one() -> None:
    with (
        pytest.raises(InputError, match="find it out by `dominance calibrate RUN --early`"),
        watch(tiny("sd1"), PROMPT, YES),
    ):
        pass


def test_a_picture_that_the_judge_cannot_see_has_no_score_and_is_finished() -> None:
    def blind(*_: object) -> float:
        raise ItemError("such a picture cannot be seen")

    pipeline = tiny("sd1")
    with watch(pipeline, PROMPT, ScriptedJudge(blind), threshold=0.5) as watched:
        draw(pipeline, TEXT, steps=5, callback_on_step_end=watched)
    assert (watched.given_up, watched.scores) == (False, [None])
