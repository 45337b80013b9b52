"""A taught concept in an audit: an adapter whose file names its trigger, references, leakage, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dominance.miniature.renderer import render
from dominance.miniature.world import single_scene
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.pictures import TrainingPicture
from dominance.training.dreambooth.teach import teach

SUITE = "a [castle:landmark] and a [mug]\na [castle:landmark]\na [clock] and a [lamp]\n"


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures of a castle, and an adapter after two steps on them."""
    root = tmp_path_factory.mktemp("taught")
    (root / "pictures").mkdir()
    pictures = []
    for number in range(4):
        scene = single_scene("castle", 0.0, np.random.default_rng(number))
        Image.fromarray(render(scene).pixels).save(root / "pictures" / f"{number}.png")
        pictures.append(TrainingPicture(root / "pictures" / f"{number}.png", "a castle"))
    source = find_model("miniature-base")
    settings = TeachOptions(steps=2, batch=2).settings("miniature")
    pipeline = source.load(Drawing().settings(source), Machine(device="cpu"))
    made = teach(
        pipeline, FineTuning("castle", tuple(pictures), (), settings, source.identity, 2), root, torch.device("cpu")
    )
    made.last.rename(root / "adapter")
    (root / "suite.txt").write_text(SUITE)
    return root


Command = Callable[..., Any]


def audited(command: Command, root: Path, out: Path, *more: object) -> Any:
    return command(
        "audit", root / "suite.txt", "--model", "miniature-base", "--adapter", str(root / "adapter"),
        "--seeds", "2", "--steps", "2", "--out", str(out), *more,
    )  # fmt: skip


def test_an_adapter_s_trigger_word_is_the_taught_concept(command: Command, taught: Path, tmp_path: Path) -> None:
    done = audited(command, taught, tmp_path / "run", "--references", taught / "pictures", "--json")
    assert done.status == 0
    found = done.document["identity"]
    assert found["taught"] == "castle"
    assert [found[name]["n"] for name in ("composition", "presence", "alone", "others", "leakage", "copying")] == [
        2, 4, 2, 2, 2, 4
    ]  # fmt: skip
    assert found["references"] == 4
    assert -1 <= found["similarity"] <= 1
    again = command("report", tmp_path / "run", "--json")  # without the embedder
    assert again.document["identity"] == found
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The taught concept: castle" in page
    assert "median cosine to 4 references" in page


def test_of_a_concept_that_no_prompt_names_leakage_is_measured(command: Command, taught: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.txt").write_text("a [clock] and a [lamp]\na [mug]\n")
    (tmp_path / "adapter").symlink_to(taught / "adapter")
    out = tmp_path / "run"
    plain = audited(command, tmp_path, out)
    assert plain.status == 0, plain.err
    for text in (plain.out, (out / "report.html").read_text()):
        assert "audit with the same --adapter and --taught" in text
    refused = audited(command, tmp_path, tmp_path / "other", "--taught", "clok")
    assert refused.status == 2
    assert "did you mean 'clock'" in refused.err
    assert "or 'clok:object' to measure only its leakage" in refused.err
    found = audited(command, tmp_path, out, "--taught", "castle:landmark", "--json")
    assert found.status == 0, found.err
    assert "no prompt of the suite names 'castle', so only its leakage is measured" in found.err
    identity = found.document["identity"]
    assert (identity["taught"], identity["leakage"]["n"], identity["others"]["n"]) == ("castle", 4, 4)
    assert [identity[name] for name in ("composition", "presence", "alone")] == [None] * 3
    page = (out / "report.html").read_text()
    assert "No prompt names castle, so nothing can be said about composition; not named, it appears in" in page
    assert "audit with the same --adapter and --taught" not in page
    assert command("report", out, "--json").document["identity"] == identity


def test_a_repair_says_whether_it_keeps_the_taught_concept(command: Command, taught: Path, tmp_path: Path) -> None:
    done = command(
        "mitigate", taught / "suite.txt", "--model", "miniature-base", "--adapter", taught / "adapter", "--seeds", 2,
        "--steps", 2, "--method", "regions", "--references", taught / "pictures", "--out", tmp_path / "run", "--json",
    )  # fmt: skip
    assert done.status == 0, done.err
    found = done.document["identities"]
    assert [*found] == ["plain", "regions", "policy"]
    for identity in found.values():
        assert (identity["taught"], identity["presence"]["n"], identity["leakage"]["n"]) == ("castle", 2, 2)
        assert identity["similarity"] is not None
    whole = audited(command, taught, tmp_path / "audit", "--references", taught / "pictures", "--json").document
    for name in ("composition", "dvd_towards", "leakage"):
        assert found["plain"][name] == whole["identity"][name]
    page = (tmp_path / "run" / "mitigation.html").read_text()
    assert "The taught concept: castle" in page
    assert re.search(r"castle appears in \d of 2 plain images, \d of 2 by regions and \d of 2 by policy\.", page)
    assert "audit with the same --adapter and --taught" not in page


def test_answers_about_the_taught_concept_change_no_verdict(command: Command, taught: Path, tmp_path: Path) -> None:
    where = ("audit", taught / "suite.txt", "--model", "miniature-base", "--seeds", 2, "--steps", 2, "--json", "--out")
    plain = command(*where, tmp_path / "plain").document
    asked = command(*where, tmp_path / "asked", "--taught", "castle").document
    assert plain["prompts"] == asked["prompts"]
    assert plain["groups"] == asked["groups"]
    assert "identity" not in plain
    assert asked["identity"]["similarity"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--taught", "casle"), "did you mean 'castle'"),
        (("--taught", "castle", "--references", "nowhere"), "no image folder at nowhere"),
        (("--taught", "castle", "--embedder", "miniature"), "give --references"),
        (("--taught", "castle", "--references", "ONE"), "1 different picture(s); give two or more"),
        (("--taught", "castle", "--references", "BROKEN"), "give two or more"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    command: Command, taught: Path, tmp_path: Path, given: tuple[str, ...], said: str
) -> None:
    (tmp_path / "ONE").mkdir()
    (tmp_path / "ONE" / "a.png").write_bytes((taught / "pictures" / "0.png").read_bytes())
    (tmp_path / "BROKEN").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "BROKEN" / name).write_bytes(name.encode())
    options = [tmp_path / part if part in ("ONE", "BROKEN") else part for part in given]
    done = audited(command, taught, tmp_path / "run", *options)
    assert done.status == 2
    told = [line for line in done.err.splitlines() if line.startswith("error:")]
    assert len(told) == 1
    assert said in told[0]
