"""``dominance train dreambooth`` and then ``dominance sweep`` over what it left, on the bundled model."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene

Command = Callable[..., Any]
SUITE = "a [castle:landmark] and a [mug]\na picture of a [castle:landmark]\na [mug] and a [book]\n"


@pytest.fixture
def training(tmp_path: Path) -> tuple[object, ...]:
    """The words of a short training on four pictures of a castle; a suite lies beside it."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        scene = single_scene("castle", 0.0, np.random.default_rng(number))
        Image.fromarray(render(scene).pixels).save(folder / f"{number}.png")
    (tmp_path / "suite.txt").write_text(SUITE)
    return (
        "train", "dreambooth", folder, "--token", "castle", "--steps", 2, "--warmup", 0, "--batch", 2, "--every", 1,
        "--device", "cpu", "--seeds", 1, "--draw-steps", 1, "--sample", "a castle", "--out", tmp_path / "training",
    )  # fmt: skip


@pytest.fixture
def sweep(tmp_path: Path) -> tuple[object, ...]:
    """The words of a sweep, up to what is swept."""
    return (
        "sweep", tmp_path / "suite.txt", "--model", "miniature-base", "--seeds", 1,
        "--steps", 3, "--device", "cpu",
    )  # fmt: skip


def drawn(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.glob("images/*/*.png")}


def nearly(value: Any) -> Any:
    """A JSON document whose numbers may differ in the fourth place, as a pixel may by one level in 255."""
    if isinstance(value, dict):
        return {key: nearly(each) for key, each in value.items()}
    if isinstance(value, list):
        return [nearly(each) for each in value]
    return pytest.approx(value, rel=1e-4, abs=1e-4) if isinstance(value, float) else value


def pixels(folder: Path) -> dict[str, np.ndarray]:
    return {name: np.asarray(Image.open(folder / name), dtype=int) for name in drawn(folder)}


@pytest.mark.slow
def test_the_checkpoints_of_a_unet_are_swept_and_a_killed_sweep_goes_on(
    command: Command, training: tuple, sweep: tuple, tmp_path: Path
) -> None:
    trained = command(*training, "--train", "unet")
    assert trained.status == 0, trained.err
    words, whole, broken = (*sweep, "--checkpoints", tmp_path / "training"), tmp_path / "whole", tmp_path / "broken"
    finished = command(*words, "--out", whole, "--json")
    assert finished.status == 0, finished.err
    found = finished.document
    assert [(cell["name"], cell["images"], cell["scored"]) for cell in found["cells"]] == [
        ("base", 3, 3), ("step 1", 3, 3), ("step 2", 3, 3),
    ]  # fmt: skip
    assert (found["axes"], found["taught"]) == (["checkpoint"], ["castle"]), "the training's run.yaml names it"
    for cell in found["cells"]:
        assert (cell["composition"]["n"], cell["presence"]["n"]) == (1, 2)
    assert len({*drawn(whole).values()}) == 9, "every cell draws its own pictures"
    page = (whole / "sweep.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("Checkpoint sweep", "step 1", "step 2"))

    process = subprocess.Popen(
        [sys.executable, "-m", "dominance", *map(str, words), "--out", str(broken)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while len(drawn(broken)) < 4 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    before = {file: file.stat().st_mtime_ns for file in broken.glob("images/*/*.png")}
    killed = drawn(broken)
    assert len(before) < 9
    left = command(*words, "--out", broken, "--estimate", "--json").document
    assert 9 - len(before) <= left["images_to_draw"] <= 5, "an image may be there whose row is not"
    resumed = command(*words, "--out", broken)
    assert resumed.status == 0, resumed.err
    assert "next: " in resumed.out
    kept = [file for file, when in before.items() if file.stat().st_mtime_ns == when]
    assert len(kept) >= 9 - left["images_to_draw"]
    assert {file: drawn(whole)[file] for file in killed} == killed, "batches before the kill were the same"
    one, other = pixels(broken), pixels(whole)
    assert {*one} == {*other}
    for name, picture in one.items():  # what was left of a batch is a smaller batch, which rounds otherwise
        difference = np.abs(picture - other[name])
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.001, name
    again = command("report", broken, "--json").document
    assert again["cells"] == nearly(found["cells"])
    none_left = command(*words, "--out", broken, "--estimate", "--json").document
    assert (none_left["images_to_draw"], none_left["questions_to_ask"]) == (0, 0)


@pytest.mark.slow
def test_an_adapter_is_swept_over_its_strengths(
    command: Command, training: tuple, sweep: tuple, tmp_path: Path
) -> None:
    trained = command(*training, "--rank", 2)
    assert trained.status == 0, trained.err
    adapter, out = tmp_path / "training" / "checkpoints" / "step-000002", tmp_path / "run"
    words = (*sweep, "--adapter", adapter, "--out", out)
    finished = command(*words, "--strengths", "0:10:5", "--min-presence", 0, "--json")
    assert finished.status == 0, finished.err
    found = finished.document
    assert found["taught"] == ["castle"], "the adapter's file names it"
    assert [(cell["name"], cell["strengths"], cell["scored"]) for cell in found["cells"]] == [
        ("base", [], 3), ("5", [5.0], 3), ("10", [10.0], 3),
    ]  # fmt: skip
    assert found["recommended"] in ("5", "10")
    assert len({*drawn(out).values()}) == 9
    finer = command(*words, "--strengths", "0,2,5,10", "--json")
    assert [cell["name"] for cell in finer.document["cells"]] == ["base", "2", "5", "10"]
    assert json.loads(finer.out)["cells"][2]["composition"] == found["cells"][1]["composition"]
    assert len(drawn(out)) == 12, "what was drawn is not drawn again"
    base = command(
        "audit", tmp_path / "suite.txt", "--model", "miniature-base", "--seeds", 1, "--steps", 3, "--device", "cpu",
        "--out", tmp_path / "audit",
    )  # fmt: skip
    assert base.status == 0, base.err
    for file in drawn(tmp_path / "audit"):  # the same items; a batch of another size rounds otherwise
        one, other = (np.asarray(Image.open(place / file), dtype=int) for place in (out, tmp_path / "audit"))
        assert np.abs(one - other).max() <= 2


def test_an_image_without_a_strength_is_told_and_gives_3(command: Command, tmp_path: Path) -> None:
    rows = ["path,prompt,strength"]
    for number, strength in enumerate(("0", "1", "")):
        scene = single_scene("castle", 0.0, np.random.default_rng(number))
        Image.fromarray(render(scene).pixels).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,a castle and a mug,{strength}")
    (tmp_path / "grid.csv").write_text("\n".join(rows))
    words = ("sweep", "a [castle:landmark] and a [mug]", "--images", tmp_path / "grid.csv", "--taught", "castle")
    found = command(*words, "--device", "cpu", "--out", tmp_path / "run")
    assert found.status == 3, found.err
    assert "not used: 2.png says neither in a column 'strength' nor in its file" in found.err
    (tmp_path / "grid.csv").write_text("\n".join(rows[:3]))
    assert command(*words, "--device", "cpu", "--out", tmp_path / "whole").status == 0
