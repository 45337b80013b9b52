"""Images by concept: a folder of folders, or a CSV of paths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_file, is_folder, read_table, read_text
from dominance.images.captions import described
from dominance.images.links import real_path
from dominance.images.listing import ImageFile, list_images, without_sheets, without_twins
from dominance.images.masks import without_masks
from dominance.images.tables import check_inside
from dominance.pictures import IMAGE_ENDINGS
from dominance.records import LeftOut
from dominance.suites.entries import slug
from dominance.wording import on_one_line, quoted

MOST_IMAGES = 1_000_000
COLUMNS = ("path", "concept", "category", "caption")
_DEPTH = 2
"""Folders above an image, at most: a category and a concept."""


@dataclass(frozen=True)
class ImageSet:
    """The images of one concept.

    Attributes:
        concept: its name.
        category: its heading; None without one.
        files: relative to the collection's root, ordered by name.
        captions, masks, boxes: of the files that have one; masks are files, boxes left, top, width, height in pixels.
    """

    concept: str
    category: str | None
    files: tuple[Path, ...]
    captions: Mapping[Path, str] = field(default_factory=dict)
    masks: Mapping[Path, Path] = field(default_factory=dict)
    boxes: Mapping[Path, tuple[float, float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Collection:
    """The images to measure, and what is left out."""

    name: str
    root: Path
    sets: tuple[ImageSet, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def images(self) -> int:
        return sum(len(image_set.files) for image_set in self.sets)


def read_collection(source: Path) -> Collection:
    """The images of a folder, or of a CSV file, by concept.

    A folder holds one folder per concept, or one per category with one per concept in it; a folder of images alone is a
    single concept. Files that are no images are passed over; what else is not used is in ``left_out``. A CSV has the
    columns ``path`` (relative to the CSV's folder), ``concept`` and optionally ``category`` and ``caption``; others are
    ignored.

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
    listing, masks = without_masks(list_images(root))
    told, absent = described(root, listing.images)
    listing = without_sheets(listing, [image for image in listing.images if told[image.path].caption])
    by_folder: dict[Path, list[ImageFile]] = {}
    for image in listing.images:
        by_folder.setdefault(image.path.parent, []).append(image)
    _refuse_unclear(root, by_folder)
    sets, twice = [], []
    for folder, images in by_folder.items():
        own, again = without_twins(images)
        twice += again
        category = folder.parent.name or None
        name = folder.name or real_path(root).name
        files = tuple(image.path for image in own)
        sets.append(
            ImageSet(
                name,
                category,
                files,
                {file: caption for file in files if (caption := told[file].caption)},
                {file: masks[file].path for file in files if file in masks},
                {file: box for file in files if (box := told[file].box)},
            )
        )
    return Collection(slug(real_path(root).name), root, tuple(sets), (*listing.left_out, *twice, *absent))


def _refuse_unclear(root: Path, by_folder: dict[Path, list[ImageFile]]) -> None:
    """Refuses images next to folders of images, and folders too deep to be concepts or categories of concepts."""
    for folder in by_folder:
        for above in folder.parents:
            if above in by_folder:
                raise InputError(
                    f"{on_one_line(root / above, 120)} holds images ({on_one_line(by_folder[above][0].path.name, 60)})"
                    f" next to folders ({on_one_line(folder.relative_to(above).parts[0], 60)}), so their concept is"
                    " unclear; move them into a folder of their own"
                )
    deep = next((folder for folder in by_folder if len(folder.parts) > _DEPTH), None)
    if deep is not None:
        raise InputError(
            f"{on_one_line(root / Path(*deep.parts[:_DEPTH]), 120)} holds folders instead of images; give a folder of"
            " concepts, or of categories of concepts"
        )


def _table(file: Path) -> Collection:
    rows = list(_rows(file))
    root, base = file.parent, real_path(file.parent)
    sets: dict[tuple[str | None, str], list[Path]] = {}
    captions: dict[Path, str] = {}
    seen: dict[tuple[str, Path], int] = {}
    for line, row in rows:
        where = f"{on_one_line(file, 120)}: line {line}"
        path = Path(row["path"])
        if not row["path"] or not row["concept"]:
            raise InputError(f"{where}: {'path' if not row['path'] else 'concept'} is empty; fill it in")
        check_inside(row["path"], root, base, where)
        if (earlier := seen.setdefault((row["concept"], path), line)) != line:
            raise InputError(f"{where}: {quoted(row['path'])} is already in line {earlier}; keep one of the two")
        sets.setdefault((row["category"] or None, row["concept"]), []).append(path)
        if row["caption"]:
            captions[path] = row["caption"]
    made = (
        ImageSet(concept, category, tuple(files), {file: captions[file] for file in files if file in captions})
        for (category, concept), files in sets.items()
    )
    return Collection(slug(file.stem), root, tuple(made))


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    table = read_table(read_text(file), file, COLUMNS, needed=COLUMNS[:2])
    for line, row in table.rows:
        yield line, {column: row.get(column, "") for column in COLUMNS}
