"""Another judge looks at the images that a run holds."""

from pathlib import Path

import pytest

from dominance.errors import RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing
from dominance.records import Concept, Prompt, Suite
from dominance.runs.audit.again import holds_whole_run, judge_again
from dominance.runs.audit.options import AuditOptions, Limits
from dominance.runs.audit.result import read_result
from dominance.runs.audit.run import audit

SUITE = Suite("pair", (Prompt("pair", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug", "object"))),))
TOWER = ScriptedJudge(lambda _image, question: float(question.concept == "tower"), "one", "one")
MUG = ScriptedJudge(lambda _image, question: float(question.concept == "mug"), "two", "two")


@pytest.fixture
def run(tiny_model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    audit(SUITE, str(tiny_model), TOWER, folder, AuditOptions(drawing=Drawing(seeds=(0, 1), steps=1)))
    return folder


def test_another_judge_is_asked_about_the_same_images_without_a_model(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = read_result(run).prompts
    kept = {file: file.read_bytes() for file in run.rglob("*.png")}
    monkeypatch.setattr("dominance.models.folders.find_model", None)
    monkeypatch.setattr("dominance.runs.audit.run.make_images", None)
    (again,) = judge_again(run, MUG).prompts
    assert (first.presence["tower"].count, first.presence["mug"].count) == (2, 0)
    assert (again.presence["tower"].count, again.presence["mug"].count) == (0, 2)
    assert [image.file for image in again.images] == [image.file for image in first.images]
    assert {file: file.read_bytes() for file in run.rglob("*.png")} == kept
    read = read_result(run)
    assert (read.judge, read.prompts) == ("two", (again,))
    assert read.manifest["judge"]["identity"] == "two"
    assert read.manifest["model"] == judge_again(run, TOWER).manifest["model"]


def test_a_run_is_no_longer_compared_with_one_that_the_earlier_judge_looked_at(
    run: Path, tiny_model: Path, tmp_path: Path
) -> None:
    drawing = Drawing(seeds=(1, 2), steps=1)
    options = AuditOptions(drawing=drawing, beside=run, limits=Limits(baseline=run))
    first = audit(SUITE, str(tiny_model), TOWER, tmp_path / "compared", options)
    assert None not in (first.beside, first.baseline)
    again = judge_again(tmp_path / "compared", MUG)
    assert (again.beside, again.baseline) == (None, None)
    read = read_result(tmp_path / "compared")
    assert (read.beside, read.baseline) == (None, None)


def test_what_a_judge_has_answered_is_not_asked_again(run: Path) -> None:
    asked: list[str] = []

    def script(_image: object, question: object) -> float:
        asked.append(str(question))
        return 1.0

    judge = ScriptedJudge(script, "third", "third")
    judge_again(run, judge)
    answered = len(asked)
    assert answered >= 2 * 2 * 5  # and a few about control pictures
    judge_again(run, judge)
    assert len(asked) == answered


def test_a_run_that_lacks_an_image_is_refused_and_left_as_it_was(run: Path, tmp_path: Path) -> None:
    assert holds_whole_run(run)
    next(iter(run.rglob("*.png"))).unlink()
    assert not holds_whole_run(run)
    with pytest.raises(RunError, match=r"run lacks 1 image of its run, such as images/.*; make its images first"):
        judge_again(run, MUG)
    assert read_result(run).judge == "one"
    assert not holds_whole_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match="nowhere holds no run to judge again"):
        judge_again(tmp_path / "nowhere", MUG)
