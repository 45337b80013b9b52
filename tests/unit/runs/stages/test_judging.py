"""The stage that asks the judge: only what is open, every answer kept, no unanswered question counted."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dominance.errors import ModelError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.settings import GenerationSettings
from dominance.records import Answer, Question
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.judging import ask_judge, judge_for, unanswered
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan

YES = ScriptedJudge(lambda image, question: 0.9)


@pytest.fixture
def made(plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings) -> Plan:
    """The plan, its images made."""
    make_images(plan.images, plain_model(), settings, ledger, run_folder, BatchSize(8))
    return plan


def ask(plan: Plan, judge: Any, ledger: Ledger, folder: Path, batch: int = 4) -> int:
    waiting = unanswered(plan, ledger, folder)
    ask_judge(waiting, plan, judge, ledger, batch)
    return sum(len(questions) for _, _, questions in waiting)


def test_every_question_about_every_image_is_asked_once(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    assert ask(made, YES, ledger, run_folder) == 3 * 10 + 3 * 5
    answers = ledger.answers("scripted")
    for image in made.images:
        prompt = next(prompt for prompt in made.suite.prompts if prompt.id == image.prompt_id)
        assert set(answers[image.item]) == {question.text for question in made.asked_about(prompt)}
    assert unanswered(made, ledger, run_folder) == []


def test_another_judge_is_asked_everything_anew(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    ask(made, YES, ledger, run_folder)
    other = dataclasses.replace(made, judge_identity="other")
    assert ask(other, YES, ledger, run_folder) == 45
    assert ledger.answers("scripted") == ledger.answers("other")


def test_an_unanswered_question_is_recorded_and_it_alone_is_asked_again(
    made: Plan, ledger: Ledger, run_folder: Path
) -> None:
    silent = ScriptedJudge(lambda image, question: None if (question.concept, question.grade) == ("mug", 2) else 0.2)
    ask(made, silent, ledger, run_folder)
    pairs = [image.item for image in made.images if image.prompt_id == "pair"]
    assert ledger.failures() == dict.fromkeys(pairs, "the judge gave no answer")
    assert all(len(ledger.answers("scripted")[item]) == 9 for item in pairs)
    assert ask(made, YES, ledger, run_folder) == 3
    assert ledger.failures() == {}


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -0.1, 1.5])
def test_what_is_no_probability_is_unscored_and_never_a_no(
    made: Plan, ledger: Ledger, run_folder: Path, nonsense: float
) -> None:
    ask(made, ScriptedJudge(lambda image, question: nonsense), ledger, run_folder)
    assert ledger.answers("scripted") == {}
    assert len(ledger.failures()) == 6
    assert all(str(nonsense) in message for message in ledger.failures().values())


def test_an_unreadable_image_fails_alone_and_is_tried_again(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    cut, gone = made.images[1], made.images[3]
    whole = (run_folder / cut.file).read_bytes()
    (run_folder / cut.file).write_bytes(whole[:-30])
    kept = (run_folder / gone.file).rename(run_folder / "aside.png")
    ask(made, YES, ledger, run_folder)
    failures = ledger.failures()
    assert set(failures) == {cut.item, gone.item}
    assert "cannot be read" in failures[cut.item]
    assert failures[gone.item].endswith("no longer exists")
    (run_folder / cut.file).write_bytes(whole)
    kept.rename(run_folder / gone.file)
    assert ask(made, YES, ledger, run_folder) == 15
    assert ledger.failures() == {}


def test_an_image_that_breaks_the_judge_fails_alone(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    def script(image: Image.Image, question: Question) -> float:
        pixel = image.getpixel((0, 0))
        if pixel == (1, len("a lamp"), 2):
            raise ZeroDivisionError("nothing to see\nhere")
        return 0.7

    ask(made, ScriptedJudge(script), ledger, run_folder, batch=6)
    broken = next(image for image in made.images if (image.prompt_id, image.seed) == ("lamp", 1))
    assert ledger.failures() == {broken.item: "ZeroDivisionError: nothing to see here"}
    assert set(ledger.answers("scripted")) == {image.item for image in made.images} - {broken.item}


def test_answers_that_do_not_match_the_questions_are_not_kept(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    class Hasty(ScriptedJudge):
        def answer(self, images: Sequence[Any], questions: Sequence[Sequence[Question]]) -> list[tuple[Answer, ...]]:
            return [answers[:-1] for answers in super().answer(images, questions)]

    ask(made, Hasty(lambda image, question: 0.9), ledger, run_folder)
    assert ledger.answers("scripted") == {}
    assert "the judge gave 4 answers to 5 questions" in ledger.failures().values()


def test_a_judge_that_cannot_understand_is_refused_before_it_is_asked(plan: Plan) -> None:
    class Foreign(ScriptedJudge):
        def check(self, questions: Sequence[Question]) -> None:
            raise ModelError(f"does not understand {questions[0].text!r}")

    with pytest.raises(ModelError, match="landmark tower"):
        judge_for(plan.questions, Foreign(lambda image, question: None), "cpu")
    assert judge_for(plan.questions, YES, "cpu") is YES
