"""The calibrated rule finds what is there, claims nothing where there is nothing, and says what it learned from."""

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from dominance.documents import printed
from dominance.errors import InputError, RunError
from dominance.models.drawing import Drawing
from dominance.models.folders import ModelFolder
from dominance.records import Concept, JudgeWarning, Prompt, PromptResult, RunResult, ScoredImage
from dominance.run_settings import RunSettings
from dominance.runs.risk import calibrate as calibrating
from dominance.runs.risk.calibrate import calibrate, document_of
from dominance.runs.risk.calibration import read_calibration
from dominance.runs.risk.options import CalibrationOptions
from dominance.runs.stages.first_steps import Look
from dominance.runs.stages.model import RunModel

THINGS = ("tower", "mug", "lamp", "book", "chair", "clock", "shirt", "robot", "clown", "castle")
PAIRS = random.Random(0).sample(list(itertools.permutations(THINGS, 2)), 30)
LAYERS = (1, 9, 10)
MADE_BY = {"name": "tiny", "identity": "sha256:tiny"}


def result_of(pair: tuple[str, str], verdict: Any, images: Sequence[ScoredImage] = ()) -> PromptResult:
    text = f"a {pair[0]} and a {pair[1]}"
    prompt = Prompt(text.replace(" ", "-"), text, tuple(Concept(name) for name in pair))
    dominating = pair[1] if verdict == "dominance" else None
    scored = 0 if verdict is None else 4
    return PromptResult(prompt, tuple(images), None, None, scored, 0, 0, 0, {}, dominating, verdict)


def run_of(results: Sequence[PromptResult], made_by: dict[str, str] | None = MADE_BY) -> RunResult:
    manifest: dict[str, object] = {} if made_by is None else {"model": made_by}
    return RunResult(
        "run", "pairs", "tiny", "judge", RunSettings(steps=4, guidance=3.0), tuple(results), (), None, manifest
    )


