"""Images from outside: checked before they are decoded, and kept only as what their pixels are."""

import io
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from dominance.errors import InputError
from dominance.pictures import as_rgb, write_png
from dominance.serve.places import folder_in

FORMATS: tuple[str, ...] = ("PNG", "JPEG", "WEBP")
_LONGEST_SIDE = 16_384


@dataclass(frozen=True)
class Most:
    """The largest image that is taken."""

    megabytes: int
    megapixels: int


def read_upload(content: bytes, most: Most) -> Image.Image:
    """The image in RGB, upright, on white where it is transparent; of an animation the first frame.

    Raises:
        InputError: not PNG, JPEG or WebP, too large in bytes or pixels, or broken.
    """
    check_bytes(len(content), most)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(image.size, most)
            image.verify()
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(image.size, most)
            return as_rgb(ImageOps.exif_transpose(image))
    except InputError:
        raise
    except Exception:  # a decoder raises whatever a hostile file makes it raise, and its words may hold the file's
        raise InputError("the file is no whole PNG, JPEG or WebP image; convert it, and send it again") from None


def check_bytes(count: int, most: Most) -> None:
    """Refuses a file of too many bytes, before it is read.

    Raises:
        InputError: it has more.
    """
    if count > most.megabytes * 1_000_000:
        raise InputError(f"the image has {count / 1e6:.1f} MB; send at most {most.megabytes} MB")


def _check_size(size: tuple[int, int], most: Most) -> None:
    width, height = size
    if width * height > most.megapixels * 1_000_000 or max(size) > _LONGEST_SIDE:
        raise InputError(f"the image has {width}×{height} pixels; send at most {most.megapixels} megapixels")


class Uploads:
    """Folders of uploaded images below one folder; every file is a PNG that was written here.

    Args:
        most_images: in one upload.
    """

    def __init__(self, folder: Path, most: Most, most_images: int) -> None:
        self.folder, self.most, self._most_images = folder, most, most_images

    def new(self) -> str:
        """An empty upload's name."""
        name = secrets.token_hex(8)
        (self.folder / name).mkdir(parents=True)
        return name

    def find(self, name: str) -> Path | None:
        """The folder of an upload."""
        return folder_in(self.folder, name)

    def discard(self, name: str) -> None:
        """Deletes an upload that no job will read."""
        if (folder := self.find(name)) is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def add(self, name: str, content: bytes) -> str:
        """Checks an image, and keeps it in an upload; gives the file's name, which the sender does not choose.

        Raises:
            InputError: no such upload, one that is full, or an image that cannot be used.
        """
        folder = self.find(name)
        if folder is None:
            raise InputError("there is no such upload; begin one with POST /api/uploads")
        image = read_upload(content, self.most)
        count = sum(1 for _ in folder.glob("*.png"))
        if count >= self._most_images:
            raise InputError(f"the upload holds {count} images; begin another one")
        file = write_png(folder / f"{count + 1:04d}-{secrets.token_hex(3)}.png", image)
        return file.name
