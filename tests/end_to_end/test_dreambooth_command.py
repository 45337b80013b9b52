"""``dominance train dreambooth`` from the command line, on tiny models of random weights."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny_families import tiny

from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene

Command = Callable[..., Any]
SUITE = "a [castle:landmark] and a [mug]\na picture of a [castle:landmark]\na [mug] and a [book]\n"
LORA = "pytorch_lora_weights.safetensors"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four pictures of a castle; two have captions."""
    import numpy as np

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        scene = single_scene("castle", 1.0, np.random.default_rng(number))
        Image.fromarray(render(scene).pixels).save(folder / f"{number}.png")
        if number < 2:
            (folder / f"{number}.txt").write_text("a picture of a castle\n")
    return folder


@pytest.fixture
def given(tmp_path: Path, photos: Path, tiny_model: Path, tiny_judge: Path) -> tuple[object, ...]:
    suite = tmp_path / "suite.txt"
    suite.write_text(SUITE)
    return (
        "train", "dreambooth", photos, "--token", "castle", "--model", tiny_model, "--device", "cpu",
        "--steps", 4, "--every", 2, "--batch", 2, "--rank", 2, "--seeds", 1, "--resolution", 32,
        "--audit", suite, "--judge", f"blip:{tiny_judge}", "--class", "castle", "--instance-prompt", "a castle",
    )  # fmt: skip


