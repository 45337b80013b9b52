"""Images as files and as models take them: read if they can be, in RGB, written as PNG."""

import io
import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from dominance.errors import ItemError, RunError
from dominance.files import write_whole
from dominance.wording import complaint

IMAGE_ENDINGS: frozenset[str] = frozenset({
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"
})  # fmt: skip
"""How the names of image files end, in lower case."""
OTHER_ENDINGS: frozenset[str] = frozenset({
    ".heic", ".heif", ".jxl", ".jp2", ".tga", ".ppm", ".pgm", ".exr", ".hdr", ".psd", ".svg"
})  # fmt: skip
"""How the names of images end that cannot be read here."""
_PNG = b"\x89PNG\r\n\x1a\n"
TEXTS_OF_PNG = (b"tEXt", b"zTXt", b"iTXt")
"""Kinds of chunks that hold text."""
_TURNS = b"Raw profile type exif"
"""Keyword of a text that says how the image is turned."""


def open_image(path: Path) -> Image.Image | ItemError:
    """The image as RGB, upright and on white where it is transparent, or why it cannot be read."""
    try:
        return _upright(path)
    except FileNotFoundError:
        return ItemError(f"the image {path} no longer exists")
    except UnidentifiedImageError:
        return ItemError(f"{path} is not an image")
    except Exception as error:  # a decoder raises whatever a broken file makes it raise
        return ItemError(f"the image {path} cannot be read ({complaint(error)})")


def _upright(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return as_rgb(ImageOps.exif_transpose(image))
    except ValueError:  # so Pillow refuses a PNG whose texts are very large; its pixels may be sound
        bare = without_texts(path.read_bytes())
        if bare is None:
            raise
    with Image.open(io.BytesIO(bare)) as image:
        return as_rgb(ImageOps.exif_transpose(image))


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height from the file's header; None for a file that is no image, or broken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with Image.open(path) as image:
                    return image.size
            except ValueError:
                bare = without_texts(path.read_bytes())
            if bare is None:
                return None
            with Image.open(io.BytesIO(bare)) as image:
                return image.size
    except Exception:  # a decoder raises whatever a broken file makes it raise
        return None


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk of a PNG: its kind, and where its data starts and ends; none if it is no PNG.

    A chunk that the file cuts off is left out. The reader may move the file between chunks.
    """
    file.seek(0)
    if file.read(len(_PNG)) != _PNG:
        return
    place = len(_PNG)
    total = file.seek(0, io.SEEK_END)
    while place + 12 <= total:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        start, end = place + 8, place + 8 + length
        if end + 4 > total:
            return
        yield kind, start, end
        place = end + 4


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Of a JPEG: in the data of its scans, a byte of 255 is followed by 0 or by a restart."""
_BARE = (0x01, 0xD8)
"""Markers without a length."""
SCAN, _END_OF_JPEG = 0xDA, 0xD9


def jpeg_markers(content: bytes) -> Iterator[int]:
    """The markers of a JPEG until its end, or until nothing like one follows; what decoders skip is skipped."""
    place = 0
    while (found := _MARKER.search(content, place)) and found[0][1] != _END_OF_JPEG:
        yield found[0][1]
        place = found.end()
        if found[0][1] not in _BARE:
            place += max(2, int.from_bytes(content[place : place + 2]))


def without_texts(content: bytes) -> bytes | None:
    """A PNG without its texts, except one that says how it is turned; None if it is no PNG, or has none."""
    cuts = []
    for kind, start, end in png_chunks(io.BytesIO(content)):
        if kind in TEXTS_OF_PNG and not content.startswith(_TURNS, start, end):
            cuts.append((start - 8, end + 4))
    if not cuts:
        return None
    kept, place = [], 0
    for start, end in cuts:
        kept.append(content[place:start])
        place = end
    return b"".join([*kept, content[place:]])


def as_rgb(image: Image.Image) -> Image.Image:
    """The image in RGB; on white where it is transparent, as in the official release."""
    image = in_eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def in_eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits scaled to 8, where Pillow's own conversion clips at 255; any other image as it is."""
    if not image.mode.startswith("I;16"):
        return image
    scaled = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    scaled.info.pop("transparency", None)  # a value of the 16 bits
    return scaled


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG file's content."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def write_png(path: Path, image: Image.Image) -> Path:
    """Writes the image, whole or not at all.

    Raises:
        RunError: the disk refuses.
    """
    return write_whole(path, png_bytes(image))


def is_whole(path: Path) -> bool:
    """Whether a PNG written by a run is still whole, by its checksums; its pixels are not decoded.

    Raises:
        RunError: the file exists but cannot be read, so nothing is known about it.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except OSError as error:
        reason = error.strerror or error
        raise RunError(
            f"the image {path} cannot be read ({reason}); fix its permissions or the disk, then run the command again"
        ) from None
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except Exception:  # a decoder raises whatever a broken file makes it raise
        return False
    return True
