"""The images of a folder, at any depth, and what lies among them that is not used."""

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dominance.errors import InputError
from dominance.images.links import followed, real_path, why_not_followed
from dominance.images.sheets import sheets_of
from dominance.pictures import IMAGE_ENDINGS, OTHER_ENDINGS
from dominance.records import LeftOut
from dominance.wording import complaint, on_one_line

_ENDINGS = IMAGE_ENDINGS | OTHER_ENDINGS
_OF_THE_SYSTEM = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})


@dataclass(frozen=True, order=True)
class ImageFile:
    """An image in a user's folder.

    Attributes:
        path: relative to the folder.
        file: absolute, its links followed except into a hub's cache.
    """

    path: Path
    file: Path


@dataclass(frozen=True)
class Listing:
    """The images of a folder, ordered by path, and what is left out."""

    root: Path
    images: tuple[ImageFile, ...]
    left_out: tuple[LeftOut, ...] = ()

    def without(self, images: Sequence[ImageFile], left_out: Sequence[LeftOut]) -> "Listing":
        """The same with some images left out."""
        gone = set(images)
        kept = tuple(image for image in self.images if image not in gone)
        return replace(self, images=kept, left_out=(*self.left_out, *left_out))


def list_images(root: Path) -> Listing:
    """Every image in a folder, at any depth.

    Hidden files and folders, and those of the operating system, are left out. So are images in formats that cannot be
    read, and links that lead out of the folder: those are missing. Files that are no images are passed over.

    Raises:
        InputError: a folder cannot be read, or a name is not UTF-8.
    """
    images: list[ImageFile] = []
    left_out: list[LeftOut] = []
    base = real_path(root)
    with reading(root):
        for found in _walk(root, Path(), base, (base,)):
            if isinstance(found, ImageFile):
                images.append(found)
            else:
                left_out.append(found)
    return Listing(root, tuple(sorted(images)), tuple(left_out))


def images_in(root: Path, folder: Path) -> list[ImageFile]:
    """The images that lie in one folder within a folder of images, not deeper, without hidden ones and links out of it.

    Args:
        folder: relative to the root; need not be there.

    Raises:
        InputError: it cannot be read.
    """
    base, place = real_path(root), root / folder
    if not place.is_dir():
        return []
    with reading(place):
        return [
            ImageFile(folder / path.name, file)
            for path in sorted(place.iterdir())
            if path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith(".") and path.is_file()
            if (file := followed(path, base)) is not None
        ]


@contextmanager
def reading(folder: Path) -> Generator[None]:
    """A folder that the disk refuses to read is an ``InputError`` that names it."""
    try:
        yield
    except OSError as error:
        place = on_one_line(error.filename or folder, 120)
        raise InputError(f"{place} cannot be read ({complaint(error)}); check its permissions") from None


def _walk(folder: Path, within: Path, base: Path, above: tuple[Path, ...]) -> Iterator[ImageFile | LeftOut]:
    """What a folder holds, in the order of its names; ``above`` are the folders that it lies in, itself included."""
    for path in sorted(folder.iterdir()):
        name, place = path.name, within / path.name
        is_a_folder = path.is_dir()
        if name.startswith(".") or name in _OF_THE_SYSTEM:
            yield from _hidden(path, place, is_a_folder=is_a_folder)
            continue
        ending = path.suffix.lower()
        if not is_a_folder and ending not in _ENDINGS:
            continue
        _check_name(path)
        if path.is_symlink() and (not path.exists() or followed(path, base) is None):
            yield LeftOut(place.as_posix(), why_not_followed(path), missing=True)
        elif is_a_folder and real_path(path) in above:
            yield LeftOut(place.as_posix(), "is a link to a folder that it lies in", images=0)
        elif is_a_folder:
            yield from _walk(path, place, base, (*above, real_path(path)))
        elif ending in OTHER_ENDINGS:
            yield LeftOut(
                place.as_posix(), f"is in a format that cannot be read ({ending[1:]}); save it as png", missing=True
            )
        elif not path.is_file():
            yield LeftOut(place.as_posix(), "is not a file", missing=True)
        else:
            yield ImageFile(place, followed(path, base) or path)


def _hidden(path: Path, place: Path, *, is_a_folder: bool) -> Iterator[LeftOut]:
    if not is_a_folder:
        if path.suffix.lower() in _ENDINGS:
            yield LeftOut(place.as_posix(), "is a hidden file")
        return
    count = sum(Path(name).suffix.lower() in _ENDINGS for _, _, names in os.walk(path) for name in names)
    if count:
        yield LeftOut(place.as_posix(), "is a hidden folder", images=count)


def _check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError(f"the name of {str(path)!r} is not UTF-8; rename it") from None


def without_sheets(listing: Listing, kept: Sequence[ImageFile] = ()) -> Listing:
    """The images without contact sheets; see ``sheets_of``.

    Args:
        kept: images that are no contact sheets, whatever they are called.
    """
    by_folder: dict[Path, list[ImageFile]] = {}
    for image in listing.images:
        by_folder.setdefault(image.path.parent, []).append(image)
    known = {image.file for image in kept}
    sheets = [
        (image, reason)
        for images in by_folder.values()
        for image, reason in zip(images, sheets_of([one.file for one in images], known), strict=True)
        if reason
    ]
    told = [LeftOut(image.path.as_posix(), reason) for image, reason in sheets]
    return listing.without([image for image, _ in sheets], told)


def without_twins(images: Iterable[ImageFile]) -> tuple[list[ImageFile], list[LeftOut]]:
    """The images, ordered by path, without links to others of them, which are left out."""
    first: dict[Path, ImageFile] = {}
    given = list(images)
    # A file comes before the links to it, which mostly have another name.
    for image in sorted(given, key=lambda image: (image.file.name != image.path.name, image)):
        first.setdefault(image.file, image)
    twins = sorted(image for image in given if first[image.file] != image)
    told = [
        LeftOut(image.path.as_posix(), f"is the same file as {first[image.file].path.as_posix()}") for image in twins
    ]
    return sorted(first.values()), told