def test_a_concept_is_taught_and_audited_at_each_checkpoint(command: Command, given: tuple, tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = command(*given, "--out", out, "--prior-images", 2, "--estimate", "--json")
    assert (before.status, before.document["steps_done"], before.document["prior_to_draw"]) == (0, 0, 2)
    assert [left(checkpoint) for checkpoint in before.document["checkpoints"]] == [
        (0, True, 2, 3, 30), (2, False, 2, 3, 30), (4, False, 2, 3, 30),
    ]  # fmt: skip
    assert (before.document["images_to_draw"], before.document["questions_to_ask"]) == (2 + 3 * 2 + 3 * 3, 3 * 30)
    assert not out.exists()
    finished = command(*given, "--out", out, "--prior-images", 2, "--json")
    assert finished.status == 0, finished.err
    after = command(*given, "--out", out, "--prior-images", 2, "--estimate", "--json").document
    assert (after["steps_done"], after["images_to_draw"], after["questions_to_ask"]) == (4, 0, 0)
    found = finished.document
    assert [checkpoint["step"] for checkpoint in found["checkpoints"]] == [0, 2, 4]
    assert [checkpoint["path"] for checkpoint in found["checkpoints"]] == [
        None, "checkpoints/step-000002", "checkpoints/step-000004",
    ]  # fmt: skip
    assert all((out / checkpoint["path"] / LORA).is_file() for checkpoint in found["checkpoints"][1:])
    assert (found["images"], found["prior"], found["taught"]) == (4, 2, "castle")
    for checkpoint in found["checkpoints"]:
        identity = checkpoint["watched"]["identity"]
        assert (identity["composition"]["n"], identity["alone"]["n"], identity["leakage"]["n"]) == (1, 1, 1)
        assert identity["similarity"] is not None
        assert {sample["prompt"] for sample in checkpoint["samples"]} == {"a castle", "a castle and a mug"}
        assert all((out / sample["file"]).is_file() for sample in checkpoint["samples"])
    assert "2 of 4 pictures have no caption and are trained under 'a castle'" in finished.err
    assert "the tokenizer knows 'castle' as a word of its own" in finished.err
    page = (out / "teaching.html").read_text()
    assert "same prompts and seeds" in page or found["pairs"] == []

    before = {file: file.read_bytes() for file in out.rglob(LORA)}
    again = command("report", out, "--json")
    assert (again.status, again.document) == (0, found)
    resumed = command(*given, "--out", out, "--prior-images", 2)
    assert resumed.status == 0
    assert {file: file.read_bytes() for file in out.rglob(LORA)} == before
    assert "wrote" in resumed.out
    assert "next: " in resumed.out
    written = (out / "run.yaml").read_text()
    for more in ((), ("--estimate",)):
        other = command(*given, "--out", out, "--prior-images", 2, "--rate", 0.5, *more)
        assert other.status == 2
        assert "rate 0.004, not 0.5; give the same settings to resume, or another --out" in other.err
    assert (out / "run.yaml").read_text() == written
    repeated = command("train", "dreambooth", "--config", out / "run.yaml", "--json")
    assert (repeated.status, repeated.document["checkpoints"]) == (0, found["checkpoints"])


def left(checkpoint: dict[str, Any]) -> tuple[object, ...]:
    """What an estimate says of a checkpoint: whether it is there, and its samples, images and questions to come."""
    audit = checkpoint["audit"]
    return (
        checkpoint["step"], checkpoint["there"], checkpoint["samples_to_draw"], audit["images_to_draw"],
        audit["questions_to_ask"],
    )  # fmt: skip


def test_everything_is_drawn_with_the_weights_that_were_asked_for(
    command: Command, given: tuple, tmp_path: Path, tiny_model: Path
) -> None:
    both = tmp_path / "both"
    shutil.copytree(tiny_model, both)
    for file in [*both.rglob("*.safetensors")]:
        shutil.copyfile(file, file.with_suffix(".fp16.safetensors"))
    out = tmp_path / "run"
    finished = command(*given, "--model", both, "--variant", "fp16", "--steps", 1, "--min-presence", 0, "--out", out)
    assert finished.status == 0, finished.err
    assert "--variant fp16 --adapter" in finished.out
    for step in (0, 1):
        audit = command("report", out / "audits" / f"step-{step:06d}", "--json").document
        assert audit["settings"]["variant"] == "fp16"
    assert json.loads((out / "teaching.json").read_text())["manifest"]["model"]["variant"] == "fp16"
    assert "variant: fp16" in (out / "run.yaml").read_text()


def test_the_unet_itself_is_taught_without_an_audit(command: Command, given: tuple, tmp_path: Path) -> None:
    out = tmp_path / "run"
    cut = given.index("--audit")
    plain = [word for at, word in enumerate(given) if at not in range(cut, cut + 4)]
    finished = command(*plain, "--train", "unet", "--out", out, "--sample", "a castle at night")
    assert finished.status == 0, finished.err
    assert (out / "checkpoints" / "step-000004" / "model_index.json").is_file()
    assert "nothing was audited" in finished.out
    assert f"--model {out / 'checkpoints' / 'step-000004'}" in finished.out


def test_an_unreadable_picture_is_named_and_the_status_says_so(
    command: Command, given: tuple, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    finished = command(*given, "--steps", 1, "--out", tmp_path / "run")
    assert finished.status == 3
    assert "not used: broken.png" in finished.err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--token", " "), "the token is empty"),
        (
            ("--taught", "dragon"),
            "no prompt of the suite 'suite' names 'dragon'; give --taught with one of its concepts",
        ),
        (("--prior", "nowhere"), "there is no image folder at nowhere"),
        (("--model", "nowhere"), "nowhere"),
        (("--batch", 1, "--prior-images", 2), "a batch of 1 has no place for prior pictures"),
        (("--revision", "main"), "revision"),
        (("--variant", "fp16"), "variant"),
        (("--model-config", "nowhere"), "is no single file and has its own configuration; leave it out"),
        (("--optimizer", "adamw8bit"), "adamw8bit needs bitsandbytes, which is not installed; pip install"),
        (("--targets", "nonsense"), "has no layers nonsense; give --targets some of "),
        (("--precision", "float16"), "float16 is trained on a GPU only; give --precision bfloat16, or float32"),
        (("--device", "cuda:9"), "cuda:9"),
        (
            ("--resolution", 4096, "--model", "sd3"),
            "resolution is 4096; for StableDiffusion3Pipeline, give a multiple of 4 up to 64",
        ),
        (("--snr-gamma", 5, "--model", "sd3"), "snr-gamma weighs the loss of models that predict the noise"),
        (("--model", "auraflow"), "AuraFlowPipeline cannot be taught a concept here; give a model of Stable Diffusion"),
        (("--model", "sana"), "SanaPipeline cannot be taught a concept here; give a model of Stable Diffusion"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    command: Command, given: tuple, tmp_path: Path, changed: tuple, said: str
) -> None:
    out = tmp_path / "run"
    if changed[-1] in ("sd3", "auraflow", "sana"):
        tiny(changed[-1]).save_pretrained(tmp_path / changed[-1])
        changed = (*changed[:-1], tmp_path / changed[-1])
    for more in ((), ("--estimate",)):
        prior = () if "--prior" in changed else ("--prior-images", 2)
        finished = command(*given, *prior, *changed, *more, "--out", out)
        assert finished.status == 2
        assert finished.out == ""
        (line,) = [line for line in finished.err.splitlines() if line.startswith("error: ")]
        assert said in line
        assert not out.exists()


def test_a_disk_without_room_is_refused_before_the_first_picture(
    command: Command, given: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.training.dreambooth import saving

    monkeypatch.setattr(saving.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1000))
    finished = command(*given, "--out", tmp_path / "run")
    assert finished.status == 2
    assert "error: the checkpoints still to be written" in finished.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--judge", "miniature", "--token", "zebrafish"), "zebrafish"),
        (("--embedder", "nowhere"), "nowhere"),
        (("--draw-steps", 5000), "5000"),
    ],
)
def test_what_looks_at_the_checkpoints_is_tried_before_the_first_picture(
    command: Command, given: tuple, tmp_path: Path, changed: tuple, said: str
) -> None:
    (tmp_path / "suite.txt").write_text(SUITE.replace("castle", "zebrafish") if "zebrafish" in changed else SUITE)
    if "zebrafish" in changed:
        changed = (*changed, "--instance-prompt", "a zebrafish", "--ignore-captions", "--taught", "zebrafish")
    finished = command(*given, *changed, "--out", tmp_path / "run")
    (line,) = [line for line in finished.err.splitlines() if line.startswith("error: ")]
    assert (finished.status, said in line) == (2, True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("suite", "warned", "noted"),
    [
        (SUITE, [], []),
        ("a [castle:landmark]\n[mug]\n", ["names 'castle' beside something else, so whether the"], []),
        (
            "a [castle:landmark] and a [mug]\n",
            [],
            [
                "names 'castle' alone, so whether it is learned is not measured",
                "names 'castle', so leakage is not measured",
            ],
        ),
    ],
)
def test_what_is_to_be_said_is_said_before_the_first_step(
    command: Command,
    given: tuple,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suite: str,
    warned: list,
    noted: list,
) -> None:
    from dominance.training.dreambooth.loop import Loop

    def killed(*_: object) -> float:
        raise KeyboardInterrupt

    (tmp_path / "suite.txt").write_text(suite)
    monkeypatch.setattr(Loop, "_step", killed)
    stopped = command(*given, "--out", tmp_path / "run")
    estimate = command(*given, "--out", tmp_path / "other", "--estimate", "--json")
    assert (stopped.status, estimate.status) == (130, 0)
    always = [
        "note: the tokenizer knows 'castle' as a word of its own",
        "note: 2 of 4 pictures have no caption and are trained under 'a castle'",
        "note: no prior: what else the model drew of this class may change",
    ]
    for err in (stopped.err, estimate.err):
        lines = err.splitlines()
        assert all(sum(line.startswith(start) for line in lines) == 1 for start in always)
        warnings = [line for line in lines if line.startswith("warning: no prompt of the suite")]
        assert [part in line for part, line in zip(warned, warnings, strict=True)] == [True] * len(warned)
        told = [line for line in lines if line.startswith("note: ") and " of the suite " in line]
        assert [part in line for part, line in zip(noted, told, strict=True)] == [True] * len(noted)
    assert len(estimate.document["warnings"]) == len(warned)


