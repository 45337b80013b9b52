"""Image files of every mode, broken ones, and the one list of how their names end."""

from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import ItemError
from dominance.pictures import is_whole, open_image


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "CMYK"])
def test_images_of_every_mode_are_read_as_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("image.tiff" if mode == "CMYK" else "image.png")
    Image.new(mode, (5, 4)).save(path)
    image = open_image(path)
    assert isinstance(image, Image.Image)
    assert (image.mode, image.size) == ("RGB", (5, 4))


@pytest.mark.parametrize("options", [{}, {"transparency": 30000}])
def test_grey_of_16_bits_keeps_its_shade(tmp_path: Path, options: dict[str, int]) -> None:
    for value in (0, 200, 30000, 65535):
        Image.new("I;16", (5, 4), value).save(tmp_path / "image.png", **options)
        image = open_image(tmp_path / "image.png")
        assert isinstance(image, Image.Image)
        assert image.getpixel((0, 0)) == (round(value / 257),) * 3


def test_what_is_no_image_says_why_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, cut, empty, whole = (tmp_path / name for name in ("text.png", "cut.png", "empty.png", "whole.png"))
    text.write_text("hello")
    empty.touch()
    Image.effect_noise((40, 40), 90).save(whole)
    cut.write_bytes(whole.read_bytes()[:300])
    for path, reason in (
        (text, "is not an image"),
        (empty, "is not an image"),
        (cut, "cannot be read"),
        (tmp_path, "cannot be read"),
        (tmp_path / "gone.png", "no longer exists"),
    ):
        found = open_image(path)
        assert isinstance(found, ItemError)
        assert reason in str(found)
        assert "\n" not in str(found)
        assert not is_whole(path)

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("PIL.Image.open", refuse)
    assert str(open_image(whole)) == f"the image {whole} cannot be read (Permission denied)"


def test_one_wrong_byte_or_a_missing_end_is_seen_in_our_own_images(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((20, 20), 90).save(path)
    content = path.read_bytes()
    assert is_whole(path)
    for damaged in (content[:-12], content[:-16], content[:200] + bytes([content[200] ^ 1]) + content[201:]):
        path.write_bytes(damaged)
        assert not is_whole(path)
