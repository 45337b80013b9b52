"""``dominance judge check`` as a user runs it: on random weights, on images of an audit, and on the bundled judge."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
SUITE = """
name: two
prompts:
  - {id: pair, prompt: "a [tower:landmark] and a [mug]"}
  - {id: clock, prompt: "a [clock]"}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


@pytest.fixture
def check(command: Command, tiny_judge: Path, tmp_path: Path) -> Command:
    """The command with a judge of random weights, few images, into one folder."""
    few = ("--judge", f"blip:{tiny_judge}", "--each", 3, "--limit", 4, "--device", "cpu")
    return lambda *arguments: command("judge", "check", *arguments, *few, "--out", tmp_path / "check")


def test_a_judge_alone_is_checked_on_labelled_pictures_and_the_command_resumes(check: Command, tmp_path: Path) -> None:
    first = check("--json")
    assert first.status == 0, first.err
    document = first.document
    assert document["verdict"] == document["judges"][0]["verdict"]
    assert [one["control"] for one in document["judges"][0]["controls"]][:3] == ["blank", "noise", "blurred noise"]
    assert document["judges"][0]["calibration"][0]["truth"] == "what readers saw"
    generated = document["judges"][0]["generated"]
    counts = [generated["total"][name]["n"] for name in ("false_no", "false_yes", "doubtful")]
    assert (document["images"], sum(counts)) == (4, 4 * 14)
    assert {row["criterion"] for row in generated["criteria"]} >= {"false no", "false yes"}
    assert "wrong" not in generated and document["readers"]["readers"] >= 2
    assert {path.name for path in (tmp_path / "check").iterdir()} >= {"judge-check.html", "judge-check.json"}
    again = check()
    assert again.status == 0
    assert "judged" not in again.err
    assert document["verdict"] in again.out.replace("\n", " ")
    assert f"wrote {tmp_path / 'check' / 'judge-check.html'}" in again.out


def test_a_judge_is_compared_with_another_and_with_labels_on_the_images_of_an_audit(
    command: Command, check: Command, suite: Path, tiny_model: Path, tiny_judge: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    audited = command(
        "audit", suite, "--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 3, "--steps", 1, "--out", run
    )
    assert audited.status == 0, audited.err
    labels = tmp_path / "labels.csv"
    labels.write_text("prompt_id,image,concept,present\npair,0,mug,yes\npair,1,mug,no\nclock,2,clock,no\n")
    found = check(run, "--against", "miniature", "--labels", labels, "--json")
    assert found.status == 0, found.err
    document = found.document
    assert (document["suite"], document["images"]) == ("run", 4)
    assert [one["calibration"][0]["labels"] for one in document["judges"]] == [3, 3]
    assert document["agreement"]["total"]["questions"] == document["judges"][0]["own"]["yes"]["n"]
    assert {one["control"] for one in document["judges"][0]["controls"]} >= {"another prompt", "torn"}
    assert command("audit", suite, "--model", tiny_model, "--out", tmp_path / "check").status == 2


def test_a_copy_of_a_judge_is_the_same_judge(check: Command, tiny_judge: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_judge, tmp_path / "copy")
    finished = check("--against", f"blip:{copy}")
    assert (finished.status, finished.err.count("\n")) == (2, 1)
    assert "are the same judge" in finished.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no image folder at nowhere"),
        (["--against", "nobody"], "no judge 'nobody'"),
        (["--against-mode", "fast"], "is given twice in the mode 'fast'"),
        (["--against-mode", "official"], "has no mode 'official'"),
        (["--judge-mode", "slow"], "no judge mode 'slow'"),
        (["--labels", "labels.csv"], "there is a --labels but no images"),
        (["--suite", "miniature"], "there is a --suite but no images"),
        (["--half", "best"], "half"),
        (["--seed", "-1"], "seed is -1"),
    ],
)
def test_bad_input_ends_in_one_line_and_writes_nothing(
    check: Command, tmp_path: Path, arguments: list[str], message: str
) -> None:
    finished = check(*arguments)
    assert finished.status == 2
    assert message in finished.err
    assert finished.err.count("\n") == 1
    assert not (tmp_path / "check").exists()


def test_a_folder_of_something_else_is_left_alone(check: Command, tmp_path: Path) -> None:
    (tmp_path / "check").mkdir()
    (tmp_path / "check" / "holiday.jpg").touch()
    finished = check()
    assert (finished.status, finished.err.count("\n")) == (2, 1)
    assert "has no run.sqlite" in finished.err
    assert [path.name for path in (tmp_path / "check").iterdir()] == ["holiday.jpg"]


def test_the_help_shows_an_example(command: Command) -> None:
    told = command("judge", "check", "--help")
    assert told.status == 0
    assert "dominance judge check --judge miniature" in told.out


@pytest.mark.slow
def test_the_bundled_judge_does_not_see_what_is_not_there(command: Command, tmp_path: Path) -> None:
    found = command(
        "judge",
        "check",
        "--half",
        "dev",
        "--each",
        12,
        "--limit",
        24,
        "--out",
        tmp_path / "check",
        "--device",
        "cpu",
        "--json",
    )
    assert found.status == 0, found.err
    judge = json.loads(found.out)["judges"][0]
    shares = {one["control"]: one["yes"]["share"] for one in judge["controls"]}
    assert max(shares[name] for name in ("blank", "noise", "another prompt", "concept missing")) <= 0.1
    assert judge["calibration"][0]["balanced_accuracy"] >= 0.95
