"""Contact sheets: images that show the other images of their folder side by side, as many programs save them.

An image is a contact sheet if its name says so, or if its pixels do. By name: ``grid`` or ``contact sheet``, alone or
with a number or more words after it, as GenEval and AUTOMATIC1111's web UI have them. By pixels: it is the only image
of its folder with a size of its own, its sides are whole multiples of the other images', it has room for just as many
as there are, and each of them is in it. A size alone proves nothing: an enlarged picture has it too.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from dominance.errors import ItemError
from dominance.pictures import image_size, open_image

_SURELY = re.compile(r"(?:xyz?[_ -])?grid(?:[_ -]*\d+(?:[_ -].*)?)?|contact[_ -]?sheet(?:[^a-z].*)?")
_LIKELY = re.compile(r"(?:xyz?[_ -])?grid(?:[^a-z].*)?", re.DOTALL)
"""A sheet only beside images with other names."""
_MOST_TILES = 144
_PADDING = 4
"""Pixels between two images of a sheet, at most."""
_CELLS = 8
_ALIKE = 12.0
"""Mean difference of two images of 8×8 pixels, of 255, below which they are taken as the same."""

Size = tuple[int, int]


def sheets_of(images: Sequence[Path], known: Collection[Path] = ()) -> list[str | None]:
    """For each image of one folder, why it is a contact sheet; None if it is not.

    Args:
        known: images that are not, whatever they are called.
    """
    names = [image.stem.lower() for image in images]
    others = any(not _LIKELY.fullmatch(name) for name in names)
    by_name = [
        image not in known and bool(_SURELY.fullmatch(name) or (others and _LIKELY.fullmatch(name)))
        for image, name in zip(images, names, strict=True)
    ]
    rest = [image for image, named in zip(images, by_name, strict=True) if not named]
    by_pixels = _sheet_by_pixels(rest)
    return [
        "is a contact sheet, by its name; rename it if it is a picture of its own"
        if named
        else f"is a contact sheet of the other {len(rest) - 1} images"
        if image == by_pixels and image not in known
        else None
        for image, named in zip(images, by_name, strict=True)
    ]


def _sheet_by_pixels(images: Sequence[Path]) -> Path | None:
    """The one image that shows all the others side by side."""
    if not 3 <= len(images) <= _MOST_TILES + 1:
        return None
    sizes = [image_size(image) for image in images]
    counts = Counter(sizes)
    if len(counts) != 2 or min(counts.values()) != 1:
        return None
    (usual, _), (odd, _) = counts.most_common()
    if usual is None or odd is None:
        return None
    tiles = _tiles(odd, usual, len(images) - 1)
    if tiles is None:
        return None
    sheet = images[sizes.index(odd)]
    return sheet if _shows(sheet, [image for image in images if image != sheet], tiles, usual) else None


def _tiles(sheet: Size, image: Size, count: int) -> Size | None:
    """Columns and rows of a sheet with room for so many images, and not for a row more."""
    columns, rows = (whole // part for whole, part in zip(sheet, image, strict=True))
    if columns < 1 or rows < 1:
        return None
    spare = [whole - times * part for whole, part, times in zip(sheet, image, (columns, rows), strict=True)]
    fits = all(left <= _PADDING * (times + 1) for left, times in zip(spare, (columns, rows), strict=True))
    return (columns, rows) if fits and count <= columns * rows < count + max(columns, rows) else None


def _shows(sheet: Path, images: Sequence[Path], tiles: Size, usual: Size) -> bool:
    """Whether each of the images is one of the sheet's tiles."""
    import numpy as np

    opened = open_image(sheet)
    if isinstance(opened, ItemError):
        return False
    boxes = [
        (left, top, right, bottom)
        for top, bottom in _spans(opened.height, tiles[1], usual[1])
        for left, right in _spans(opened.width, tiles[0], usual[0])
    ]
    shown = [np.asarray(opened.crop(box).resize((_CELLS, _CELLS)), dtype=float) for box in boxes]
    for image in images:
        wanted = open_image(image)
        if isinstance(wanted, ItemError):
            return False
        cells = np.asarray(wanted.resize((_CELLS, _CELLS)), dtype=float)
        if min(float(np.abs(cells - tile).mean()) for tile in shown) >= _ALIKE:
            return False
    return True


def _spans(whole: int, count: int, side: int) -> list[tuple[int, int]]:
    """Where the tiles begin and end along one side, with equal room around each."""
    room = (whole - count * side) / (count + 1)
    starts = [round(room + place * (side + room)) for place in range(count)]
    return [(start, start + side) for start in starts]
