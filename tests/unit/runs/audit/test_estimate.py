"""What a run would take: counted by image and question, each once, and measured on images that are there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dominance.cli.delivery import tell_estimate
from dominance.documents import from_json, printed, to_json
from dominance.errors import RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.settings import GenerationSettings
from dominance.records import Gate, LeftOut
from dominance.runs.audit.estimate import Estimate, estimate_of
from dominance.runs.audit.result import put_plan
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.one_answer import ENOUGH_CONCEPTS, MOST_PAIRS
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import MeasuringPlan, Plan

YES = ScriptedJudge(lambda image, question: 0.9)


class Remote(ScriptedJudge):
    """Is sent a thousand bytes a pixel row."""

    answer_tokens = 5

    def bytes_sent(self, image: Image.Image) -> int:
        return 1000 * image.height


REMOTE = Remote(YES.script)


def counts(found: Estimate) -> Sequence[int]:
    return (found.images_there, found.images_to_draw, found.questions_answered, found.questions_to_ask)


def test_an_empty_folder_has_everything_to_come(plan: Plan, tmp_path: Path) -> None:
    found = estimate_of(plan, tmp_path / "new", YES)
    assert (found.images, found.questions, counts(found)) == (6, 45, (0, 6, 0, 45))
    assert (found.calls, found.megabytes) == (None, None)
    assert (estimate_of(plan, tmp_path / "new", REMOTE).calls, found.megabytes) == (45, None)
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_taken_off_and_a_lost_image_is_drawn_and_asked_about_again(
    plan: Plan, ledger: Ledger, run_folder: Path, plain_model: Any, settings: GenerationSettings
) -> None:
    put_plan(plan, ledger)
    make_images(plan.images[:4], plain_model(), settings, ledger, run_folder, BatchSize(8))
    found = estimate_of(plan, run_folder, REMOTE)
    assert counts(found) == (4, 2, 0, 45)
    assert (found.calls, found.megabytes, found.measured) == (45, pytest.approx(45 * 0.008), 4)
    ask_judge(unanswered(plan, ledger, run_folder), plan, YES, ledger)
    assert counts(estimate_of(plan, run_folder, REMOTE)) == (4, 2, 35, 10)
    (run_folder / plan.images[0].file).unlink()
    assert counts(estimate_of(plan, run_folder, REMOTE)) == (3, 3, 25, 20)
    assert counts(estimate_of(replace(plan, judge_identity="another"), run_folder, REMOTE)) == (3, 3, 0, 45)


def test_the_work_of_drawing_is_counted_in_denoising_steps(
    plan: Plan, ledger: Ledger, run_folder: Path, plain_model: Any, settings: GenerationSettings
) -> None:
    known = replace(plan, settings=replace(plan.settings, steps=20, guidance=7.5))
    put_plan(known, ledger)
    make_images(plan.images[:4], plain_model(), settings, ledger, run_folder, BatchSize(8))
    found = estimate_of(known, run_folder, YES)
    assert (found.images_to_draw, found.denoising_steps, found.guidance) == (2, 40, 7.5)
    assert estimate_of(plan, run_folder, YES).denoising_steps is None


def test_prompts_that_share_an_image_count_it_once(plan: Plan, tmp_path: Path) -> None:
    twice = replace(plan, images=(*plan.images, *plan.images))
    assert estimate_of(twice, tmp_path, YES) == estimate_of(plan, tmp_path, YES)


def test_what_may_be_asked_about_control_pictures_is_counted_up_to(
    plan: Plan, ledger: Ledger, run_folder: Path, tmp_path: Path
) -> None:
    concepts = len({concept.name for concept in plan.questions})
    most = 5 * (2 * ENOUGH_CONCEPTS + min(concepts, MOST_PAIRS))
    assert estimate_of(plan, tmp_path, YES).control_questions == most
    few = replace(plan, images=plan.images[:1])
    assert estimate_of(few, tmp_path, YES).control_questions == 0, "too few answers to remark on"
    gated = replace(few, suite=replace(plan.suite, gate=Gate(max_collapse=0.5)))
    assert estimate_of(gated, tmp_path, YES).control_questions == 5 * 2 * ENOUGH_CONCEPTS
    people = replace(plan, judge="answers:labels.csv", judge_identity="labels")
    assert estimate_of(people, tmp_path, YES).control_questions == 0, "labels cannot be asked"
    put_plan(gated, ledger)
    ledger.put("judge controls", {plan.judge_identity: {"nothing": [False], "others": None, "sighted": True}})
    assert estimate_of(gated, run_folder, YES).control_questions == 0, "asked already"


def test_images_to_measure_are_counted_where_it_is_asked_for(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert estimate_of(plan, tmp_path, YES).images_to_measure is None
    measured = estimate_of(replace(plan, measuring=MeasuringPlan("clip:a/b", "blip:c/d", "both")), tmp_path, YES)
    assert measured.images_to_measure == 6
    tell_estimate(measured, json=False)
    assert "6 images to measure by clip:a/b and blip:c/d\n" in capsys.readouterr().out


def test_what_would_be_left_out_is_named(plan: Plan, tmp_path: Path) -> None:
    left_out = (LeftOut("grid.png", "is a contact sheet"),)
    assert estimate_of(replace(plan, left_out=left_out), tmp_path, YES).left_out == left_out


def test_the_folder_of_another_suite_is_refused(plan: Plan, ledger: Ledger, run_folder: Path) -> None:
    put_plan(plan, ledger)
    other = replace(plan, suite=replace(plan.suite, name="other"))
    with pytest.raises(RunError, match="holds a run with the suite 'small', not 'other'"):
        estimate_of(other, run_folder, YES)


def test_an_estimate_reads_back(plan: Plan, tmp_path: Path) -> None:
    found = estimate_of(plan, tmp_path, REMOTE)
    assert from_json(Estimate, to_json(found)) == found
    assert printed(found)["questions_to_ask"] == 45