class Source(ModelFolder):
    """A model without a folder."""

    scheduler = "Painted"

    def __init__(self, name: str) -> None:
        super().__init__(name, Path(), "sha256:tiny", {"steps": 25, "guidance": 7.5})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs ``calibrate`` on made-up verdicts and attention; ``lead`` is how far the second concept stands out."""

    def run(
        results: Sequence[PromptResult], lead: float, made_by: dict[str, str] | None = MADE_BY, **given: Any
    ) -> Any:
        def look_at(model: Any, prompts: Any, seeds: Any, layers: Any, *_: Any) -> list[Look]:
            looked.append(model)
            rng = torch.Generator().manual_seed(0)
            looks = []
            for prompt, own, result in zip(prompts, seeds, calibrating.usable_prompts(made)[0], strict=True):
                attention = torch.rand(len(own), len(layers), 5, generator=rng) * 0.02 + 0.01
                for place, image in enumerate(own):
                    collapsed = next((i.verdict for i in result.images if i.name == str(image)), None) == "collapsed"
                    if result.verdict == "dominance" or collapsed:
                        attention[place, -1, 4] += lead
                names = [concept.name for concept in prompt.concepts]
                tokens = ("a", names[0], "and", "a", names[1])
                looks.append(
                    Look(
                        prompt,
                        tokens,
                        {names[0]: (1,), names[1]: (4,)},
                        tuple(layers),
                        attention,
                        attention[..., 0] * 9,
                        0.01,
                    )
                )
            return looks

        made, looked = replace(run_of(results, made_by), judge_warnings=given.pop("warnings", ())), []
        monkeypatch.setattr(calibrating, "PENALTIES", (10.0, 100.0))
        monkeypatch.setattr(calibrating, "read_result", lambda folder: made)
        monkeypatch.setattr(calibrating, "look_at", look_at)
        in_memory = SimpleNamespace(identity="sha256:in-memory")
        monkeypatch.setattr(calibrating, "find_source", lambda given, *_: in_memory if given is None else Source(given))
        monkeypatch.setattr(RunModel, "__call__", lambda _: SimpleNamespace(pipeline=None, reading=lambda _: None))
        monkeypatch.setattr(calibrating, "attention_sites", lambda pipeline: ())
        sites = [type("Site", (), {"layer": layer}) for layer in LAYERS]
        monkeypatch.setattr(calibrating, "chosen_sites", lambda known, layers: sites)
        model = given.pop("model", None)
        one_noise = {} if given.get("label") == "image" else {"drawing": Drawing(seeds=(0,))}
        options = CalibrationOptions(**{**one_noise, **given})
        report = calibrate(tmp_path, model, tmp_path / "risk.json", options)
        assert [model.settings.steps for model in looked] == [25 if made_by is None else 4]
        return report

    return run


def verdicts(every: int = 3) -> list[PromptResult]:
    return [result_of(pair, "dominance" if place % every == 0 else "balanced") for place, pair in enumerate(PAIRS)]


@pytest.mark.parametrize("hold_out", ["prompt", "concept"])
def test_what_is_there_is_found(world: Any, hold_out: str, tmp_path: Path) -> None:
    report = world(verdicts(), lead=0.03, hold_out=hold_out)
    assert (report.n, report.positives) == (30, 10)
    assert report.calibrated.auc > 0.95
    assert report.calibrated.interval[0] > 0.85
    assert report.calibrated.flagged.share > 0.8
    assert report.calibrated.false_alarms.share < 0.2
    assert report.calibration.peak_layers == (10,)
    assert report.calibrated.named.n == 10
    assert report.calibrated.named.share > 0.8
    layers = {one.layer: one for one in report.layers}
    assert layers[10].auc > 0.9 > layers[1].auc
    assert layers[10].focus_positive_interval[0] > layers[10].focus_other_interval[1]
    assert report.paper.rule == "mean focus of layers 9, 10"
    assert report.paper.flagged.n == 10
    read = read_calibration(tmp_path / "risk.json")
    assert read.identity == "sha256:tiny"
    assert [read.holds_for(each) for each in ("sha256:tiny", "sha256:in-memory", "sha256:x")] == [True, True, False]
    assert read.hold_out == hold_out
    assert read.threshold == report.calibration.threshold


@pytest.mark.parametrize("hold_out", ["prompt", "concept"])
def test_nothing_is_claimed_where_there_is_nothing(world: Any, hold_out: str) -> None:
    report = world(verdicts(), lead=0.0, hold_out=hold_out)
    assert report.calibrated.auc < 0.75
    assert report.calibrated.interval[0] < 0.5
    assert report.calibrated.flagged.share - report.calibrated.false_alarms.share < 0.1  # no threshold flatters itself


def test_the_same_seed_gives_the_same_file(world: Any, tmp_path: Path) -> None:
    world(verdicts(), lead=0.01)
    first = (tmp_path / "risk.json").read_bytes()
    world(verdicts(), lead=0.01)
    assert (tmp_path / "risk.json").read_bytes() == first


def test_images_are_examples_of_their_own(world: Any) -> None:
    def images(pair: int) -> list[ScoredImage]:
        return [
            ScoredImage(
                "p", str(seed), None, seed, verdict="collapsed" if (pair + seed) % 2 else "balanced", dominating="x"
            )
            for seed in (3, 4, 5)
        ] + [ScoredImage("p", "6", None, 6)]

    results = [result_of(pair, "mixed", images(place)) for place, pair in enumerate(PAIRS[:12])]
    report = world(results, lead=0.05, label="image")
    assert report.n == 36
    assert report.positives == 18
    assert report.seeds is None
    assert report.calibrated.auc > 0.9


def test_prompts_that_teach_nothing_are_counted(world: Any) -> None:
    single = PromptResult(Prompt("m", "a mug", (Concept("mug"),)), (), None, None, 4, 0, 0, 0, {}, None, "balanced")
    report = world([*verdicts(), result_of(("pen", "cup"), None), single, single], lead=0.03)
    assert report.n == 30
    nameless = "prompts that do not name a concept as it is marked"
    assert report.left_out == {"prompts without a scored image": 1, "prompts of one concept": 2, nameless: 0}
    marked = replace(
        result_of(("pen", "cup"), "balanced"), prompt=Prompt("p", "a pen", (Concept("pen"), Concept("cup")))
    )
    assert world([*verdicts(), marked], lead=0.03).left_out[nameless] == 1


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([result_of(pair, "dominance") for pair in PAIRS], "30 of the 30 usable prompts"),
        ([result_of(pair, "balanced") for pair in PAIRS], "0 of the 30"),
        (verdicts()[:3], "1 of the 3"),
    ],
)
def test_prompts_of_one_kind_are_refused(world: Any, results: list[PromptResult], message: str) -> None:
    with pytest.raises(InputError, match=message):
        world(results, lead=0.03)


def test_dominance_that_hangs_on_one_concept_cannot_be_held_out_by_concept(world: Any) -> None:
    results = [result_of(pair, "dominance" if "tower" in pair else "balanced") for pair in PAIRS]
    with pytest.raises(InputError, match="share their concepts, so they cannot be held out; give --hold-out prompt"):
        world(results, lead=0.03, hold_out="concept")


def test_a_run_without_scores_is_refused(world: Any) -> None:
    with pytest.raises(RunError, match="no scored images"):
        world([result_of(pair, None) for pair in PAIRS], lead=0.03)


def test_a_run_of_single_concepts_is_refused(world: Any) -> None:
    single = PromptResult(Prompt("m", "a mug", (Concept("mug"),)), (), None, None, 4, 0, 0, 0, {}, None, "balanced")
    with pytest.raises(InputError, match="names two concepts"):
        world([single], lead=0.03)


def test_a_run_of_another_model_is_refused(world: Any) -> None:
    with pytest.raises(RunError, match=r"sha256:old.*sha256:tiny"):
        world(verdicts(), lead=0.03, made_by={"name": "tiny", "identity": "sha256:old"})


def test_images_made_elsewhere_need_the_model_named(world: Any) -> None:
    with pytest.raises(RunError, match="which model made its images; give --model"):
        world(verdicts(), lead=0.03, made_by=None)
    assert world(verdicts(), lead=0.03, made_by=None, model="tiny").calibration.model == "tiny"


def test_images_made_elsewhere_have_no_seeds(world: Any) -> None:
    images = [ScoredImage("p", "7", "/mine/7", verdict="balanced")]
    with pytest.raises(InputError, match="--label prompt"):
        world([result_of(pair, "mixed", images) for pair in PAIRS], lead=0.03, label="image")


@pytest.mark.parametrize(
    "given", [{"label": "x"}, {"hold_out": "x"}, {"tokens": "x"}, {"drawing": Drawing((0, 1)), "label": "image"}]
)
def test_options_that_are_none_are_refused(given: Any) -> None:
    with pytest.raises(InputError):
        CalibrationOptions(**given)


def test_the_report_is_json_with_its_evidence(world: Any) -> None:
    document = printed(document_of(world(verdicts(), lead=0.03)))
    evidence = document["evidence"]
    assert evidence["n"] == 30
    assert evidence["calibrated"]["auc"] > 0.9
    assert [layer["layer"] for layer in evidence["layers"]] == list(LAYERS)
    assert np.isfinite(document["weights"]).all()


def test_a_rule_fitted_to_the_verdicts_of_an_unfit_judge_says_so(
    world: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfit = JudgeWarning("another world", "the judge was made for others")
    assert world(verdicts(), lead=0.03, warnings=(unfit,)).judge_warnings == (unfit,)
    assert "warning: the judge was made for others; give a judge" in capsys.readouterr().err
    written = json.loads((tmp_path / "risk.json").read_text())
    assert written["evidence"]["judge_warnings"][0]["says"] == unfit.says
