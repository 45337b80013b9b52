"""Pictures that are broken or unusual cost no page."""

import base64
import io
from pathlib import Path

from PIL import Image

from dominance.report.parts.pictures import Missing, embed, pictures_of


def test_a_decoder_that_raises_anything_costs_one_picture(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise RuntimeError("Failed to decode frame 0: Truncated data")

    monkeypatch.setattr("PIL.Image.open", refuse)
    (tmp_path / "a.avif").write_bytes(b"damaged")
    assert embed(tmp_path / "a.avif", 320) == Missing("the file is not a readable image")


def test_large_grey_of_16_bits_keeps_its_shade(tmp_path):
    Image.new("I;16", (1200, 1000), 30000).save(tmp_path / "grey.png")
    shown = embed(tmp_path / "grey.png", 320)
    with Image.open(io.BytesIO(base64.b64decode(shown.uri.partition(",")[2]))) as thumbnail:
        assert abs(thumbnail.convert("L").getpixel((50, 50)) - 117) <= 3


def saved(folder: Path, name: str, side: int = 8) -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side)).save(folder / name)
    return name


def test_images_in_the_folder_are_linked_where_that_is_asked(tmp_path):
    files = [saved(tmp_path, "images/a b#1/0.png"), saved(tmp_path, "images/1.png")]
    pictures = pictures_of(tmp_path, files, "linked")
    shown = pictures.of(files[0])
    assert (shown.uri, shown.pixelated, shown.width) == ("images/a%20b%231/0.png", True, 160)
    assert pictures.of("images/none.png") == Missing("the file is missing")
    (tmp_path / "images" / "bad.png").write_bytes(b"no image")
    assert pictures.of("images/bad.png") == Missing("the file is not a readable image")


def test_images_elsewhere_are_always_in_the_page(tmp_path):
    elsewhere = str(tmp_path / saved(tmp_path, "elsewhere.png"))
    assert not pictures_of(tmp_path / "run", [elsewhere], "linked").linked
    both = pictures_of(tmp_path, [elsewhere, saved(tmp_path, "own.png")], "linked")
    assert both.of(elsewhere).uri.startswith("data:image/png;base64,")


def test_a_page_links_its_images_past_20_million_characters(tmp_path, monkeypatch):
    files = [saved(tmp_path, f"images/{place}.png") for place in range(4)]
    assert not pictures_of(tmp_path, files).linked
    monkeypatch.setattr("dominance.report.parts.pictures.MOST_INLINE", 100)
    assert pictures_of(tmp_path, [*files, "images/gone.png"]).linked
    assert not pictures_of(tmp_path, files, "inline").linked
