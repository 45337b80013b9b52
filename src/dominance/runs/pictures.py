"""Pictures as files: read as far as they can be, written as PNG."""

import io
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from dominance.errors import ItemError, RunError
from dominance.judges.pictures import as_rgb
from dominance.wording import in_one_line


def open_image(path: Path) -> Image.Image | ItemError:
    """The image as RGB, upright and on white where it is transparent, or why it cannot be read."""
    try:
        with Image.open(path) as image:
            return as_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        return ItemError(f"the image {path} is gone")
    except UnidentifiedImageError:
        return ItemError(f"{path} is not an image")
    except Exception as error:  # a decoder raises whatever a broken file makes it raise
        return ItemError(f"the image {path} cannot be read ({in_one_line(error)})")


def is_whole(path: Path) -> bool:
    """Whether a PNG that a run has written is still whole, by its checksums; its pixels are not decoded.

    Raises:
        RunError: the file is there, but the system does not let it be read; then nothing is known about it.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"the image {path} cannot be read ({reason}); mend that, and run the command again") from None
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except Exception:  # a decoder raises whatever a broken file makes it raise
        return False
    return True


def png_bytes(image: Image.Image) -> bytes:
    """The image as a PNG file's content."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
