"""The threshold of giving up, fitted on an audit of a tiny model."""

from pathlib import Path
from typing import Any

import pytest
from tiny_families import save

import dominance
from dominance.documents import from_json, to_json
from dominance.errors import InputError, RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.source import find_source
from dominance.runs.risk.early import calibrate_early
from dominance.runs.risk.options import CalibrationOptions
from dominance.runs.stages.early import EarlyCalibration, find_early, read_early

PROMPTS = "prompts: ['a [tower:landmark] and a [mug]', 'a [lamp] and a [book]', 'a [chair]', 'a [clock] and a [mug]']\n"


def by_colour(image: Any, question: Any) -> float:
    """The first concept is in every picture, the second in two of three."""
    first = question.concept in ("tower", "lamp", "clock", "chair")
    return 0.9 if first else float(image.getpixel((3, 3))[0] % 3 > 0)


@pytest.fixture
def audited(tmp_path: Path) -> tuple[Path, str]:
    model = str(save("sd1", tmp_path / "model"))
    (tmp_path / "suite.yaml").write_text(PROMPTS)
    options = dominance.AuditOptions(
        drawing=Drawing(steps=5, guidance=2.0, seeds=tuple(range(8))), machine=Machine("cpu")
    )
    dominance.audit(str(tmp_path / "suite.yaml"), model, ScriptedJudge(by_colour), tmp_path / "run", options)
    return tmp_path / "run", model


def test_a_threshold_is_fitted_and_read_again(audited: tuple[Path, str]) -> None:
    run, _ = audited
    how = CalibrationOptions(early=True, machine=Machine("cpu"))
    found = calibrate_early(run, None, ScriptedJudge(by_colour), None, how)
    assert (found.evidence.images, found.evidence.prompts) == (24, 3)  # those of a single thing are left out
    assert 0 < found.evidence.usable.count < 24
    assert found.evidence.caught.n + found.evidence.false_aborts.n == 24
    assert found.steps == 5
    file = run / "early.json"
    assert read_early(file) == found == from_json(EarlyCalibration, to_json(found))
    assert find_early(file, found.identity, found.judge_identity) == found
    assert find_early(Path("none"), found.identity, found.judge_identity) is None
    assert find_early(None, found.identity, found.judge_identity) is None
    own = dominance.load_pipeline(audited[1])
    assert find_early(file, find_source(own).identity, found.judge_identity) == found  # the same model in memory


def test_a_judge_that_sees_the_end_at_the_look_saves_and_one_that_cannot_gives_nothing_up(
    audited: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = audited
    how = CalibrationOptions(early=True, machine=Machine("cpu"))
    scores = iter(range(100))
    usable = {
        id: own
        for prompt in dominance.read_result(run).prompts
        for id, own in [(prompt.prompt.id, {i.seed: i.verdict == "balanced" for i in prompt.images})]
    }
    order = [good for id, own in usable.items() if id != "a-chair" for good in own.values()]
    monkeypatch.setattr("dominance.runs.stages.early.early_score", lambda *_: float(order[next(scores)]))
    found = calibrate_early(run, None, ScriptedJudge(by_colour), None, how)
    assert found.threshold == 0.5
    assert found.evidence.auc == 1.0
    assert (found.evidence.false_aborts.count, found.evidence.caught.share) == (0, 1.0)
    assert found.evidence.cost is not None
    assert found.evidence.cost < 1
    monkeypatch.setattr("dominance.runs.stages.early.early_score", lambda *_: 0.5)
    assert calibrate_early(run, None, ScriptedJudge(by_colour), None, how).threshold is None


def test_what_cannot_be_fitted_is_refused(audited: tuple[Path, str], tmp_path: Path) -> None:
    run, model = audited
    with pytest.raises(RunError, match="was judged by"):
        calibrate_early(run, None, ScriptedJudge(lambda *_: 1.0, identity="another"))
    with pytest.raises(InputError, match="leave them out with --early"):
        CalibrationOptions(early=True, label="image")
    with pytest.raises(InputError, match="false-aborts is 2"):
        CalibrationOptions(false_aborts=2)
    with pytest.raises(InputError, match="false-aborts is of the threshold of giving up; give --early"):
        CalibrationOptions(false_aborts=0.1)
    with pytest.raises(InputError, match=r"early is of `dominance\.calibrate_early`"):
        dominance.calibrate(run, options=CalibrationOptions(early=True))
    options = dominance.AuditOptions(drawing=Drawing(steps=2, seeds=(0, 1)), machine=Machine("cpu"), method="replace")
    dominance.audit("a [tower:landmark] and a [mug]", model, ScriptedJudge(by_colour), tmp_path / "other", options)
    with pytest.raises(InputError, match="is drawn under replace; give one of plain images"):
        calibrate_early(tmp_path / "other")
    yes = ScriptedJudge(lambda *_: 1.0)
    plain = dominance.AuditOptions(drawing=Drawing(steps=2, seeds=(0, 1)), machine=Machine("cpu"))
    dominance.audit("a [tower:landmark] and a [mug]", model, yes, tmp_path / "all", plain)
    with pytest.raises(InputError, match=r"2 of 2 images .* show all; an early calibration needs two that do"):
        calibrate_early(tmp_path / "all", judge=yes)


def test_a_model_that_calls_nothing_after_its_steps_is_refused(tmp_path: Path) -> None:
    model, judge = str(save("pixart", tmp_path / "model")), ScriptedJudge(by_colour)
    options = dominance.AuditOptions(drawing=Drawing(steps=2, seeds=tuple(range(8))), machine=Machine("cpu"))
    (tmp_path / "suite.yaml").write_text(PROMPTS)
    dominance.audit(str(tmp_path / "suite.yaml"), model, judge, tmp_path / "run", options)
    with pytest.raises(InputError, match="calls nothing after its steps"):
        calibrate_early(tmp_path / "run", None, judge, None, CalibrationOptions(early=True, machine=Machine("cpu")))
