"""Run folders that version 0.1.0 wrote still resume, report and read back, with the figures that it printed.

``tests/fixtures/runs-0.1`` holds them without their pages; ``printed/`` is what the commands below printed under
``--json``. All pictures but those of the audits are grey: the ledgers say what the judge saw. Those of ``score`` and
``judge-check`` hold absolute paths of pictures, in a folder that is nowhere any more.
"""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dominance
from dominance.diversity import embedders
from dominance.judges import blip
from dominance.models import folders

Command = Callable[..., Any]
FIXTURES = Path(__file__).parents[1] / "fixtures" / "runs-0.1"
MODEL_THEN = "sha256:8e7a5ba1d44e770359087ebc"
JUDGE_THEN = "sha256:7742a4cc6270410a3fe6c69a"
PROMPT = "a [castle:landmark] and a [mug]"
COLLAPSING = "a [bottle] and a [castle:landmark]"
COMMANDS: dict[str, list[object]] = {
    "audit": ["audit", PROMPT, "--seeds", 4, "--steps", 6, "--max-collapse", 0.2],
    "audit2": ["audit", "miniature-balanced", "--limit", 2, "--seeds", 2, "--steps", 6],
    "score": ["score", "audit/images", "--suite", PROMPT],
    "ablate": ["ablate", COLLAPSING, "--seeds", 3, "--steps", 6, "--layers", 1, "--sweep", "heads,feed-forward"],
    "rebalance": ["ablate", COLLAPSING, "--seeds", 2, "--steps", 6, "--edit", "rebalance", "--intervals", 3],
    "memorization": ["memorization", "miniature", "--limit", 3, "--seeds", 2, "--steps", 6],
    "bench": ["bench", "build", "--target", 2, "--limit", 6, "--seeds", 10, "--steps", 6],
    "diversity": ["diversity", "pics"],
    "judge-check": ["judge", "check", "audit2", "--each", 4],
}
READ_EVERY_TIME = {"diversity": {"images", "concepts"}, "bench": {"prompts kept"}}
"""Progress of work that is no drawing and no judging: pictures are read to find them among the known embeddings,
and the prompts of a bench are chosen again by what is known of them."""

SAME_TEXT = re.compile(r"\.(prompt|text|suite|model|judge|question|dominating|name|concepts?)(\[\d+\])?$")
"""Texts that are data; sentences may be worded anew, but hold the same numbers."""
NUMBER = re.compile(r"\d+(?:\.\d+)?")

RETOLD = "judge-check.judges[0].details"
"""Sentences that now tell shares as counts; the figures behind them stand in the document, and are compared there."""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run folders, and the folder to stand in."""
    shutil.copytree(FIXTURES, tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    for concept, run in (("castle", "audit2"), ("mug", "audit")):
        (Path("pics") / concept).mkdir(parents=True)
        for picture in (FIXTURES / run / "images").rglob("*.png"):
            shutil.copy(picture, Path("pics") / concept)
    return tmp_path / "runs"


def recorded(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / "printed" / f"{name}.json").read_text(encoding="utf-8"))


def assert_same(was: Any, now: Any, where: str) -> None:
    """What a document said then is in today's, which may say more, and may say it in other words."""
    if isinstance(was, dict):
        assert was.keys() - now.keys() <= {"manifest"}, where
        for key in was.keys() - {"manifest"}:
            assert_same(was[key], now[key], f"{where}.{key}")
    elif isinstance(was, list):
        assert len(was) == len(now), where
        for index, (old, new) in enumerate(zip(was, now, strict=True)):
            assert_same(old, new, f"{where}[{index}]")
    elif isinstance(was, str) and " " in was and was != now and not SAME_TEXT.search(where):
        assert RETOLD in where or NUMBER.findall(now) == NUMBER.findall(was), where
    elif isinstance(was, float):
        assert now == pytest.approx(was, rel=1e-9, abs=1e-12), where
    else:
        assert now == was, where


