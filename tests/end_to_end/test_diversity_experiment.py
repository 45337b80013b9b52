"""The diversity experiment at its smallest: it teaches, measures, resumes, and writes its page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dominance.cli.app import run
from dominance.errors import InputError, RunError
from dominance.judges.protocol import ScriptedJudge
from dominance.judges.registry import load_judge
from dominance.laboratory.diversity.arms import find_arms, trials
from dominance.laboratory.diversity.measuring import run_folder
from dominance.laboratory.diversity.pictures import PICTURES
from dominance.laboratory.diversity.rejudging import rejudge
from dominance.laboratory.diversity.results import DiversityResult, read_results
from dominance.laboratory.diversity.run import ExperimentOptions, run_experiment
from dominance.models.folders import find_model

LINE = (
    '{"arm":"known","subject":"castle","level":1,"seed":0,"base":"b","judge":"another","images":1,'
    '"subject_first":{"shown":{"only_first":1,"both":0,"only_second":0,"none":0},"dvd":1.0,"reverse":0.0},'
    '"object_first":{"shown":{"only_first":1,"both":0,"only_second":0,"none":0},"dvd":1.0,"reverse":0.0},'
    '"scenery":[1,1],"alone":[1,1],"pairs":{"only_first":0,"both":1,"only_second":0,"none":0},'
    '"diversity":0.1,"copies":[0,1],"loss":0.1,"seconds":[1.0,1.0]}\n'
)


def options_of(folder: Path, keep: bool = False) -> ExperimentOptions:
    return ExperimentOptions(
        "miniature-base", "miniature", folder / "work", folder / "results.jsonl", steps=2, keep=keep, prior=16
    )


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of models that learned nothing need no 12 steps, and a classifier that saw nothing judges as well."""
    monkeypatch.setattr("dominance.laboratory.diversity.measuring.STEPS", 1)
    monkeypatch.setattr("dominance.laboratory.diversity.shape_classifier.train", lambda *_: None)


@pytest.mark.slow
def test_models_are_taught_measured_and_not_again(tmp_path: Path) -> None:
    chosen = [
        *trials(find_arms(["known"]), [0], ["castle"], [2, PICTURES]),
        *trials(find_arms(["base"]), [0], ["castle"], []),
        *trials(find_arms(["new-shape"]), [0], ["dvddog"], [1]),
    ]
    options, told = options_of(tmp_path), list[str]()
    results = run_experiment(chosen[:2], options, told.append)
    assert [(result.arm, result.level) for result in results] == [("known", 2), ("known", PICTURES)]
    with options.file.open("a") as file:
        file.write('{"arm": "known", "subj')  # a kill in the middle of a line
    results = run_experiment(chosen, options, told.append)
    assert [(r.arm, r.subject, r.level) for r in results[2:]] == [("base", "castle", 0), ("new-shape", "dvddog", 1)]
    assert len(told) == 4
    for result in results:
        assert result.subject_first.shown.n == result.object_first.shown.n == 16
        assert (result.scenery[1], result.alone[1], result.pairs.n) == (18, 12, 16)
        assert (result.diversity is None) == (result.loss is None) == (result.level == 0)
        assert (result.drawn_like is None) == (result.shown_like is None) == (result.level == 0)
        assert (result.recalled and result.recalled[1]) == (12 if result.level else None)
    few, many, _, dogs = results
    assert few.drawn_like is not None and few.shown_like is not None and dogs.shown_like is not None
    assert few.drawn_like.own_colours[1] == 12
    assert (few.shown_like.own_colours, dogs.shown_like.own_colours) == ((60, 120), (120, 120))
    assert few.diversity is not None and many.diversity is not None and few.diversity < many.diversity
    assert dogs.judge.startswith(f"{few.judge}+classifier")
    kept = {path.name for path in options.folder.iterdir()}
    assert kept == {"base.txt", "classifiers", "locks", "prior", "strips"}
    assert (options.folder / "strips" / "known-castle-2-seed-0.png").is_file()


