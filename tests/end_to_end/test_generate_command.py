"""``dominance generate`` as a user runs it, on the bundled model."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dominance.models.source import find_source
from dominance.runs.stages.early import find_early

Command = Callable[..., Any]
PROMPT = "a [castle:landmark] and a [mug]"
FEW = ("--steps", 6, "--device", "cpu")


def test_usable_images_with_what_each_took(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = command("generate", PROMPT, "--usable", 1, *FEW, "--budget", 200, "--json", "--out", out)
    assert first.status in (0, 3), first.err
    document = first.document
    (prompt,) = document["prompts"]
    assert prompt["risk"] in ("high", "low")
    assert document["early"]["threshold"] > 0
    assert document["plain_evaluations"] == 12
    usable = [each for each in prompt["attempts"] if each["outcome"] == "usable"]
    assert (len(usable) == 1) == (first.status == 0)
    assert all((out / each["file"]).is_file() for each in usable)
    assert all(each["evaluations"] > 0 for each in prompt["attempts"])
    drawn = {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png")}
    again = command("generate", "--config", out / "run.yaml")
    assert again.status == first.status
    assert {file: file.stat().st_mtime_ns for file in out.glob("images/*/*.png")} == drawn
    assert f"wrote {out / 'generate.html'}" in again.out
    assert "next: " in again.out
    assert "Plain rejection" in again.out
    assert command("report", out, "--json").document == document


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--usable", "0"], "usable is 0; give a whole number of images from 1"),
        (
            ["--budget", "50"],
            "one image takes 50 network evaluations, and preflight 8; give --budget 58",
        ),
        (["--method", "magic"], "no method 'magic'; give one of none, regions"),
        (["--judge", "answers:answers.csv"], "usable images are drawn anew"),
        (["--batch", "4"], "batch is 4, but usable images are drawn one by one"),
        (["--early", "missing.json"], "the early calibration missing.json cannot be read"),
        (["--calibration", "missing.json"], "the calibration missing.json cannot be read"),
    ],
)
def test_bad_settings_end_in_one_line(command: Command, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "answers.csv").write_text("prompt_id,image,concept,present\nx,0,castle,yes\n")
    arguments = [argument.replace("answers.csv", str(tmp_path / "answers.csv")) for argument in arguments]
    refused = command("generate", PROMPT, *arguments, "--device", "cpu", "--out", tmp_path / "run")
    assert refused.status == 2
    assert refused.err.count("\n") == 1
    assert message in refused.err
    assert not (tmp_path / "run").exists()


def test_the_bundled_threshold_is_that_of_the_bundled_model_and_judge() -> None:
    from dominance.judges.registry import load_judge

    found = find_early(None, find_source("miniature").identity, load_judge("miniature", "cpu").identity)
    assert found is not None, "make it again: dominance calibrate RUN --early, on an audit of the suite miniature"
    assert found.threshold is not None
    assert found.evidence.interval[0] > 0.8


@pytest.mark.slow
def test_the_real_command_killed_resumes_to_the_same_images(tmp_path: Path, command: Command) -> None:
    arguments = ("generate", PROMPT, "--usable", 3, *FEW, "--budget", 300, "--json")
    whole = command(*arguments, "--out", tmp_path / "whole").document
    rng = random.Random(5)
    for stop in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-m", "dominance", *map(str, arguments), "--out", str(tmp_path / "broken")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        before = len(list((tmp_path / "broken").glob("images/*/*.png")))
        while len(list((tmp_path / "broken").glob("images/*/*.png"))) <= before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(stop)
        assert "Traceback" not in process.communicate(timeout=120)[1]
    resumed = command(*arguments, "--out", tmp_path / "broken").document
    for one, other in zip(whole["prompts"], resumed["prompts"], strict=True):
        assert [(a["way"], a["seed"], a["outcome"], a["evaluations"]) for a in one["attempts"]] == [
            (a["way"], a["seed"], a["outcome"], a["evaluations"]) for a in other["attempts"]
        ]


@pytest.mark.slow
def test_two_workers_draw_the_same_images(tmp_path: Path, command: Command) -> None:
    arguments = ("generate", PROMPT, "--usable", 3, *FEW, "--budget", 300, "--json")
    found = [
        command(*arguments, "--out", tmp_path / name, *workers)
        for name, workers in (("one", ()), ("two", ("--workers", 2)))
    ]
    assert [each.status for each in found] == [0, 0], [each.err for each in found]
    keys = ("way", "seed", "outcome", "evaluations", "file", "early_file", "early_score", "verdict", "present")
    one, two = ([[a[key] for key in keys] for a in each.document["prompts"][0]["attempts"]] for each in found)
    assert one == two
    files = [{f.name: f.read_bytes() for f in (tmp_path / name).glob("images/*/*.png")} for name in ("one", "two")]
    assert files[0]
    assert files[0] == files[1]


def test_a_pipeline_of_ones_own_is_watched_with_the_bundled_threshold() -> None:
    import dominance

    pipeline = dominance.load_pipeline("miniature")
    with dominance.watch(pipeline, PROMPT) as watched:
        pipeline("a castle and a mug", num_inference_steps=5, callback_on_step_end=watched)
    (score,) = watched.scores
    assert score is not None
    assert watched.given_up == (score < watched.threshold)
