"""The judging stage with judges that are elsewhere: slow, failing half-way, or knowing images by name alone."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dominance.errors import InputError, ModelError
from dominance.judges.answers.judge import load_answers_judge
from dominance.judges.options import Asking
from dominance.judges.protocol import JudgeStoppedError, ScriptedJudge, as_answer
from dominance.models.settings import GenerationSettings
from dominance.records import Answer, Question
from dominance.run_settings import RunSettings
from dominance.runs.audit.result import result_of
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.judging import (
    ask_judge,
    check_names,
    check_questions,
    judge_for,
    judge_record,
    note_bare_seeds,
    questions_of,
    unanswered,
)
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan

YES = ScriptedJudge(lambda image, question: 0.9)


@dataclasses.dataclass(frozen=True)
class Outside(ScriptedJudge):
    """Takes two images at once, remembers its batches, and does first what ``before`` does."""

    before: Callable[[Sequence[Any], Sequence[Sequence[Question]]], None] = lambda images, questions: None
    batches: list[int] = dataclasses.field(default_factory=list)
    images_at_once: int = 2

    def answer(self, images: Sequence[Any], questions: Sequence[Sequence[Question]]) -> list[tuple[Answer, ...]]:
        self.batches.append(len(images))
        self.before(images, questions)
        return super().answer(images, questions)


def outside(before: Any = lambda images, questions: None, script: Any = YES.script) -> Outside:
    return Outside(script, before=before)


@pytest.fixture
def made(plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings) -> Plan:
    """The plan, its images made."""
    make_images(plan.images, plain_model(), settings, ledger, run_folder, BatchSize(8))
    return plan


def answered(ledger: Ledger) -> int:
    return sum(map(len, ledger.answers("scripted").values()))


def test_a_judge_that_may_fail_is_given_few_images_at_once(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    judge = outside()
    ask_judge(unanswered(made, ledger, run_folder), made, judge, ledger)
    assert judge.batches == [2, 2, 2]
    assert answered(ledger) == 45


def test_a_kill_loses_no_more_than_the_batch_under_way(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    def killed(images: Sequence[Any], questions: object) -> None:
        if len(judge.batches) == 3:
            raise KeyboardInterrupt

    judge = outside(killed)
    waiting = unanswered(made, ledger, run_folder)
    with pytest.raises(KeyboardInterrupt):
        ask_judge(waiting, made, judge, ledger)
    kept = {item for item, _, _ in waiting[:4]}
    assert set(ledger.answers("scripted")) == kept
    assert [item for item, _, _ in unanswered(made, ledger, run_folder)] == [item for item, _, _ in waiting[4:]]


def test_what_one_half_answered_outlasts_the_end_of_the_other(made: Plan, ledger: Ledger, run_folder: Path) -> None:
    def stops(images: Sequence[Image.Image], questions: object) -> None:
        if len(images) > 1:
            raise MemoryError
        if len(judge.batches) == 3:
            raise ModelError("no more of this")

    judge = outside(stops)
    with pytest.raises(ModelError, match="no more of this"):
        ask_judge(unanswered(made, ledger, run_folder), made, judge, ledger)
    assert len(ledger.answers("scripted")) == 1


def test_a_judge_that_stops_half_way_keeps_its_answers_and_the_rest_is_asked_later(
    made: Plan, ledger: Ledger, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stops(images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]) -> None:
        if len(judge.batches) == 2:
            first = tuple(as_answer(question, 0.9) for question in questions[0])
            partly = tuple(
                as_answer(question, 0.9) if place < 3 else Answer(question, None, None, "not asked")
                for place, question in enumerate(questions[1])
            )
            raise JudgeStoppedError("the endpoint is gone", [first, partly])

    judge = outside(stops)
    waiting = unanswered(made, ledger, run_folder)
    with pytest.raises(ModelError, match="the endpoint is gone"):
        ask_judge(waiting, made, judge, ledger)
    lengths = [len(questions) for _, _, questions in waiting]
    kept = sum(lengths[:3]) + 3
    assert answered(ledger) == kept
    assert ledger.failures() == {waiting[3][0]: "not asked"}
    again = unanswered(made, ledger, run_folder)
    assert sum(len(questions) for _, _, questions in again) == sum(lengths) - kept
    ask_judge(again, made, YES, ledger)
    assert ledger.failures() == {}
    assert answered(ledger) == sum(lengths)
    capsys.readouterr()


def test_unscored_images_are_named_with_prompt_and_reason(
    made: Plan, ledger: Ledger, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lamp, pair = made.images[-1], made.images[1]
    (run_folder / lamp.file).write_bytes((run_folder / lamp.file).read_bytes()[:-30])

    def script(image: Image.Image, question: Question) -> float | None:
        return None if image.getpixel((0, 0)) == (1, len(pair.text), 2) else 0.9

    ask_judge(unanswered(made, ledger, run_folder), made, outside(script=script), ledger)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("unscored")]
    assert [line.partition(": the ")[0] for line in sorted(lines)] == [
        "unscored: image 1 of prompt pair",
        "unscored: image 2 of prompt lamp",
    ]
    assert any("cannot be read" in line for line in lines)


def test_many_unscored_images_are_counted_beyond_twenty(
    made: Plan, ledger: Ledger, run_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dominance.runs.stages.judging._MOST_NAMED", 4)
    ask_judge(unanswered(made, ledger, run_folder), made, ScriptedJudge(lambda image, question: None), ledger)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("unscored")]
    assert len(lines) == 5
    assert lines[-1] == "unscored: 2 more images; the report names them all"


def labelled(plan: Plan, folder: Path, name: str = "labels.csv", **changed: str) -> Any:
    """A judge of labels that say: towers are there, mugs and lamps are not."""
    concepts = {prompt.id: [concept.name for concept in prompt.concepts] for prompt in plan.suite.prompts}
    rows = []
    for image in plan.images:
        for concept in concepts[image.prompt_id]:
            label = changed.get(f"{image.prompt_id}{image.name}{concept}", "yes" if concept == "tower" else "no")
            rows.append(f"{image.prompt_id},{image.name},{concept},{label}")
    path = folder / name
    path.write_text("\n".join(["prompt_id,image,concept,present", *[row for row in rows if not row.endswith("gone")]]))
    return load_answers_judge(f"answers:{path}", str(path))


def with_judge(plan: Plan, judge: Any) -> Plan:
    return dataclasses.replace(
        plan, judge=judge.name, judge_identity=judge.identity, questions=questions_of(judge, plan.questions)
    )


def test_labels_of_presence_are_one_question_a_concept_and_score_by_the_same_formula(
    made: Plan, ledger: Ledger, run_folder: Path
) -> None:
    judge = judge_for(made.questions, labelled(made, run_folder, pair1tower="no", pair2mug="yes"), "cpu")
    plan = with_judge(made, judge)
    for image in made.images:
        (run_folder / image.file).unlink()  # a label needs no pixels
    ask_judge(unanswered(plan, ledger, run_folder), plan, judge, ledger)
    pair, lamp = result_of(plan, ledger, run_folder).prompts
    # DvD = C1 (N - C2) / N^2 * 100 with N = 1: all or nothing.
    assert [(image.yes["tower"], image.yes["mug"], image.dvd) for image in pair.images] == [
        (1, 0, 100.0),
        (0, 0, 0.0),
        (1, 1, 0.0),
    ]
    assert [image.verdict for image in pair.images] == ["collapsed", "lost", "balanced"]
    assert pair.images[0].dominating == "tower"
    assert [image.verdict for image in lamp.images] == ["lost"] * 3
    assert pair.presence["tower"].share == pytest.approx(2 / 3)


def test_a_missing_label_leaves_its_image_unscored_and_names_it(
    made: Plan, ledger: Ledger, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = labelled(made, run_folder, pair1mug="gone")
    plan = with_judge(made, judge)
    ask_judge(unanswered(plan, ledger, run_folder), plan, judge, ledger)
    missing = "labels.csv says nothing about 'mug' in image '1' of prompt 'pair'"
    assert f"unscored: image 1 of prompt pair: {missing}\n" in capsys.readouterr().err
    pair, _ = result_of(plan, ledger, run_folder).prompts
    assert [image.problem for image in pair.images] == [None, missing, None]
    mended = labelled(made, run_folder)
    assert mended.identity != judge.identity
    plan = with_judge(made, mended)
    ask_judge(unanswered(plan, ledger, run_folder), plan, mended, ledger)
    assert result_of(plan, ledger, run_folder).unscored == 0


def test_labels_by_seed_alone_are_noted_and_labels_by_file_are_not(
    made: Plan, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_seed = labelled(made, run_folder)
    note_bare_seeds(by_seed, made)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note: the labels in labels.csv name images by seed")
    assert Path(made.images[0].file).name in line
    files = run_folder / "files.csv"
    files.write_text(f"prompt_id,image,concept,present\npair,{Path(made.images[0].file).name},mug,yes\n")
    note_bare_seeds(load_answers_judge(f"answers:{files}", str(files)), made)
    note_bare_seeds(YES, made)
    assert capsys.readouterr().err == ""


def test_questions_that_labels_of_presence_would_not_be_asked_are_refused(plan: Plan, run_folder: Path) -> None:
    judge, given = labelled(plan, run_folder), run_folder / "q.yaml"
    with pytest.raises(
        InputError, match=r"has questions of its own, so those in .*q\.yaml would never be asked; leave out --questions"
    ):
        check_questions(judge, plan.questions, given)
    check_questions(judge, plan.questions, None)
    check_questions(YES, plan.questions, given)


def test_what_would_steer_the_terminal_is_escaped_in_the_reason(
    made: Plan, ledger: Ledger, run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def paint(images: object, questions: object) -> None:
        raise ValueError("image \x1b[31m\x07 too\nlarge")

    ask_judge(unanswered(made, ledger, run_folder), made, outside(paint), ledger)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("unscored")]
    assert all(line.isprintable() for line in lines)
    assert r"image \x1b[31m\x07 too large" in lines[0]


def test_labels_of_what_the_plan_does_not_hold_are_refused_unless_it_is_cut_short(made: Plan, run_folder: Path) -> None:
    judge = labelled(made, run_folder)
    plan = with_judge(made, judge)
    check_names(judge, plan)
    fewer = dataclasses.replace(plan, images=plan.images[:2])
    with pytest.raises(ModelError, match="line 6: the prompt 'pair' has no image '2'"):
        check_names(judge, fewer)
    check_names(judge, dataclasses.replace(fewer, settings=RunSettings(limit=1)))
    check_names(YES, fewer)


def test_a_judge_without_questions_of_its_own_is_asked_the_set_s(plan: Plan, tmp_path: Path) -> None:
    assert questions_of(YES, plan.questions) == plan.questions
    path = tmp_path / "answers.csv"
    path.write_text("prompt_id,image,concept,grade,answer\npair,0,mug,1,yes\n")
    assert questions_of(load_answers_judge("answers", str(path)), plan.questions) == plan.questions


def test_the_manifest_says_how_many_answers_came_with_a_probability(
    made: Plan, ledger: Ledger, run_folder: Path
) -> None:
    judge = labelled(made, run_folder, pair0mug="0.2")
    plan = with_judge(made, judge)
    ask_judge(unanswered(plan, ledger, run_folder), plan, judge, ledger)
    record = judge_record(judge, ledger)
    assert record["answered"] == {"with_p_yes": 1, "yes_or_no_alone": 8}
    assert (record["name"], record["identity"], record["about"]) == (judge.name, judge.identity, "concept")
    assert judge_record(YES, ledger) == {
        "name": "scripted",
        "identity": "scripted",
        "answered": {"with_p_yes": 0, "yes_or_no_alone": 0},
    }


def test_mode_and_options_reach_the_judge_that_is_loaded(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple] = []

    def load(*arguments: str) -> ScriptedJudge:
        asked.append(arguments)
        return YES

    monkeypatch.setattr("dominance.runs.stages.judging.load_judge", load)
    judge_for(plan.questions, "qwen:folder", "cpu")
    judge_for(plan.questions, "qwen:folder", "cpu", Asking(judge_mode="official", judge_option=("a.b=1",)))
    assert asked == [("qwen:folder", "cpu", "fast", {}), ("qwen:folder", "cpu", "official", {"a": {"b": 1}})]


def test_options_for_a_judge_that_was_made_in_python_are_refused(plan: Plan) -> None:
    with pytest.raises(InputError, match="the judge scripted was made in Python, so judge_option would not reach it"):
        judge_for(plan.questions, YES, "cpu", Asking(judge_option=("a=1",)))
