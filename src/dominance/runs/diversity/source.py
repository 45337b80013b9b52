"""Images by concept: a folder of folders, or a list of paths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_folder
from dominance.images.captions import boxes_beside, described
from dominance.images.links import real_path
from dominance.images.listing import ImageFile, list_images, without_sheets, without_twins
from dominance.images.masks import masks_beside, without_masks
from dominance.images.tables import Row, is_table, read_list
from dominance.pictures import IMAGE_ENDINGS
from dominance.records import LeftOut
from dominance.suites.entries import slug
from dominance.wording import on_one_line, quoted

MOST_IMAGES = 1_000_000
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
    """The images of a folder, or of a list, by concept.

    A folder holds one folder per concept, or one per category with one per concept in it; a folder of images alone is a
    single concept. Files that are no images are passed over; what else is not used is in ``left_out``.

    A list is a CSV, TSV or JSONL as ``train dreambooth`` reads it: paths relative to its folder, each with a caption, a
    concept or both. A ``category`` is optional, other columns are ignored. Without concepts, all images are of one that
    is called as the list. Masks and boxes are found as in folders; a ``bbox`` in the list comes before one in metadata.

    Raises:
        InputError: the source is neither; there are no images; images lie next to folders; a column is missing; a path
            leads out of the folder, or is listed twice without captions; no concept has two images.
    """
    if is_folder(source):
        collection = _folder(source)
    elif is_table(source):
        collection = _list(source)
    else:
        raise InputError(
            f"{on_one_line(source, 120)} is neither a folder nor a .csv, .tsv or .jsonl file; give a folder with one"
            " folder of images per concept, or a list with a path and a concept or caption for each image"
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


def _list(file: Path) -> Collection:
    rows, root = read_list(file, or_concept=True), file.parent
    named = any(row.concept is not None for row in rows)
    sets: dict[tuple[str | None, str], dict[Path, Row]] = {}
    again = []
    for row in rows:
        path, concept = row.path or Path(), row.concept if named else file.stem
        if not concept:
            raise InputError(f"{row.where}: concept is empty; fill it in")
        earlier = sets.setdefault((row.category, concept), {}).setdefault(path, row)
        if earlier is row:
            continue
        line = earlier.where.rpartition(": ")[2]
        if row.text is None:
            raise InputError(f"{row.where}: {quoted(path.as_posix())} is already in {line}; keep one of the two")
        again.append(LeftOut(path.as_posix(), f"is already in {line}; counts once, with its first caption"))
    images = [ImageFile(path, root / path) for path in sorted({path for own in sets.values() for path in own})]
    masks, boxes = masks_beside(root, images), boxes_beside(root, images)
    made = (
        ImageSet(
            concept,
            category,
            tuple(own),
            {path: row.text for path, row in own.items() if row.text},
            {path: masks[path] for path in own if path in masks},
            {path: box for path, row in own.items() if (box := row.box or boxes.get(path))},
        )
        for (category, concept), own in sets.items()
    )
    return Collection(slug(file.stem), root, tuple(made), tuple(again))