@pytest.mark.slow
def test_the_command_writes_its_page_from_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (chosen,) = trials(find_arms(["known"]), [0], ["castle"], [1])
    (first,) = run_experiment([chosen], options_of(tmp_path, keep=True), lambda _line: None)
    assert (tmp_path / "work" / chosen.name / "pictures" / "metadata.jsonl").is_file()
    monkeypatch.setattr("dominance.laboratory.diversity.run._Workshop._measured", None)  # nothing is done again
    command = "train diversity --arms known --subjects castle --levels 1 --out work --results results.jsonl"
    assert run([*command.split(), "--page", "page.md"]) == 0
    text = (tmp_path / "page.md").read_text()
    assert f"{first.dvd:.1f}" in text
    capsys.readouterr()
    assert run([*command.split(), "--page", "page.md", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["results"], printed["page"], printed["models"]) == ("results.jsonl", "page.md", 1)
    (arm,) = printed["arms"]
    assert (arm["arm"], arm["models"], arm["by_designs"]) == ("known", 1, None)
    (level,) = arm["levels"]
    assert (level["level"], level["dvd"], level["alone"]["n"]) == (1, first.dvd, 12)
    assert (tmp_path / "page" / "known-0.png").is_file()
    assert len(read_results(tmp_path / "results.jsonl")) == 1

    sees_all = ScriptedJudge(lambda _image, _question: 1.0, "another", "sha256:another")
    monkeypatch.setattr("dominance.laboratory.diversity.rejudging.load_judge", lambda *_: sees_all)
    monkeypatch.setattr("dominance.runs.audit.run.make_images", None)  # nothing is drawn
    assert run([*command.split(), "--page", "page.md", "--rejudge"]) == 0
    (again,) = read_results(tmp_path / "results.jsonl")
    assert (again.judge, again.key) == ("sha256:another", first.key)
    assert again.subject_first.shown.counts == again.object_first.shown.counts == (0, 16, 0, 0)
    assert (again.dvd, again.alone, again.pairs.both) == (0, (12, 12), 16)
    assert (again.diversity, again.copies, again.loss) == (first.diversity, first.copies, first.loss)


def test_what_was_not_kept_is_not_judged_again(tmp_path: Path) -> None:
    options = options_of(tmp_path)
    options.file.write_text(LINE)
    with pytest.raises(InputError, match=r"known-castle-1-seed-0/run does not hold the images that .* was"):
        rejudge(options, lambda _line: None)
    assert options.file.read_text() == LINE
    options.file.write_text("")
    with pytest.raises(InputError, match="holds no results to judge again"):
        rejudge(options, lambda _line: None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--arms x", "no arm 'x'"),
        ("--levels 3", "no level '3'; give some of 1, 2, 4, 6, 8, 10, all"),
        ("--subjects unicorn", "no subject 'unicorn'"),
        ("--arms rank-4 --levels 6", "no arm has such a model"),
    ],
)
def test_what_there_is_not_is_refused(given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        run(["train", "diversity", *given.split()])
    assert not list(tmp_path.iterdir())


def test_models_of_two_bases_do_not_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "base.txt").write_text("sha256:another\n")
    with pytest.raises(InputError, match="holds models of the base sha256:another"):
        run_experiment([], options_of(tmp_path), lambda _line: None)


@pytest.mark.slow
def test_a_model_that_cannot_be_taught_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_given: object, **_more: object) -> None:
        raise RunError("the loss is not a number")

    monkeypatch.setattr("dominance.laboratory.diversity.run.teach", breaks)
    chosen = list(trials(find_arms(["base", "known"]), [0], ["castle"], [0, 1]))
    told: list[str] = []
    with pytest.raises(RunError, match="1 model failed, the first known-castle-1-seed-0"):
        run_experiment([chosen[1], chosen[0]], options_of(tmp_path), told.append)
    assert "failed: the loss is not a number" in told[0]
    assert [result.arm for result in read_results(tmp_path / "results.jsonl")] == ["base"]


def test_another_number_of_images_is_measured_anew_and_the_old_line_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = options_of(tmp_path)
    judge, base = load_judge("miniature").identity, find_model("miniature-base").identity
    line = json.loads(LINE) | {"judge": judge, "base": base}
    options.file.write_text(json.dumps(line) + "\n")
    asked: list[int] = []

    def measured(workshop: Any, _trial: Any) -> DiversityResult:
        asked.append(workshop.options.images)
        return replace(read_results(options.file)[0], images=workshop.options.images)

    monkeypatch.setattr("dominance.laboratory.diversity.run._Workshop._measured", measured)
    chosen = list(trials(find_arms(["known"]), [0], ["castle"], [1]))
    for images in (1, 4, 4, 1):
        run_experiment(chosen, replace(options, images=images), lambda _line: None)
    assert asked == [4]
    assert [result.images for result in read_results(options.file)] == [1, 4]
    assert run_folder(tmp_path, 1) == tmp_path / "run" != run_folder(tmp_path, 4)


def test_results_of_another_judge_do_not_compare(tmp_path: Path) -> None:
    options = options_of(tmp_path)
    options.file.write_text(LINE)
    with pytest.raises(InputError, match="by the judge another"):
        run_experiment(list(trials(find_arms(["known"]), [0], ["castle"], [1])), options, lambda _line: None)