@pytest.fixture
def as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled model, judge and encoder under the identities that they had when the runs were made.

    Nothing is drawn, judged or embedded under them: a run that is whole needs their names alone.
    """
    find, load, embedder = folders._bundled, blip.load_blip_judge, embedders.TransformersEmbedder
    monkeypatch.setattr(embedder, "embed", None)
    monkeypatch.setattr(folders, "_bundled", lambda *given: replace(find(*given), identity=MODEL_THEN))
    monkeypatch.setattr(blip, "load_blip_judge", lambda *given: replace(load(*given), identity=JUDGE_THEN))
    monkeypatch.setattr(
        embedders, "TransformersEmbedder", lambda name, _, *rest: embedder(name, f"{JUDGE_THEN}:blip-1", *rest)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_command_does_nothing_again(name: str, command: Command, runs: Path, as_they_were: None) -> None:
    pictures = sorted(path.name for path in (runs / name).rglob("*.png"))
    finished = command(*COMMANDS[name], "--out", name, "--device", "cpu", "--json")
    worked = set(re.findall(r"^(.*): \d+ of \d+", finished.err, re.MULTILINE))
    assert worked <= READ_EVERY_TIME.get(name, set()), finished.err
    assert finished.status == (3 if name == "bench" else 0), finished.err
    assert_same(recorded(name), finished.document, name)
    assert sorted(path.name for path in (runs / name).rglob("*.png")) == pictures
    assert list((runs / name).glob("*.html"))


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("score", "diversity")])
def test_a_run_of_a_model_or_judge_that_has_changed_is_refused_and_stays(
    name: str, command: Command, runs: Path
) -> None:
    """The bundled model and judge are others since: nothing of theirs is mixed with what was."""
    pictures = {path: path.read_bytes() for path in (runs / name).rglob("*.png")}
    finished = command(*COMMANDS[name], "--out", name, "--device", "cpu", "--json")
    assert finished.status == 2, finished.err
    assert finished.err.startswith("error: ") and finished.err.count("\n") == 1
    assert finished.err.endswith("give another --out\n")
    assert {path: path.read_bytes() for path in (runs / name).rglob("*.png")} == pictures


def test_images_that_were_scored_are_judged_again_by_a_judge_that_has_changed(command: Command, runs: Path) -> None:
    finished = command(*COMMANDS["score"], "--out", "score", "--device", "cpu", "--json")
    assert finished.status == 0, finished.err
    assert "is not as it was in the earlier run in score: every image is judged again" in finished.err
    assert finished.document["scored"] == recorded("score")["scored"]


def test_pictures_measure_the_same_by_the_encoder_that_stays(command: Command, runs: Path) -> None:
    finished = command(*COMMANDS["diversity"], "--out", "diversity", "--device", "cpu", "--json")
    assert finished.status == 0, finished.err
    was, now = recorded("diversity"), finished.document
    assert [c["median"] for c in now["concepts"]] == pytest.approx([c["median"] for c in was["concepts"]], abs=1e-6)


@pytest.mark.parametrize("name", ["audit", "audit2", "score"])
def test_a_run_reads_back_and_reports(name: str, command: Command, runs: Path) -> None:
    result = dominance.read_result(name)
    was = recorded(name)
    assert (result.images, result.scored, result.unscored) == (was["images"], was["scored"], was["unscored"])
    assert [prompt.prompt.text for prompt in result.prompts] == [prompt["prompt"] for prompt in was["prompts"]]
    assert [prompt.dvd_mean for prompt in result.prompts] == [prompt["dvd_mean"] for prompt in was["prompts"]]
    reported = command("report", name, "--json")
    assert reported.status == 0, reported.err
    assert_same(was, reported.document, name)
    assert (runs / name / "report.html").is_file()


@pytest.mark.parametrize(("name", "balanced"), [("audit", 0), ("audit2", 1)])
def test_what_hangs_on_doubtful_answers_is_found_in_an_old_run(
    name: str, balanced: int, command: Command, runs: Path
) -> None:
    hanging = {"balanced": balanced, "collapsed": 0, "lost": 0, "mixed": 0}
    assert dominance.read_result(name).hanging == hanging
    document = command("report", name, "--json").document
    assert document["hanging"] == hanging
    assert sum(prompt["hanging"]["balanced"] for prompt in document["prompts"]) == balanced
    told = command("report", name).out.splitlines()
    assert ("1 of 4 images hangs on doubtful answers" in told) == bool(balanced)
    page = (runs / name / "report.html").read_text(encoding="utf-8")
    assert page.count(" data-doubtful>") == balanced


def test_a_bench_is_shown(command: Command, runs: Path) -> None:
    shown = command("bench", "show", "bench", "--json")
    assert shown.status == 0, shown.err
    assert_same(recorded("bench"), shown.document, "bench")
