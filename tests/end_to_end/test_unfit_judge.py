"""A judge of other pictures, or with one answer: said before the first image, on every page, in JSON and in JUnit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from mock_endpoint import Call, MockEndpoint, Reply, serving, with_logprobs
from PIL import Image

import dominance
from dominance.judges.protocol import ScriptedJudge

Command = Callable[..., Any]
PAIR = "a [tower:landmark] and a [mug]"
GATE = ("--max-collapse", 1, "--min-presence", 0)
BANNER = "Do not trust the verdicts on this page."
QUICK = ("--seeds", 2, "--steps", 1)


@pytest.fixture
def foreign(tiny_model: Path, tmp_path: Path) -> Path:
    """A model of no closed world."""
    folder = tmp_path / "foreign"
    shutil.copytree(tiny_model, folder)
    (folder / "dominance.json").write_text(json.dumps({"steps": 1, "guidance": 3.0}))
    return folder


@pytest.fixture
def audit(command: Command, foreign: Path, tmp_path: Path) -> Command:
    """``dominance audit`` of the foreign model by the bundled judge."""
    return lambda *more: command("audit", PAIR, "--model", foreign, "--out", tmp_path / "run", *QUICK, *more)


def says(foreign: Path) -> str:
    return (
        f"the judge 'miniature' was made for drawings of the miniature world and the model '{foreign}' draws other"
        " pictures, so its answers mean nothing"
    )


def test_the_bundled_judge_fails_another_models_gate(
    audit: Command, command: Command, foreign: Path, tmp_path: Path
) -> None:
    ran = audit(*GATE, "--json", "--junit", tmp_path / "junit.xml")
    assert ran.status == 1
    lines = ran.err.splitlines()
    assert lines[0].startswith(f"warning: {says(foreign)}; give a judge that looks at any picture")
    assert ran.document["judge_warnings"][0] == {"kind": "another world", "says": says(foreign), "unfit": True}
    gate = ran.document["gate"]
    assert gate["passed"] is False
    assert gate["reason"].startswith(says(foreign))
    assert gate["run_failures"][0] == says(foreign)
    assert BANNER in (tmp_path / "run" / "report.html").read_text()
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert [case.find("failure") is case.find("error") for case in suite.findall("testcase")] == [False, False]
    assert says(foreign) in str(suite.findtext("system-out"))
    again = command("report", tmp_path / "run", "--json")
    assert (again.status, again.document) == (1, ran.document)


def test_only_one_option_lets_it_pass(audit: Command, tmp_path: Path) -> None:
    ran = audit(*GATE, "--allow-unfit-judge")
    assert ran.status == 0
    assert "--allow-unfit-judge let it pass although the judge 'miniature' was made for drawings" in ran.out
    assert "warning: the judge 'miniature' was made for drawings" in ran.out
    assert BANNER in (tmp_path / "run" / "report.html").read_text()
    assert "allow-unfit-judge: true" in (tmp_path / "run" / "run.yaml").read_text()
    document = audit(*GATE, "--allow-unfit-judge", "--json").document
    assert document["settings"]["allow_unfit_judge"] is True
    assert audit(*GATE).status == 1


def test_it_is_refused_where_there_is_no_gate(audit: Command, tmp_path: Path) -> None:
    refused = audit("--allow-unfit-judge")
    assert refused.status == 2
    assert "there is no gate; give max-collapse and min-presence, or leave it out" in refused.err
    assert not (tmp_path / "run").exists()


def test_without_a_gate_nothing_fails_but_all_is_said(audit: Command, tmp_path: Path) -> None:
    ran = audit()
    assert ran.status == 0
    assert ran.err.startswith("warning: the judge 'miniature' was made for drawings")
    assert "next: choose a --judge that can look at any picture: dominance list judges" in ran.out
    assert "warning: the judge 'miniature' was made for drawings" in ran.out
    assert BANNER in (tmp_path / "run" / "report.html").read_text()


def test_on_its_own_world_nothing_is_said(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    ran = command("audit", PAIR, "--model", tiny_model, "--out", tmp_path / "run", "--seeds", 1, "--steps", 1, "--json")
    assert "warning" not in ran.err
    assert ran.document["judge_warnings"] == []
    assert BANNER not in (tmp_path / "run" / "report.html").read_text()


def test_every_page_of_a_foreign_model_says_it(command: Command, audit: Command, foreign: Path, tmp_path: Path) -> None:
    audit()
    explained = command("explain", PAIR, "--model", foreign, "--out", tmp_path / "why", *QUICK, "--json")
    assert explained.document["judge_warnings"][0]["kind"] == "another world"
    assert BANNER in (tmp_path / "why" / "explanation.html").read_text()
    assert command("report", tmp_path / "why", "--json").document["judge_warnings"]
    checked = command(
        "judge", "check", tmp_path / "run", "--out", tmp_path / "check", "--each", 1, "--limit", 1, "--json"
    )
    assert f"the images in {tmp_path / 'run'} are no such drawings" in checked.document["judge_warnings"][0]["says"]
    assert checked.err.startswith("warning: the judge 'miniature' was made for drawings")
    assert BANNER in (tmp_path / "check" / "judge-check.html").read_text()
    ablated = command("ablate", PAIR, "--model", foreign, "--out", tmp_path / "cut", *QUICK, "--json")
    assert ablated.document["judge_warnings"][0]["kind"] == "another world"
    assert BANNER in (tmp_path / "cut" / "ablation.html").read_text()


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[[int], tuple[object, ...]]:
    """``dominance score`` of four pictures of this size, of concepts that the bundled judge knows."""

    def make(side: int) -> tuple[object, ...]:
        folder = tmp_path / f"of-{side}"
        folder.mkdir()
        for number in range(4):
            Image.new("RGB", (side, side), (number, 0, 0)).save(folder / f"{number}.png")
        (tmp_path / "suite.yaml").write_text(f"prompts: ['{PAIR}']")
        return ("score", folder, "--suite", tmp_path / "suite.yaml", "--out", tmp_path / f"run-{side}")

    return make


def test_scored_pictures_are_known_by_their_size(command: Command, pictures: Callable) -> None:
    other = command(*pictures(32), "--json")
    assert other.document["judge_warnings"][0]["kind"] == "another world"
    assert other.err.startswith("warning: the judge 'miniature' was made for drawings of the miniature world and the")
    own = command(*pictures(64), "--json")
    assert "another world" not in [warning["kind"] for warning in own.document["judge_warnings"]]
    assert own.err.startswith("note: by their concepts and their size of 64×64 pixels, the images are taken for")


def yes(call: Call) -> Reply:
    return with_logprobs(0.9)


def test_an_endpoint_that_says_yes_to_everything_is_found_out_once(
    command: Command, pictures: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMINANCE_JUDGE_KEY", "sk-0123456789")
    arguments = pictures(8)
    with serving(MockEndpoint(yes)) as endpoint:
        ran = command(*arguments, "--judge", endpoint.judge, *GATE, "--json")
        asked = len(endpoint.calls)
        again = command(*arguments, "--judge", endpoint.judge, *GATE, "--json")
        assert len(endpoint.calls) == asked == 4 * 10 + 20
    assert ran.status == again.status == 1
    assert ran.document == again.document
    (warning,) = ran.document["judge_warnings"]
    assert warning["kind"] == "always yes"
    assert "says yes to everything: also to all 20 questions about a plain grey picture and noise" in warning["says"]
    assert ran.document["gate"]["run_failures"] == [warning["says"]]


def test_an_honest_judge_of_a_perfect_model_passes(tiny_model: Path, tmp_path: Path) -> None:
    """It says yes to every picture of the run, and no to a plain one."""
    limits = dominance.Limits(max_collapse=0.2, min_presence=0.9)
    drawing = dominance.Drawing(seeds=tuple(range(4)), steps=1)
    options = dominance.AuditOptions(drawing=drawing, limits=limits)
    asked = []

    def honest(image: Image.Image, question: Any) -> float:
        asked.append(question)
        return float(len(asked) <= 4 * 10)

    result = dominance.audit(PAIR, str(tiny_model), ScriptedJudge(honest), tmp_path / "honest", options)
    assert (len(asked), result.judge_warnings) == (44, ())
    assert result.gate is not None
    assert result.gate.passed
    blind = ScriptedJudge(lambda image, question: 1.0, name="blind", identity="blind")
    found = dominance.audit(PAIR, str(tiny_model), blind, tmp_path / "blind", options)
    assert [warning.kind for warning in found.judge_warnings] == ["always yes"]
    assert found.gate is not None
    assert not found.gate.passed
    assert dominance.read_result(tmp_path / "blind").gate == found.gate
