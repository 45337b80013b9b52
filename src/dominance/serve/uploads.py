"""Images from outside: checked before they are decoded, and kept only as what their pixels are."""

import io
import itertools
import re
import secrets
import shutil
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from dominance.errors import InputError
from dominance.pictures import SCAN, as_rgb, jpeg_markers, write_png
from dominance.serve.places import folder_in

FORMATS: tuple[str, ...] = ("PNG", "JPEG", "WEBP")
_LONGEST_SIDE = 16_384
_MOST_SCANS = 100
"""Of a JPEG; progressive ones have about ten."""
_MOST_MARKERS = 5000
_EDGES = " .-_"
_LONGEST_NAME, _MOST_NAME_BYTES = 80, 160
_SHOWN = 3
"""Names of an upload's images that a list of uploads shows."""


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
            _check_scans(content, image.format)
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


def _check_scans(content: bytes, format: str | None) -> None:
    """Refuses a JPEG that takes hours to decode: a scan may be a few bytes, and each is a pass over all pixels."""
    if format not in ("JPEG", "MPO"):
        return
    markers = list(itertools.islice(jpeg_markers(content), _MOST_MARKERS))
    if len(markers) == _MOST_MARKERS or markers.count(SCAN) > _MOST_SCANS:
        raise InputError(f"the JPEG is drawn in more than {_MOST_SCANS} scans; convert it, and send it again")


def display_name(given: str) -> str:
    r"""What is kept of a name that a sender gave its file: letters, digits and plain signs, without folder and ending.

    >>> display_name("C:\\me\\Schloß <1> (2).JPG"), display_name("=cmd().png"), display_name("../.."), display_name("")
    ('Schloß 1 (2)', 'cmd', '', '')
    """
    own = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    own = re.sub(r"\.(?:png|jpe?g|webp)$", "", own, flags=re.IGNORECASE)
    plain = " ".join(re.sub(r"[^\w ().-]|\(\)", " ", own).split()).strip(_EDGES)[:_LONGEST_NAME]
    return plain.encode("utf-8", "ignore")[:_MOST_NAME_BYTES].decode("utf-8", "ignore").strip(_EDGES)


@dataclass(frozen=True)
class KeptUpload:
    """An upload that is kept.

    Attributes:
        files: names of its images, the first of them.
        changed: when it was last added to, in seconds since 1970.
    """

    upload: str
    images: int
    files: tuple[str, ...]
    changed: float


class Uploads:
    """Folders of uploaded images below one folder; every file is a PNG that was written here.

    Args:
        most_images: in one upload.
    """

    def __init__(self, folder: Path, most: Most, most_images: int) -> None:
        self.folder, self.most, self._most_images = folder, most, most_images
        self._adding = threading.Lock()

    def new(self) -> str:
        """An empty upload's name."""
        name = secrets.token_hex(8)
        (self.folder / name).mkdir(parents=True)
        return name

    def find(self, name: str) -> Path | None:
        """The folder of an upload."""
        return folder_in(self.folder, name)

    def listed(self) -> list[KeptUpload]:
        """All that are kept, the latest first."""
        found = []
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if self.find(folder.name) is not None:
                files = sorted(file.name for file in folder.glob("*.png"))
                found.append(KeptUpload(folder.name, len(files), tuple(files[:_SHOWN]), folder.stat().st_mtime))
        return sorted(found, key=lambda upload: -upload.changed)

    def discard(self, name: str) -> None:
        """Deletes an upload that no job will read."""
        if (folder := self.find(name)) is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def add(self, name: str, content: bytes, given: str = "") -> str:
        """Checks an image, and keeps it in an upload; gives the file's name: a number, and what may stay of its own.

        Args:
            given: what its sender calls it.

        Raises:
            InputError: no such upload, one that is full, or an image that cannot be used.
        """
        folder = self.find(name)
        if folder is None:
            raise InputError("there is no such upload; begin one with POST /api/uploads")
        image = read_upload(content, self.most)
        own = display_name(given) or secrets.token_hex(3)
        with self._adding:
            count = sum(1 for _ in folder.glob("*.png"))
            if count >= self._most_images:
                raise InputError(f"the upload holds {count} images; begin another one")
            return write_png(folder / f"{count + 1:04d}-{own}.png", image).name
