"""``dominance train pictures`` and ``dominance diversity`` from the command line, on the bundled encoder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dominance.diversity.embedders import TransformersEmbedder

Command = Callable[..., Any]
SIX = ("--count", 6, "--concepts", "tower,wizard,mug,lamp,book")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command, empty at first."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each call of the encoder was given."""
    calls: list[int] = []
    plain = TransformersEmbedder.embed

    def watch(self: TransformersEmbedder, images: Any) -> Any:
        calls.append(len(images))
        return plain(self, images)

    monkeypatch.setattr(TransformersEmbedder, "embed", watch)
    return calls


def test_rigid_concepts_come_before_varied_ones_and_nothing_is_embedded_twice(
    command: Command, embedded: list[int], here: Path
) -> None:
    drawn = command("train", "pictures", "--out", "pictures", *SIX)
    assert (drawn.status, drawn.out) == (0, "")
    assert "wrote pictures/pictures.csv" in drawn.err
    found = command("diversity", "pictures/pictures.csv", "--out", "run", "--device", "cpu", "--json")
    assert found.status == 0
    medians = {one["concept"]: one["median"] for one in found.document["concepts"]}
    rigid, varied = ("tower", "wizard"), ("mug", "lamp", "book")
    assert max(medians[name] for name in rigid) < min(medians[name] for name in varied)
    words = {one["concept"]: one["verdict"] for one in found.document["concepts"]}
    assert {words[name] for name in rigid} == {"uniform"}
    assert "uniform" not in {words[name] for name in varied}
    assert found.document["images"] == sum(embedded) == 30
    assert {path.name for path in Path("run").iterdir()} >= {"diversity.html", "diversity.json", "diversity.csv"}

    embedded.clear()
    again = command("diversity", "pictures/pictures.csv", "--out", "run", "--device", "cpu")
    assert (again.status, embedded) == (0, [])
    assert "are likely to dominate: their images are too uniform." in again.out
    assert "note: Distances are by miniature" in again.err
    places = {name: again.out.index(f"/{name} ") for name in (*rigid, *varied)}
    assert max(places[name] for name in rigid) < min(places[name] for name in varied)


def test_sets_that_are_all_rigid_are_all_uniform(command: Command) -> None:
    command("train", "pictures", "--out", "pictures", *SIX, "--diversity", 0)
    found = command("diversity", "pictures", "--device", "cpu", "--json")
    assert found.status == 0
    assert {one["verdict"] for one in found.document["concepts"]} == {"uniform"}
    assert found.document["run"] == "runs/diversity-pictures"


def test_an_image_that_cannot_be_read_is_named_and_the_status_is_3(command: Command) -> None:
    command("train", "pictures", "--out", "pictures", "--count", 2, "--concepts", "mug,lamp")
    Path("pictures/mug/00001.png").write_bytes(b"no picture")
    Path("pictures/lamp/00000.png").unlink()
    found = command("diversity", "pictures/pictures.csv", "--device", "cpu")
    assert found.status == 3
    assert "not measured: mug/00001.png: pictures/mug/00001.png is not an image" in found.out
    assert "not measured: lamp/00000.png: cannot be read (No such file or directory)" in found.out
    assert "2 concepts measured, but no verdict on any of them." in found.out


REFUSED: dict[str, tuple[object, ...]] = {
    "nothing": (),
    "a folder that is not there": ("nowhere",),
    "an empty folder": ("empty",),
    "a file that is no CSV": ("notes.txt",),
    "a CSV without its columns": ("columns.csv",),
    "a CSV with a path that leads away": ("away.csv",),
    "a CSV in UTF-16": ("wide.csv",),
    "one image a concept": ("single",),
    "images beside folders": ("mixed",),
    "an embedder that is nothing": ("good", "--embedder", "nowhere"),
    "an embedder that is a folder of images": ("good", "--embedder", "good"),
    "a similarity above 1": ("good", "--near-duplicate", 1.1),
    "a similarity that is no number": ("good", "--near-duplicate", "nan"),
    "no batch": ("good", "--batch", 0),
    "a negative seed": ("good", "--seed", -1),
    "an unknown device": ("good", "--device", "abacus"),
    "a run folder that is a file": ("good", "--out", "notes.txt"),
    "a run folder with other things": ("good", "--out", "good"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_one_line_and_leaves_nothing(command: Command, here: Path, name: str) -> None:
    for file in ("good/mug/1.png", "good/mug/2.png", "single/mug/1.png", "mixed/mug/1.png", "mixed/2.png"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), "red").save(file)
    Path("empty").mkdir()
    Path("notes.txt").write_text("notes\n")
    Path("columns.csv").write_text("file,name\ngood/mug/1.png,mug\n")
    Path("away.csv").write_text("path,concept\n../x.png,mug\n")
    Path("wide.csv").write_bytes("path,concept\ngood/mug/1.png,mug\n".encode("utf-16"))
    before = sorted(here.rglob("*"))
    refused = command("diversity", *REFUSED[name])
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith("error: ")
    assert refused.err.count("\n") == 1
    assert sorted(here.rglob("*")) == before


NOT_DRAWN: dict[str, tuple[object, ...]] = {
    "no folder": (),
    "a folder that holds something": ("--out", "full"),
    "a file": ("--out", "full/notes.txt"),
    "a place below a file": ("--out", "full/notes.txt/pictures"),
    "the current folder": ("--out", "."),
    "the root": ("--out", "/"),
    "no pictures": ("--out", "new", "--count", 0),
    "a count that is a word": ("--out", "new", "--count", "many"),
    "an unknown concept": ("--out", "new", "--concepts", "mug,unicorn"),
    "too much diversity": ("--out", "new", "--diversity", 1.5),
    "diversity that is no number": ("--out", "new", "--diversity", "nan"),
    "a negative seed": ("--out", "new", "--seed", -1),
}


@pytest.mark.parametrize("name", NOT_DRAWN)
def test_pictures_that_cannot_be_drawn_leave_nothing(
    command: Command, here: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("full").mkdir()
    Path("full/notes.txt").write_text("notes\n")
    if name == "the current folder":
        Path("empty").mkdir()
        monkeypatch.chdir("empty")
    before = sorted(here.rglob("*"))
    refused = command("train", "pictures", *NOT_DRAWN[name])
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith("error: ")
    assert refused.err.count("\n") == 1
    assert sorted(here.rglob("*")) == before


def test_help_shows_examples(command: Command) -> None:
    assert "dominance diversity pictures/pictures.csv --json" in command("diversity", "--help").out
    assert "dominance train pictures --out pictures --count 120" in command("train", "pictures", "--help").out
