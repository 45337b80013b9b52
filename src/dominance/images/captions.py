"""Images with captions, to train on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_folder
from dominance.images.evidence import text_beside
from dominance.images.links import followed, real_path
from dominance.images.listing import ImageFile, list_images, without_sheets
from dominance.images.masks import without_masks
from dominance.images.tables import Row, absent, is_table, metadata_of, read_list
from dominance.images.texts import prompt_of_parameters
from dominance.records import LeftOut
from dominance.wording import on_one_line


@dataclass(frozen=True)
class CaptionedImage:
    """An image to train on; its caption is None where none was given."""

    image: ImageFile
    caption: str | None


@dataclass(frozen=True)
class Captioned:
    """The images of a folder or list, ordered by path, and what is left out."""

    root: Path
    images: tuple[CaptionedImage, ...]
    left_out: tuple[LeftOut, ...]


def captioned_images(source: Path) -> Captioned:
    """The images of a folder, at any depth, or of a list, each with its caption.

    A caption is what ``metadata.jsonl`` or ``metadata.csv`` in the image's folder says, else the ``.txt`` file beside
    it. Left out is what ``score`` leaves out: hidden files, contact sheets, links that lead out of the folder.

    Args:
        source: a folder, or a CSV or JSONL file that gives each image's path and caption.

    Raises:
        InputError: it is neither, cannot be read, or holds no images.
    """
    if is_table(source):
        found = _of_list(source)
    elif is_folder(source):
        found = _of_folder(source)
    else:
        raise InputError(f"there is no image folder at {on_one_line(source, 120)}; give a folder of images")
    if not found.images:
        raise InputError(f"{on_one_line(source, 120)} holds no images; give a folder of images")
    return found


@dataclass(frozen=True)
class Description:
    """What is said of an image: its caption, and the box of its subject as ``tables.Row`` has it."""

    caption: str | None
    box: tuple[float, float, float, float] | None


def described(root: Path, images: Sequence[ImageFile]) -> tuple[dict[Path, Description], list[LeftOut]]:
    """What metadata and text files say of the images of a folder, by their paths in it, and rows without an image.

    Raises:
        InputError: metadata that cannot be read.
    """
    rows = _metadata(root, images)
    told = {
        image.path: Description(_caption(root, image, row), None if row is None else row.box)
        for image in images
        for row in (rows.get(image.path),)
    }
    return told, absent(rows, root)


def boxes_beside(root: Path, images: Sequence[ImageFile]) -> dict[Path, tuple[float, float, float, float]]:
    """The boxes that metadata among the images of a folder gives some of them, by their paths in it.

    Raises:
        InputError: metadata that cannot be read.
    """
    return {path: row.box for path, row in _metadata(root, images).items() if row.box is not None}


def _metadata(root: Path, images: Sequence[ImageFile]) -> dict[Path, Row]:
    """The rows of all metadata above the images, by the image that each is about."""
    rows: dict[Path, Row] = {}
    for folder in sorted({above for image in images for above in image.path.parents}):
        rows |= {folder / row.path: row for row in metadata_of(root / folder) if row.path is not None}
    return rows


def _of_folder(root: Path) -> Captioned:
    listing, masks = without_masks(list_images(root))
    rows = _metadata(root, listing.images)
    listing = without_sheets(listing, [image for image in listing.images if image.path in rows])
    images = tuple(CaptionedImage(image, _caption(root, image, rows.get(image.path))) for image in listing.images)
    told = [LeftOut(mask.path.as_posix(), f"is the mask of {path.name}") for path, mask in masks.items()]
    return Captioned(root, images, (*listing.left_out, *told, *absent(rows, root)))


def _caption(root: Path, image: ImageFile, row: Row | None) -> str | None:
    if row is not None and row.text:
        return row.text
    text = text_beside(root / image.path)
    return None if text is None else prompt_of_parameters(text) or None


def _of_list(file: Path) -> Captioned:
    root, base = file.parent, real_path(file.parent)
    images, left_out = [], []
    for row in read_list(file):
        path = row.path or Path()
        if (root / path).is_file():
            images.append(CaptionedImage(ImageFile(path, followed(root / path, base) or root / path), row.text))
        else:
            left_out.append(LeftOut(path.as_posix(), f"is not there ({row.where})", missing=True))
    return Captioned(root, tuple(images), tuple(left_out))
