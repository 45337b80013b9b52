"""Pictures that are broken or unusual cost no page."""

import base64
import io

from PIL import Image

from dominance.report.parts.pictures import Missing, embed


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
