"""A folder is gone on with only by the same prompts, model and judge; anything else is refused or named apart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dominance.errors import RunError
from dominance.records import Answer, Prompt, Question, Suite
from dominance.runs.audit.result import put_plan
from dominance.runs.audit.sameness import check_same_run, folder_of, take_over
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import Plan

ANSWER = Answer(Question("tower", "Is there a tower?", 1), True)


@pytest.fixture
def earlier(plan: Plan) -> Plan:
    return replace(plan, model_identity="sha256:one")


@pytest.fixture
def held_here(earlier: Plan, run_folder: Path, ledger: Ledger) -> Path:
    """A folder that holds an image and an answer of the earlier run."""
    put_plan(earlier, ledger)
    image = earlier.images[0]
    ledger.add_image(ImageRow(image.item, image.text, 0, image.file, {}))
    ledger.add_answers(earlier.judge_identity, [(image.item, [ANSWER])])
    return run_folder


def suite_of(plan: Plan, *texts: str) -> Suite:
    concepts = plan.suite.prompts[0].concepts
    return Suite("small", tuple(Prompt(f"p{place}", text, concepts) for place, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"origin": "ablate"}, "a run with the origin of images 'audit', not 'ablate'"),
        ({"model": "two", "model_identity": "sha256:two"}, "a run of the model 'plain', not 'two'"),
        ({"model_identity": "sha256:two"}, "a run of another state of the model 'plain' (sha256:one, not sha256:two)"),
        ({"judge": "other", "judge_identity": "x"}, "answers of the judge 'scripted', not 'other'"),
    ],
)
def test_what_differs_is_said(earlier: Plan, held_here: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(RunError) as refused:
        check_same_run(replace(earlier, **change), held_here)
    assert str(refused.value) == f"{held_here} holds {said}; give another --out"
    with Ledger(held_here / "run.sqlite") as ledger, pytest.raises(RunError):
        take_over(replace(earlier, **change), ledger, held_here)


def test_the_same_judge_with_other_labels_or_options_goes_on_and_says_so(
    earlier: Plan, held_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = replace(earlier, judge_identity="x")
    check_same_run(changed, held_here)
    with Ledger(held_here / "run.sqlite") as ledger:
        take_over(changed, ledger, held_here)
    told = (
        f"note: the judge 'scripted' is not as it was in the earlier run in {held_here}: every image is judged again\n"
    )
    assert capsys.readouterr().err == told


def test_other_prompts_are_refused_and_added_ones_are_not(
    earlier: Plan, held_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = earlier.suite.prompts[0]
    with pytest.raises(RunError, match="holds a run of other prompts, such as 'a tower and a mug'"):
        check_same_run(replace(earlier, suite=suite_of(earlier, "a mug and a tower")), held_here)
    marked = replace(earlier.suite, prompts=(replace(first, concepts=first.concepts[:1]),))
    with pytest.raises(RunError, match="holds a run of other prompts"):
        check_same_run(replace(earlier, suite=marked), held_here)
    more = Suite("small", (*earlier.suite.prompts, *suite_of(earlier, "a mug and a tower").prompts))
    fewer = Suite("small", (first,))
    with Ledger(held_here / "run.sqlite") as ledger:
        take_over(replace(earlier, suite=more), ledger, held_here)
        assert capsys.readouterr().err == ""
        take_over(replace(earlier, suite=fewer), ledger, held_here)
    assert "1 prompt of the earlier run in" in (told := capsys.readouterr().err)
    assert "will not be in its report: lamp; their images stay in the folder" in told


def test_other_settings_replace_a_report_only_with_a_word(
    earlier: Plan, held_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = replace(earlier, settings=replace(earlier.settings, steps=99, scheduler="ddim"))
    more = replace(earlier, settings=replace(earlier.settings, seeds=(0, 1, 2, 3), batch=2))
    with Ledger(held_here / "run.sqlite") as ledger:
        take_over(more, ledger, held_here)
        assert capsys.readouterr().err == ""
        take_over(now, ledger, held_here)
    was = "of the model" if earlier.settings.steps is None else earlier.settings.steps
    said = f"has steps {was} and scheduler of the model, which its report will no longer show; its images stay in"
    assert said in capsys.readouterr().err


def test_what_has_made_nothing_may_be_replaced(earlier: Plan, run_folder: Path, ledger: Ledger) -> None:
    put_plan(earlier, ledger)
    check_same_run(replace(earlier, model_identity="sha256:two", judge_identity="x"), run_folder)


def test_images_made_elsewhere_may_move_or_be_made_anew(plan: Plan, run_folder: Path, ledger: Ledger) -> None:
    scored = replace(plan, origin="score", model="images in a")
    put_plan(scored, ledger)
    image = plan.images[0]
    ledger.add_image(ImageRow(image.item, image.text, 0, image.file, {}))
    check_same_run(replace(scored, model="images in b"), run_folder)
    anew = tuple(replace(image, item=f"new {image.item}") for image in plan.images)
    check_same_run(replace(scored, images=anew), run_folder)
    with pytest.raises(RunError, match="holds a run of images in a, not of images in b"):
        check_same_run(replace(scored, model="images in b", images=anew), run_folder)


def test_a_default_folder_is_named_apart_and_found_again(
    earlier: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    plans = [
        earlier,
        replace(earlier, model_identity="sha256:two"),
        replace(earlier, judge="other", judge_identity="x"),
    ]
    plans.append(replace(earlier, suite=suite_of(earlier, "a mug and a tower")))
    plans.append(replace(earlier, suite=suite_of(earlier, "a mug by a tower")))
    for _ in ("made", "found again"):
        folders = []
        for plan in plans:
            folder = folder_of(plan, None, "small")
            folders.append(folder)
            folder.mkdir(parents=True, exist_ok=True)
            with Ledger(folder / "run.sqlite") as ledger:
                put_plan(plan, ledger)
                ledger.add_image(ImageRow("item", "text", 0, "file", {}))
                ledger.add_answers(plan.judge_identity, [("item", [ANSWER])])
        assert len(set(folders)) == len(list((tmp_path / "runs").iterdir())) == len(plans)
        assert folders[0] == Path("runs/small")
    assert "note: runs/small holds a run of other prompts" in capsys.readouterr().err
