"""Which files of a folder are images, and what is said of the others."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import InputError
from dominance.images.listing import Listing, list_images, without_sheets
from dominance.pictures import IMAGE_ENDINGS


def picture(path: Path, size: tuple[int, int] = (8, 8), shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60 + shade).convert("RGB").save(path)
    return path


def paths(listing: Listing) -> list[str]:
    return [image.path.as_posix() for image in listing.images]


def left_out(listing: Listing) -> dict[str, str]:
    return {entry.file: entry.reason for entry in listing.left_out}


def test_every_ending_that_images_have_is_read_at_any_depth(tmp_path: Path) -> None:
    for ending in (*IMAGE_ENDINGS, ".PNG", ".txt", ""):
        (tmp_path / "a" / "b").mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / "b" / f"image{ending}").write_bytes(b"any")
    listing = list_images(tmp_path)
    assert {Path(path).suffix for path in paths(listing)} == IMAGE_ENDINGS | {".PNG"}
    assert listing.left_out == ()
    assert {".jfif", ".avif", ".tif", ".tiff", ".bmp", ".gif"} <= IMAGE_ENDINGS


def test_hidden_files_and_those_of_the_system_are_counted_and_not_missed(tmp_path: Path) -> None:
    for name in ("a.png", ".a.png", "._a.png", ".cache/x.png", ".cache/y.png", "__MACOSX/._a.png"):
        picture(tmp_path / name)
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", ".cache/notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    listing = list_images(tmp_path)
    assert paths(listing) == ["a.png"]
    assert {entry.file: entry.images for entry in listing.left_out} == {
        ".a.png": 1, "._a.png": 1, ".cache": 2, "__MACOSX": 1
    }  # fmt: skip
    assert not any(entry.missing for entry in listing.left_out)


def test_images_in_formats_that_cannot_be_read_are_missed(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "b.HEIC").write_bytes(b"x")
    (entry,) = list_images(tmp_path).left_out
    assert (entry.file, entry.missing) == ("b.HEIC", True)
    assert entry.reason == "is in a format that cannot be read (heic); save it as png"


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    away = picture(tmp_path / "elsewhere" / "1.png")
    own = picture(tmp_path / "set" / "a" / "0.png")
    root = tmp_path / "set"
    (root / "in.png").symlink_to(own)
    (root / "again").symlink_to(own.parent)
    (root / "out.png").symlink_to(away)
    (root / "away").symlink_to(away.parent)
    (root / "gone.png").symlink_to(root / "nothing.png")
    (root / "round.png").symlink_to("round.png")
    (root / "a" / "up").symlink_to(root)
    listing = list_images(root)
    assert paths(listing) == ["a/0.png", "again/0.png", "in.png"]
    assert {image.file for image in listing.images} == {own.resolve()}
    found = left_out(listing)
    assert set(found) == {"out.png", "away", "gone.png", "round.png", "a/up", "again/up"}
    assert "leads out of the image folder, to" in found["out.png"]
    assert "leads nowhere" in found["gone.png"]
    assert "it lies in" in found["a/up"]


def test_links_of_a_hub_cache_are_followed_within_the_cache_of_one_repository(tmp_path: Path) -> None:
    cache = tmp_path / "hub" / "datasets--owner--name"
    snapshot = cache / "snapshots" / "0123abcd"
    (cache / "blobs").mkdir(parents=True)
    (snapshot / "images").mkdir(parents=True)
    shutil.move(picture(tmp_path / "x.png"), cache / "blobs" / "f00d")
    (snapshot / "images" / "x.png").symlink_to("../../../blobs/f00d")
    other = tmp_path / "hub" / "datasets--owner--other" / "blobs" / "cafe"
    shutil.move(picture(tmp_path / "y.png"), picture(other.with_suffix(".png")).with_suffix(""))
    (snapshot / "images" / "y.png").symlink_to(other)
    for root in (snapshot, snapshot / "images"):
        listing = list_images(root)
        assert [image.file for image in listing.images] == [snapshot / "images" / "x.png"]
        (entry,) = listing.left_out
        assert entry.missing
        assert "leads out of the image folder" in entry.reason
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "x.png").symlink_to(cache / "blobs" / "f00d")  # a folder that is no snapshot
    assert list_images(tmp_path / "copy").images == ()


def test_a_name_that_is_not_utf_8_and_a_folder_that_is_locked_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(picture(tmp_path / "a.png"), os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    with pytest.raises(InputError, match="is not UTF-8; rename it"):
        list_images(tmp_path)

    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\); check its permissions"):
        list_images(tmp_path)


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        ("grid.png", True),
        ("grid-0000.png", True),
        ("grid-0001-123-a mug.png", True),
        ("Grid_2.jpg", True),
        ("grid_of_all.png", True),
        ("xyz_grid-0003.png", True),
        ("contact-sheet.png", True),
        ("contact_sheet_2.png", True),
        ("gridlock.png", False),
        ("a grid.png", False),
        ("0.png", False),
    ],
)
def test_contact_sheets_are_known_by_name(tmp_path: Path, name: str, sheet: bool) -> None:
    picture(tmp_path / "mug-1.png")
    picture(tmp_path / name)
    listing = without_sheets(list_images(tmp_path))
    assert (name not in paths(listing)) is sheet
    assert left_out(listing) == (
        {name: "is a contact sheet, by its name; rename it if it is a picture of its own"} if sheet else {}
    )


def test_pictures_of_a_grid_are_no_contact_sheets(tmp_path: Path) -> None:
    for number in "ab":
        picture(tmp_path / f"grid of lamps_{number}.png")
    assert len(without_sheets(list_images(tmp_path)).images) == 2


def sheet(folder: Path, columns: int, rows: int, padding: int = 0) -> None:
    """Writes ``all.png``, which shows the other images of the folder, in order."""
    tiles = [Image.open(path) for path in sorted(folder.glob("*.png"))]
    width, height = tiles[0].size
    whole = Image.new("RGB", (columns * (width + padding) + padding, rows * (height + padding) + padding), "black")
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        whole.paste(tile, (padding + column * (width + padding), padding + row * (height + padding)))
    whole.save(folder / "all.png")


@pytest.mark.parametrize(
    ("count", "columns", "rows", "padding"), [(4, 2, 2, 0), (4, 4, 1, 2), (3, 2, 2, 2), (9, 3, 3, 1), (2, 1, 2, 0)]
)
def test_a_contact_sheet_is_known_by_its_pixels(
    tmp_path: Path, count: int, columns: int, rows: int, padding: int
) -> None:
    for number in range(count):
        Image.linear_gradient("L").rotate(37 * number).resize((48, 32)).convert("RGB").save(tmp_path / f"{number}.png")
    sheet(tmp_path, columns, rows, padding)
    listing = without_sheets(list_images(tmp_path))
    assert len(listing.images) == count
    assert left_out(listing) == {"all.png": f"is a contact sheet of the other {count} images"}


def test_an_image_with_a_size_of_its_own_is_no_contact_sheet_for_that(tmp_path: Path) -> None:
    for number in range(4):
        Image.linear_gradient("L").rotate(90 * number).resize((32, 32)).convert("RGB").save(tmp_path / f"{number}.png")
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(tmp_path / "enlarged.png")
    assert len(without_sheets(list_images(tmp_path)).images) == 5
    picture(tmp_path / "other.png", (20, 90))
    assert len(without_sheets(list_images(tmp_path)).images) == 6
