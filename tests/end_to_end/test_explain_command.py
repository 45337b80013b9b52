"""``dominance explain`` as users meet it: page, document, images, statuses, bad input; and every family of models."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_families import FAMILIES, tiny

import dominance
from dominance.errors import InputError, ModelError
from dominance.judges.protocol import ScriptedJudge

Command = Callable[..., Any]

PAIR = "a [tower:landmark] and a [mug]"
DOCUMENT = {
    *("kind", "format", "prompt", "concepts", "tokens", "model", "judge", "settings", "steps", "layers", "seeds"),
    *("dominating", "focus_first_step", "focus", "attention", "peaks", "tracks", "maps", "verdict", "images"),
    *("manifest", "judge_warnings", "notes", "risk"),
}
TOWER_ONLY = ScriptedJudge(lambda image, question: float(question.concept == "tower"))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command, empty at first."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def tiny_options(tiny_model: Path, tiny_judge: Path) -> tuple[object, ...]:
    return ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 2)


def test_the_command_writes_page_document_and_images(
    command: Command, tiny_options: tuple[object, ...], workplace: Path
) -> None:
    done = command("explain", PAIR, *tiny_options, "--steps", 3, "--json")
    assert done.status == 0, done.err
    folder = workplace / "explanations" / "a-tower-and-a-mug"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["explanation.html", "explanation.json", "images/0.png", "images/1.png", "run.yaml"]
    written = json.loads((folder / "explanation.json").read_text())
    assert written.pop("recorded")["attention"]  # what `dominance report` needs besides
    assert written == done.document
    document = done.document
    assert set(document) == DOCUMENT
    assert document["tokens"] == ["a", "tower", "and", "a", "mug"]
    assert document["concepts"][0] == {"name": "tower", "kind": "landmark", "tokens": [1]}
    assert (document["steps"], len(document["layers"]), document["seeds"]) == (3, 16, [0, 1])
    assert document["maps"]["steps"] == [0, 1, 2]
    assert all(image["verdict"] for image in document["images"])
    page = (folder / "explanation.html").read_text(encoding="utf-8")
    assert "a tower and a mug" in page


def test_the_printed_summary_names_the_page_and_one_seed_is_enough(
    command: Command, tiny_model: Path, workplace: Path
) -> None:
    done = command("explain", PAIR, "--model", tiny_model, "--judge", "none", "--seeds", "7,", "--out", "here")
    assert done.status == 0, done.err
    assert "\nwrote here/explanation.html\nnext: " in done.out
    assert "the attention" in done.out
    assert (workplace / "here" / "images" / "7.png").exists()
    again = command(
        "explain", PAIR, "--model", tiny_model, "--judge", "none", "--seeds", "7,", "--out", "here", "--layers", "7-10",
        "--maps-layers", "9", "--maps-steps", "1", "--json",
    )  # fmt: skip
    assert again.status == 0, again.err
    assert [layer["layer"] for layer in again.document["layers"]] == [7, 8, 9, 10]
    assert (again.document["maps"]["layers"], again.document["maps"]["steps"]) == ([9], [1])


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["a tower and a mug"], "mark at least one concept in brackets"),
        ([""], "mark at least one concept in brackets"),
        (["a [tower"], "is never closed"),
        (["a [tower:planet]"], "unknown kind 'planet'"),
        (["[mug]"], "only 1 token,"),
        (["a [tow]er and a mug", "--judge", "none"], "the concept 'tow' is not in the prompt"),
        ([f"a [tower:landmark] {'and a book ' * 20} and a [mug]"], "its concept 'mug' is cut off"),
        ([PAIR, "--layers", "17"], "the model has 16"),
        ([PAIR, "--layers", "0"], "the model has 16"),
        ([PAIR, "--layers", "nine"], "--layers is 'nine'"),
        ([PAIR, "--layers", "9-7"], "--layers is '9-7'"),
        ([PAIR, "--layers", "9", "--maps-layers", "8"], "is not among the layers to record"),
        ([PAIR, "--maps-layers", "99"], "no attention layer 99"),
        ([PAIR, "--maps-steps", "2"], "impossible with 2 steps, counted from 0"),
        ([PAIR, "--seeds", "0"], "seeds is 0; give a count"),
        ([PAIR, "--seeds", "101"], "at most 100 images"),
        ([PAIR, "--steps", "0"], "steps is 0"),
        ([PAIR, "--guidance", "-1"], "guidance is -1"),
        ([PAIR, "--batch", "0"], "batch is 0"),
        ([PAIR, "--device", "abacus"], "no device 'abacus'"),
        ([PAIR, "--model", "minature"], "no model 'minature'"),
        ([PAIR, "--judge", "solomon"], "no judge 'solomon'"),
        (["a [zeppelin] and a [mug]"], "--judge none"),
        ([PAIR, "--out", "mine"], "is not empty and holds no explanation (explanation.json)"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    command: Command, tiny_options: tuple[object, ...], workplace: Path, arguments: list[str], found: str
) -> None:
    (workplace / "mine").mkdir()
    (workplace / "mine" / "thesis.tex").write_text("mine")
    refused = command("explain", *tiny_options, *arguments)
    assert (refused.status, refused.out) == (2, ""), refused
    said = [line for line in refused.err.splitlines() if not line.startswith(("starting", "loading"))]
    assert [line[:7] for line in said] == ["error: "], refused.err
    assert found in refused.err
    assert [str(path.relative_to(workplace)) for path in workplace.rglob("*")] == ["mine", "mine/thesis.tex"]


def test_the_python_call_does_what_the_command_does_and_writes_nothing(tiny_model: Path, workplace: Path) -> None:
    options = dominance.ExplainOptions(
        maps_steps=(0,), drawing=dominance.Drawing(seeds=(0, 1, 2)), machine=dominance.Machine(batch=2)
    )
    found = dominance.explain(PAIR, str(tiny_model), TOWER_ONLY, options)
    assert found.attention.shape == (3, 2, 16, 5)
    assert found.maps.values.shape[:3] == (3, 1, 2)
    assert [image.verdict for image in found.result.images] == ["collapsed"] * 3
    assert found.result.dominating == "tower"
    assert not found.attention.is_inference()
    assert list(workplace.iterdir()) == []
    page = dominance.write_explanation(found, workplace / "out")
    assert "tower takes over from mug in 3 of 3 images" in page.read_text(encoding="utf-8")


def test_the_batch_and_the_recording_change_no_image(tiny_model: Path) -> None:
    both = dominance.explain(
        PAIR, str(tiny_model), None, dominance.ExplainOptions(drawing=dominance.Drawing(seeds=(0, 1)))
    )
    one = dominance.explain(
        PAIR, str(tiny_model), None, dominance.ExplainOptions(layers=(9,), drawing=dominance.Drawing(seeds=(1,)))
    )
    torch.testing.assert_close(both.at((9,))[1:], one.attention, rtol=1e-4, atol=1e-5)
    difference = torch.tensor(list(both.pictures[1].tobytes())) - torch.tensor(list(one.pictures[1].tobytes()))
    assert difference.to(torch.int8).abs().max() <= 1


def test_an_image_that_cannot_be_judged_is_unscored_and_the_status_says_so(
    command: Command, tiny_options: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dominance.judges.blip import BlipJudge

    def silent(self: BlipJudge, images: list[Image.Image], questions: list) -> list:
        raise RuntimeError("the judge is out of memory")

    monkeypatch.setattr(BlipJudge, "answer", silent)
    done = command("explain", PAIR, *tiny_options, "--json")
    assert done.status == 3
    assert [image["verdict"] for image in done.document["images"]] == [None, None]
    assert "out of memory" in done.document["images"][0]["problem"]


def test_a_model_that_cannot_draw_at_all_is_one_line(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dominance.models.image_model import PipelineModel

    def full(self: PipelineModel, *_: object) -> list:
        raise RuntimeError("the device is full")

    monkeypatch.setattr(PipelineModel, "generate", full)
    with pytest.raises(ModelError, match="no image could be made: RuntimeError: the device is full"):
        dominance.explain(PAIR, str(tiny_model), None, dominance.ExplainOptions(drawing=dominance.Drawing(seeds=(0,))))


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "pixart"])
def test_other_families_are_followed_in_all_layers(family: str, tmp_path: Path) -> None:
    options = dominance.ExplainOptions(drawing=dominance.Drawing(seeds=(0,), steps=2, height=16, width=24))
    found = dominance.explain(PAIR, tiny(family), TOWER_ONLY, options)
    assert not found.follows_paper
    assert found.attention.shape[1:3] == (2, found.model_layers)
    assert (found.identity or "").startswith("sha256:")
    page = dominance.write_explanation(found, tmp_path / family).read_text(encoding="utf-8")
    assert "paper's rule" not in page


def test_prompts_made_by_hand_are_checked(tiny_model: Path) -> None:
    for prompt, found in (
        (dominance.Prompt("p", "a tower", ()), "marks no concept"),
        (dominance.Prompt("p", "a tower", (dominance.Concept("mug"),)), "the concept 'mug' is not in the prompt"),
    ):
        with pytest.raises(InputError, match=found):
            dominance.explain(prompt, str(tiny_model), None)


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys; from dominance.cli import explain; print([m for m in ('torch', 'diffusers') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
