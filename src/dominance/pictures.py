"""Images as files and as models take them: read if they can be, in RGB, written as PNG."""

import io
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from dominance.errors import ItemError, RunError
from dominance.files import write_whole
from dominance.wording import complaint

IMAGE_ENDINGS: frozenset[str] = frozenset({
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"
})  # fmt: skip
"""How the names of image files end, in lower case; other files are ignored."""


def open_image(path: Path) -> Image.Image | ItemError:
    """The image as RGB, upright and on white where it is transparent, or why it cannot be read."""
    try:
        with Image.open(path) as image:
            return as_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        return ItemError(f"the image {path} no longer exists")
    except UnidentifiedImageError:
        return ItemError(f"{path} is not an image")
    except Exception as error:  # a decoder raises whatever a broken file makes it raise
        return ItemError(f"the image {path} cannot be read ({complaint(error)})")


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
