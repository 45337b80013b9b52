"""Image files as pages show them: as data URIs small enough to live in one page, or linked beside it."""

import base64
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from PIL import Image, ImageOps, features

from dominance.pictures import in_eight_bits, without_texts

_WHOLE_BYTES = 20_000
"""A PNG of at most this size is embedded as it is."""
_WHOLE_PIXELS = 1_000_000
_PIXELATED_SIDE = 128
_CELL_SIDE = 160
_QUALITY = 80


@dataclass(frozen=True)
class Embedded:
    """An image as the page shows it.

    Attributes:
        uri: the data URI, or the file's place below the page's folder.
        width, height: in CSS pixels; of a pixelated image, a whole multiple of its own.
        pixelated: whether the source is so small that its pixels are shown as squares.
    """

    uri: str
    width: int
    height: int
    pixelated: bool


@dataclass(frozen=True)
class Missing:
    """Why an image cannot be shown, in a few words."""

    reason: str


Shown = Literal["auto", "inline", "linked"]
"""Whether a page holds its images, or shows the files in the folder beside it; ``auto``: by how large it would be."""
MOST_INLINE: int = 20_000_000
"""Characters of images in a page that holds them, unless asked otherwise."""


@dataclass(frozen=True)
class Pictures:
    """The images of a page: their folder, and how the page shows them.

    Attributes:
        side: longest side of a thumbnail in pixels.
        linked: whether files in the folder are shown from there; others are always in the page.
    """

    folder: Path
    side: int
    linked: bool = False

    def of(self, file: str) -> Embedded | Missing:
        """A file as the page shows it; its name is absolute, or relative to the folder."""
        return (
            link(self.folder, file)
            if self.linked and not Path(file).is_absolute()
            else embed(self.folder / file, self.side)
        )


def pictures_of(folder: Path, files: Collection[str], shown: Shown = "auto") -> Pictures:
    """How a page in the folder shows these files."""
    side = thumbnail_side(len(files))
    own = [file for file in files if not Path(file).is_absolute()]
    linked = shown == "linked" or (shown == "auto" and _characters(folder, files, side) > MOST_INLINE)
    return Pictures(folder, side, linked and bool(own))


def _characters(folder: Path, files: Iterable[str], side: int) -> float:
    """About how many characters the images would be in a page; a thumbnail has about an eighth of a byte a pixel."""
    total = 0.0
    for file in files:
        try:
            size = (folder / file).stat().st_size
        except OSError:
            continue
        total += 4 / 3 * (size if size <= _WHOLE_BYTES else min(size, side * side / 8))
    return total


def link(folder: Path, file: str) -> Embedded | Missing:
    """A file below the page's folder, shown from there; only its head is read."""
    try:
        with Image.open(folder / file) as image:
            size = image.size
    except FileNotFoundError:
        return Missing("the file is missing")
    except Exception:  # a decoder may raise anything for a broken file
        return Missing("the file is not a readable image")
    return _sized(quote(Path(file).as_posix()), size)


def thumbnail_side(images: int) -> int:
    """Longest side of a thumbnail in pixels: the more images in a page, the smaller, so that it still opens."""
    if images <= 400:
        return 320
    return 240 if images <= 1200 else 176


def embed(path: Path, side: int) -> Embedded | Missing:
    """Reads an image for the page; never raises for a file that is missing or broken.

    A PNG of at most 20 kB is embedded as it is; anything else becomes a thumbnail whose longest side is at
    most ``side`` pixels.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Missing("the file is missing")
    except OSError as error:
        return Missing(f"the file cannot be read ({error.strerror or type(error).__name__})")
    try:
        try:
            return _embedded(content, side)
        except ValueError:  # so Pillow refuses a PNG whose texts are very large
            return _embedded(without_texts(content) or b"", side)
    except Exception:  # a decoder may raise anything for a broken file
        return Missing("the file is not a readable image")


def _embedded(content: bytes, side: int) -> Embedded:
    with Image.open(io.BytesIO(content)) as image:
        return _shrunk(content, image, side)


def _shrunk(content: bytes, image: Image.Image, side: int) -> Embedded:
    image.load()
    if image.format == "PNG" and len(content) <= _WHOLE_BYTES and image.width * image.height <= _WHOLE_PIXELS:
        return _shown("png", content, image.size)
    source = image.size
    upright = in_eight_bits(ImageOps.exif_transpose(image))
    small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if max(source) <= _PIXELATED_SIDE:
        return _shown("png", _saved(small, "PNG"), small.size)
    if features.check("webp"):
        return _shown("webp", _saved(small, "WEBP"), small.size)
    return _shown("jpeg", _saved(small.convert("RGB"), "JPEG"), small.size)


def _saved(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=_QUALITY)
    return buffer.getvalue()


def _shown(kind: str, content: bytes, size: tuple[int, int]) -> Embedded:
    return _sized(f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}", size)


def _sized(uri: str, size: tuple[int, int]) -> Embedded:
    longest = max(size)
    if longest <= _PIXELATED_SIDE:
        times = max(1, _CELL_SIDE // longest)
        return Embedded(uri, size[0] * times, size[1] * times, True)
    scale = _CELL_SIDE / longest
    return Embedded(uri, max(1, round(size[0] * scale)), max(1, round(size[1] * scale)), False)