def test_a_suite_for_leakage_alone_is_audited_and_the_page_says_so(
    command: Command, given: tuple, tmp_path: Path
) -> None:
    (tmp_path / "suite.txt").write_text("a picture of a [castle:landmark]\na [mug]\n")
    finished = command(*given, "--steps", 1, "--out", tmp_path / "run")
    assert finished.status == 0, finished.err
    page = (tmp_path / "run" / "teaching.html").read_text()
    for text in (finished.out, page):
        assert "nothing was audited" not in text
        assert "No prompt of the suite names it beside something else" in text
    assert "whether the model still composes is not measured" in " ".join(page.split()), (
        "the warning stays in the result"
    )
    assert re.search(r"not named, it appears in [01] of 1\.", finished.out)


def test_a_loss_that_is_not_a_number_stops_and_the_checkpoints_are_reported(
    command: Command, given: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.training.dreambooth.loop import Loop

    plain = Loop._step

    def fails_at_three(self: Any, step: int, *more: Any) -> float:
        if step == 2:
            raise self._not_a_number(step)
        return plain(self, step, *more)

    monkeypatch.setattr(Loop, "_step", fails_at_three)
    out = tmp_path / "run"
    finished = command(*given, "--out", out)
    assert finished.status == 2
    assert "the loss of step 3 is not a number; the checkpoint of step 2 is kept" in finished.err
    estimate = command(*given, "--out", out, "--estimate")
    assert "4 steps (lora): 2 done, 2 to do" in estimate.out
    assert re.search(r"2 +trained +0 +0 +0\n +4 +to train +2 +3 +30\n", estimate.out)
    shown = command("report", out, "--json")
    assert shown.status == 0
    assert [checkpoint["step"] for checkpoint in shown.document["checkpoints"]] == [0, 2]
    assert "not a number" in shown.document["stopped"]


def test_a_disk_that_stays_full_keeps_its_first_message_and_what_was_seen(
    command: Command, given: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.runs.teaching.watching import Watch
    from dominance.training.dreambooth import loop

    save, look = loop.save_checkpoint, Watch.look

    def save_until_full(file: Path, step: int, *more: Any) -> None:
        if step == 4:
            raise OSError(28, "No space left on device")
        save(file, step, *more)

    def look_until_full(self: Watch, step: int, path: Path | None) -> Any:
        if step == 4:
            raise OSError(28, "no room for this image either")
        return look(self, step, path)

    monkeypatch.setattr(loop, "save_checkpoint", save_until_full)
    monkeypatch.setattr(Watch, "look", look_until_full)
    out = tmp_path / "run"
    finished = command(*given[:-8], *given[-4:], "--out", out)
    assert finished.status == 2
    assert "No space left on device" in finished.err.splitlines()[-1]
    assert "no room for this image either" in finished.err
    assert (out / "checkpoints" / "step-000004").is_dir()
    shown = command("report", out, "--json").document
    assert [checkpoint["step"] for checkpoint in shown["checkpoints"]] == [0, 2]
    assert "No space left on device" in shown["stopped"]


@pytest.mark.slow
def test_a_lesson_killed_at_any_moment_ends_like_one_that_was_not(
    command: Command, given: tuple, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    arguments = (*given, "--prior-images", 3)
    assert command(*arguments, "--out", whole).status == 0
    reached: list[Callable[[], bool]] = [
        lambda: any(broken.glob("images/prior/*.png")),
        (broken / "audits" / "step-000000" / "run.sqlite").exists,
        (broken / "checkpoints" / "step-000002" / LORA).exists,
        (broken / "audits" / "step-000004").exists,
    ]
    for place, there in enumerate(reached):
        process = subprocess.Popen(
            [sys.executable, "-m", "dominance", *map(str, arguments), "--out", str(broken)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip  # weights are equal to the last bit with as many threads as this process has
        while not there() and process.poll() is None:
            time.sleep(0.005)
        by = signal.SIGINT if place == 1 else signal.SIGKILL
        process.send_signal(by)
        _, said = process.communicate(timeout=120)
        assert process.returncode == (130 if by == signal.SIGINT else -signal.SIGKILL), said
        assert "Traceback" not in said
        assert by != signal.SIGINT or f"finished work is in {broken}: run the same command again" in said
    assert command(*arguments, "--out", broken).status == 0
    for step in ("step-000002", "step-000004"):
        one, other = (load_file(folder / "checkpoints" / step / LORA) for folder in (whole, broken))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert found_at(whole) == found_at(broken)


def found_at(folder: Path) -> list[tuple[object, ...]]:
    """What was measured at each checkpoint; files are named after the adapter's file, whose header has no order."""
    checkpoints = json.loads((folder / "teaching.json").read_text())["checkpoints"]
    identities = [checkpoint["watched"]["identity"] | {"leaked": None, "copied": None} for checkpoint in checkpoints]
    return [(one["step"], one["loss"], found) for one, found in zip(checkpoints, identities, strict=True)]
