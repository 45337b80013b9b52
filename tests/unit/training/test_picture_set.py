"""Pictures of the miniature world as a fine-tuning set: whole or not at all, and the same each time."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import RunError
from dominance.training.picture_set import write_picture_set


def test_one_folder_a_concept_and_a_list(tmp_path: Path) -> None:
    listing = write_picture_set(tmp_path / "set", {"tower": 0.0, "mug": 1.0}, 3)
    with listing.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows[:3]] == ["tower/00000.png", "tower/00001.png", "tower/00002.png"]
    assert (rows[0]["category"], rows[0]["diversity"], rows[3]["category"]) == ("landmark", "0", "object")
    for row in rows:
        with Image.open(tmp_path / "set" / row["path"]) as image:
            assert image.size == (64, 64)
        assert row["concept"] in row["caption"]


def test_more_pictures_begin_with_the_same_and_another_seed_does_not(tmp_path: Path) -> None:
    few = write_picture_set(tmp_path / "few", {"mug": 1.0}, 1).parent
    more = write_picture_set(tmp_path / "more", {"tower": 0.0, "mug": 1.0}, 2).parent
    other = write_picture_set(tmp_path / "other", {"mug": 1.0}, 1, seed=1).parent
    first = (few / "mug" / "00000.png").read_bytes()
    assert first == (more / "mug" / "00000.png").read_bytes()
    assert first != (other / "mug" / "00000.png").read_bytes()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="is not an empty folder"):
        write_picture_set(tmp_path, {"mug": 1.0}, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "no space left")))
    with pytest.raises(RunError, match="no space left"):
        write_picture_set(tmp_path / "set", {"mug": 1.0}, 1)
    assert list(tmp_path.iterdir()) == []
