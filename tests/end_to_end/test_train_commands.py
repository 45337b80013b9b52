"""``dominance train`` as a user runs it, at the smallest size that it takes."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diffusers import StableDiffusionPipeline
from PIL import Image

from dominance.judges.picture_scores import score_pictures
from dominance.judges.registry import load_judge
from dominance.models.folders import find_model
from dominance.training.backbones.unet import UNetBackbone
from dominance.training.miniature import MiniatureSettings, train_miniature

pytestmark = pytest.mark.usefixtures("few_steps")

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the miniature world that learned nothing."""
    settings = MiniatureSettings(pictures=64, autoencoder_pictures=32, backbone=UNetBackbone((16, 16, 16, 16)))
    return train_miniature(settings, tmp_path_factory.mktemp("small"), sheet_columns=0)


def test_pictures_are_drawn_one_folder_a_concept(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    finished = command("train", "pictures", "--out", out, "--count", 2, "--concepts", "mug, tower", "--diversity", 0)
    assert finished.status == 0, finished.err
    assert f"wrote {out / 'pictures.csv'}" in finished.err
    rows = list(csv.DictReader((out / "pictures.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["concept"], row["diversity"]) for row in rows] == [("mug", "0")] * 2 + [("tower", "0")] * 2
    assert all((out / row["path"]).is_file() for row in rows)


@pytest.mark.slow
def test_a_miniature_model_is_trained_from_a_base(command: Command, tmp_path: Path) -> None:
    arguments = ["--base", "miniature-base", "--pictures", 320, "--rigid", "mug", "--learning-rate", 1e-6]
    out = tmp_path / "run"
    finished = command("train", "miniature", "--out", out, *arguments, "--sheet", 0, "--device", "cpu")
    assert finished.status == 0, finished.err
    assert f"wrote {out / 'model'}" in finished.err
    StableDiffusionPipeline.from_pretrained(out / "model", use_safetensors=True)
    listed: Any = find_model(str(out / "model")).defaults["concepts"]
    assert {row["name"] for row in listed if row["diversity"] == 0 and row["kind"] == "object"} == {"mug"}
    recorded = json.loads((out / "model" / "training.json").read_text())
    assert recorded["base"] == find_model("miniature-base").identity
    assert (recorded["pictures"], recorded["learning_rate"]) == (320, 1e-6)
    assert not list(out.rglob("*.png"))


@pytest.mark.slow
def test_a_decoder_is_trained_by_itself(command: Command, tmp_path: Path) -> None:
    arguments = ["--stage", "autoencoder", "--autoencoder-pictures", 160, "--device", "cpu"]
    finished = command("train", "miniature", "--out", tmp_path / "run", *arguments)
    assert finished.status == 0, finished.err
    assert json.loads((tmp_path / "run" / "autoencoder.json").read_text())["psnr_db"] > 0
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.slow
def test_a_judges_training_goes_on(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "judge"
    arguments = ["--base", "miniature", "--answered", 320, "--learning-rate", 1e-6, "--device", "cpu"]
    finished = command("train", "judge", "--out", out, *arguments)
    assert finished.status == 0, finished.err
    assert f"wrote {out / 'judge'}" in finished.err
    assert load_judge(f"blip:{out / 'judge'}", "cpu").identity != load_judge("miniature", "cpu").identity


def test_a_clip_is_trained_and_goes_on_where_it_stopped(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "clip"
    finished = command("train", "clip", "--out", out, "--pictures", "128", "--device", "cpu")
    assert finished.status == 0, finished.err
    assert f"wrote {out / 'clip'}" in finished.err
    weights = (out / "clip" / "model.safetensors").read_bytes()
    (scores,) = score_pictures(
        [Image.new("RGB", (64, 64))], ["a mug"], [("mug",)], f"clip:{out / 'clip'}", device="cpu"
    )
    assert scores.image_text == scores.least_concept is not None
    again = command("train", "clip", "--out", out, "--pictures", "128", "--device", "cpu")
    assert again.status == 0, again.err
    assert (out / "clip" / "model.safetensors").read_bytes() == weights  # nothing is trained twice
    other = command("train", "clip", "--out", out, "--pictures", "192", "--device", "cpu")
    assert (other.status, other.err.count("\n")) == (2, 1), other.err


@pytest.mark.slow
def test_a_card_is_written(command: Command, small_model: Path, tmp_path: Path) -> None:
    card = tmp_path / "CARD.md"
    arguments = ["--model", small_model, "--seeds", 1, "--singles", 1, "--runs", tmp_path / "runs", "--device", "cpu"]
    arguments += ["--base", "none"]
    finished = command("train", "card", "--out", card, *arguments)
    assert finished.status == 0, finished.err
    assert f"wrote {card}" in finished.err
    assert "## The gate" in card.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["miniature", "--pictures", "319"], "pictures is 319; give a whole number from 320"),
        (["miniature", "--pairs", "0.9", "--entity-pairs", "0.2"], "the three shares of pairs make 1.1"),
        (["miniature", "--scenery", "nan"], "scenery is nan; give a number from 0 to 1"),
        (["miniature", "--rigid", "unicorn"], "no concept 'unicorn'"),
        (["miniature", "--stage", "half"], "see dominance train miniature --help"),
        (["miniature", "--learning-rate", "2"], "learning-rate is 2.0; give a number from 1e-8 to 1"),
        (["judge", "--pictures", "1"], "pictures is 1; give at least 320"),
        (["judge", "--answered", "1"], "answered is 1; give a whole number from 320"),
        (["judge", "--garbled", "2"], "garbled is 2.0; give a number from 0 to 1"),
        (["judge", "--seed", "-1"], "seed is -1; give a whole number from 0"),
        (["pictures", "--out", "x", "--concepts", "unicorn"], "no concept 'unicorn'"),
    ],
)
def test_bad_options_end_in_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    finished = command("train", *arguments)
    assert (finished.status, finished.err.count("\n")) == (2, 1), finished.err
    assert message in finished.err, finished.err
    assert not list(tmp_path.iterdir())
