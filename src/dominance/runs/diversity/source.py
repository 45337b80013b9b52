"""Images by concept: a folder of folders, or a CSV of paths."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_file, is_folder, read_table, read_text
from dominance.pictures import IMAGE_ENDINGS
from dominance.suites.entries import slug
from dominance.wording import on_one_line, quoted

MOST_IMAGES = 1_000_000
COLUMNS = ("path", "concept", "category")


@dataclass(frozen=True)
class ImageSet:
    """The images of one concept.

    Attributes:
        concept: its name.
        category: its heading; None without one.
        files: relative to the collection's root, ordered by name.
    """

    concept: str
    category: str | None
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Collection:
    """The images to measure; ``outside`` are links that lead out of the root and are not followed."""

    name: str
    root: Path
    sets: tuple[ImageSet, ...]
    outside: tuple[Path, ...] = ()

    @property
    def images(self) -> int:
        return sum(len(image_set.files) for image_set in self.sets)


def read_collection(source: Path) -> Collection:
    """The images of a folder, or of a CSV file, by concept.

    A folder holds one folder per concept, or one per category with one per concept in it; a folder of images alone is a
    single concept. Other files, and names that start with a dot, are ignored. A CSV has the columns ``path`` (relative
    to the CSV's folder), ``concept`` and optionally ``category``; others are ignored.

    Raises:
        InputError: the source is neither; there are no images; images lie next to folders; a column is missing; a path
            leads out of the folder, or is listed twice; no concept has two images.
    """
    if is_folder(source):
        collection = _folder(source)
    elif source.suffix.lower() in (".csv", ".tsv") and is_file(source):
        collection = _table(source)
    else:
        raise InputError(
            f"{on_one_line(source, 120)} is neither a folder nor a .csv or .tsv file; give a folder with one folder of"
            " images per concept, or a CSV with the columns path and concept"
        )
    if not collection.images:
        raise InputError(
            f"{on_one_line(source, 120)} holds no images; give a folder with one folder of images"
            f" ({', '.join(sorted(IMAGE_ENDINGS))}) per concept"
        )
    if collection.images > MOST_IMAGES:
        raise InputError(f"the source has {collection.images} images, more than {MOST_IMAGES}; measure some of them")
    if all(len(image_set.files) < 2 for image_set in collection.sets):
        raise InputError(
            f"{on_one_line(source, 120)} has no concept with two images, so there is no distance to measure; give two"
            " or more images per concept"
        )
    return collection


def _folder(root: Path) -> Collection:
    try:
        sets, outside = _walk(root)
    except OSError as error:
        raise InputError(
            f"{on_one_line(error.filename or root, 120)} cannot be read ({error.strerror or error}); check its"
            " permissions"
        ) from None
    return Collection(slug(Path(os.path.realpath(root)).name), root, tuple(sets), tuple(outside))


def _walk(root: Path) -> tuple[list[ImageSet], list[Path]]:
    base = Path(os.path.realpath(root))
    outside: list[Path] = []

    def listed(folder: Path) -> tuple[list[Path], list[Path]]:
        """Images and folders in a folder, without links that lead out of the root."""
        images, folders = [], []
        for path in sorted(Path(entry) for entry in os.scandir(folder) if not entry.name.startswith(".")):
            is_a_folder = path.is_dir()
            if not is_a_folder and path.suffix.lower() not in IMAGE_ENDINGS:
                continue
            if path.is_symlink() and not _within(path, base):
                outside.append(path.relative_to(root))
            else:
                (folders if is_a_folder else images).append(path)
        return images, folders

    images, folders = listed(root)
    if not folders:
        return ([ImageSet(base.name, None, _relative(images, root))] if images else []), outside
    sets = []
    for folder in folders:
        own, inner = listed(folder)
        _refuse_mixed(folder, own, inner)
        if not inner:
            sets.append(ImageSet(folder.name, None, _relative(own, root)))
            continue
        for concept in inner:
            found, deeper = listed(concept)
            if deeper:
                raise InputError(
                    f"{on_one_line(concept, 120)} holds folders instead of images; give a folder of concepts, or of"
                    " categories of concepts"
                )
            sets.append(ImageSet(concept.name, folder.name, _relative(found, root)))
    kept = [image_set for image_set in sets if image_set.files]
    if images and kept:
        _refuse_mixed(root, images, folders)
    return kept, outside


def _within(path: Path, base: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(base)  # resolve() would raise on a link to itself


def _relative(images: list[Path], root: Path) -> tuple[Path, ...]:
    return tuple(image.relative_to(root) for image in images)


def _refuse_mixed(folder: Path, images: list[Path], folders: list[Path]) -> None:
    if images and folders:
        raise InputError(
            f"{on_one_line(folder, 120)} holds images ({on_one_line(images[0].name, 60)}) next to folders"
            f" ({on_one_line(folders[0].name, 60)}), so their concept is unclear; move them into a folder of their own"
        )


def _table(file: Path) -> Collection:
    rows = list(_rows(file))
    root, base = file.parent, Path(os.path.realpath(file.parent))
    sets: dict[tuple[str | None, str], list[Path]] = {}
    seen: dict[tuple[str, Path], int] = {}
    for line, row in rows:
        where = f"{on_one_line(file, 120)}: line {line}"
        path = Path(row["path"])
        if not row["path"] or not row["concept"]:
            raise InputError(f"{where}: {'path' if not row['path'] else 'concept'} is empty; fill it in")
        try:
            inside = not path.is_absolute() and _within(root / path, base)
        except (OSError, ValueError):  # not a valid file name
            inside = False
        if not inside:
            raise InputError(
                f"{where}: the path {quoted(row['path'])} leads out of {on_one_line(root, 80)}; give paths within the"
                " CSV's own folder"
            )
        if (earlier := seen.setdefault((row["concept"], path), line)) != line:
            raise InputError(f"{where}: {quoted(row['path'])} is already in line {earlier}; keep one of the two")
        sets.setdefault((row["category"] or None, row["concept"]), []).append(path)
    made = (ImageSet(concept, category, tuple(files)) for (category, concept), files in sets.items())
    return Collection(slug(file.stem), root, tuple(made))


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    table = read_table(read_text(file), file, COLUMNS, needed=COLUMNS[:2])
    for line, row in table.rows:
        yield line, {column: row.get(column, "") for column in COLUMNS}
