"""``--similarity`` and ``--captions`` as a user gives them, with tiny models of random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tiny_judges import save_captioner, save_clip

from dominance.judges.picture_scores import Encoders, score_pictures
from dominance.runs.store.ledger import Ledger

Command = Callable[..., Any]
SUITE = """
prompts:
  - id: pair
    prompt: a [castle:landmark] and a [chair]
  - id: other
    prompt: a [mug] and a [clock]
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return f"clip:{save_clip(folder / 'clip', longest=77)}", f"blip:{save_captioner(folder / 'blip')}"


@pytest.fixture
def images(tmp_path: Path) -> tuple[Path, Path]:
    """Two pictures of each of two prompts, one of them broken."""
    (tmp_path / "suite.yaml").write_text(SUITE)
    for name in ("pair", "other"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for seed in (0, 1):
            pixels = np.random.default_rng([len(name), seed]).integers(0, 256, (48, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{seed}.png")
    return tmp_path / "images", tmp_path / "suite.yaml"


def test_scores_stand_in_json_and_page_and_are_not_measured_twice(
    command: Command,
    images: tuple[Path, Path],
    models: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, (clip, blip) = tmp_path / "run", models
    given = ("score", images[0], "--suite", images[1], "--device", "cpu", "--out", out)
    plain = command(*given, "--json")
    assert plain.status == 0, plain.err
    names = ["soft_presence", "harsh_presence"]
    assert [measured["measure"] for measured in plain.document["measures"]] == names
    assert 'id="measures"' not in (out / "report.html").read_text()

    # A finished run takes them later; what the judge said stays.
    measured = command(*given, "--similarity", clip, "--captions", blip, "--json")
    assert measured.status == 0, measured.err
    found = {entry["measure"]: entry for entry in measured.document["measures"]}
    assert list(found) == [*names, "image_text", "least_concept", "caption_text", "quality"]
    assert measured.document["prompts"] == plain.document["prompts"]
    own = score_pictures(
        [images[0] / "pair" / f"{seed}.png" for seed in (0, 1)],
        ["a castle and a chair"] * 2,
        [("castle", "chair")] * 2,
        clip,
        blip,
        "cpu",
    )
    for name in ("image_text", "least_concept", "caption_text", "quality"):
        values = [getattr(scores, name) for scores in own]
        assert found[name]["prompts"]["pair"] == pytest.approx(sum(values) / 2, abs=1e-5)
        assert found[name]["images"] == 4
        low, high = found[name]["interval"]
        assert low <= found[name]["mean"] <= high
    page = (out / "report.html").read_text()
    assert 'id="measures"' in page
    assert "image and least concept" in page

    monkeypatch.setattr(Encoders, "score", None)  # nothing is left to measure
    again = command(*given, "--similarity", clip, "--captions", blip, "--json")
    assert again.document == measured.document
    assert command("report", out, "--json").document == measured.document
    assert "presence, similarity and quality" in command("report", out).out
    assert command("score", "--config", out / "run.yaml", "--json").document == measured.document
    with Ledger(out / "run.sqlite") as ledger:
        assert len(ledger.measured()) == 4


def test_an_image_that_cannot_be_measured_is_named_and_the_rest_go_on(
    command: Command, images: tuple[Path, Path], models: tuple[str, str], tmp_path: Path
) -> None:
    given = ("score", images[0], "--suite", images[1], "--device", "cpu", "--out", tmp_path / "run")
    assert command(*given).status == 0
    (images[0] / "pair" / "1.png").write_bytes((images[0] / "pair" / "1.png").read_bytes()[:60])
    found = command(*given, "--similarity", models[0], "--json")
    assert found.status == 3
    assert "not measured: image 1.png of prompt pair: " in found.err
    assert {entry["images"] for entry in found.document["measures"] if entry["measure"] == "quality"} == {3}


PROMPT = "a [castle:landmark] and a [mug]"
COMMANDS = {
    "score": ("score", "images", "--suite", "suite.yaml"),
    "sweep": ("sweep", PROMPT, "--model", "miniature-base", "--adapter", "castle-rigid"),
    "sweep of images": ("sweep", PROMPT, "--images", "grid", "--taught", "castle"),
    "bench build": ("bench", "build", "--target", 2),
    "generate": ("generate", PROMPT),
}


@pytest.fixture(params=COMMANDS)
def words(
    request: pytest.FixtureRequest, images: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[object, ...]:
    """A command that would run, in a folder with images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid").mkdir()
    for strength in ("", " <lora:brand:1>"):
        info = PngInfo()
        info.add_text("parameters", f"a castle and a mug{strength}\nSteps: 20, Sampler: Euler a, Seed: 1")
        Image.open(images[0] / "pair" / "0.png").save(tmp_path / "grid" / f"{len(strength)}.png", pnginfo=info)
    return COMMANDS[request.param]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ("--similarity", "nowhere"),
            "similarity is 'nowhere'; give clip: and a folder or hub id, such as clip:openai",
        ),
        (("--similarity", "clip:/nowhere"), "no weights of the similarity 'clip:/nowhere' at '/nowhere'"),
        (("--captions", "blip:/nowhere"), "captions are compared with the prompt by a CLIP; give --similarity too"),
    ],
)
def test_a_model_that_cannot_be_had_is_one_line_and_nothing_is_written(
    command: Command, words: tuple[object, ...], tmp_path: Path, given: tuple[str, ...], message: str
) -> None:
    refused = command(*words, *given, "--out", tmp_path / "run")
    assert refused.status == 2
    assert refused.err.count("\n") == 1
    assert message in refused.err
    assert not (tmp_path / "run").exists()


def test_a_damaged_model_shows_before_anything_is_written(
    command: Command, words: tuple[object, ...], tmp_path: Path
) -> None:
    broken = save_clip(tmp_path / "clip")
    file = broken / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_type": "vilt"}))
    given = ("--similarity", f"clip:{broken}", "--device", "cpu", "--out", tmp_path / "run")
    refused = command(*words, *given)
    assert refused.status == 2
    assert "is a 'vilt' model, but clip: takes clip" in refused.err.splitlines()[-1]
    assert not (tmp_path / "run").exists()
