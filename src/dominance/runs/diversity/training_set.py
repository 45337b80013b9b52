"""What a set of pictures shows beside its embeddings: captions, the subject's place, size and poses, the backdrop."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.diversity.captions import CaptionFindings, caption_findings
from dominance.diversity.layout import (
    BackdropFindings,
    Box,
    LayoutFindings,
    PoseFindings,
    backdrop_colour,
    backdrop_findings,
    box_of,
    layout_findings,
    mask_of,
    pose_findings,
)
from dominance.errors import ItemError
from dominance.metrics import mirrored_pairs, silhouette
from dominance.pictures import open_image
from dominance.runs.diversity.result import Mirrored
from dominance.runs.diversity.source import Collection, ImageSet

_MOST = 400
"""Pictures of a set whose subject and backdrop are looked at, evenly spaced."""
_SIDE = 256
_THUMBNAIL = 16


@dataclass(frozen=True)
class SetLook:
    """What was found out about one set, and what of it could not be used."""

    captions: CaptionFindings | None
    layout: LayoutFindings | None
    poses: PoseFindings | None
    backdrop: BackdropFindings | None
    problems: dict[Path, str]


def look_at(collection: Collection, image_set: ImageSet, files: Sequence[Path], token: str | None) -> SetLook:
    """Looks at the set's readable files.

    Args:
        token: that captions are to name; None for none that is known.
    """
    captions = [image_set.captions.get(file) for file in files]
    told = caption_findings(captions, token) if any(captions) or token else None
    problems: dict[Path, str] = {}
    boxes: list[tuple[Box, str]] = []
    masked, bordered, silhouettes = [], [], []
    for file in files[:: -(-len(files) // _MOST) if files else 1]:
        image = open_image(collection.root / file)
        if isinstance(image, ItemError):
            continue
        try:
            inside = _mask(collection.root, image_set, file, image)
            box, by = _box(image_set, file, image, inside)
        except ValueError as error:
            problems[file] = str(error)
            continue
        if box is not None:
            boxes.append((box, by))
        if inside is not None:
            silhouettes.append(silhouette(inside))
        colour = backdrop_colour(*_small(image, inside))
        if colour is not None:
            (bordered if inside is None else masked).append(colour)
    by = " and ".join(sorted({by for _, by in boxes}))
    outside = masked if len(masked) >= len(bordered) else bordered
    return SetLook(
        told,
        layout_findings([box for box, _ in boxes], by),
        pose_findings(silhouettes),
        backdrop_findings(outside, "masks" if outside is masked else "borders"),
        problems,
    )


def mirrored_copies(root: Path, files: Sequence[Path]) -> Mirrored:
    """The pictures of a set that are another one flipped left to right."""
    small = {
        file: np.asarray(opened.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX))
        for file in files
        if not isinstance(opened := open_image(root / file), ItemError)
    }
    if not small:
        return Mirrored()
    names, (pairs, images, found) = [file.as_posix() for file in small], mirrored_pairs(np.stack([*small.values()]))
    return Mirrored(pairs, images, tuple((names[a], names[b]) for a, b in found))


def _mask(root: Path, image_set: ImageSet, file: Path, image: Image.Image) -> np.ndarray | None:
    """The subject's pixels, by the mask beside the image, else by its transparency; None without either."""
    mask = image_set.masks.get(file)
    if mask is not None:
        opened = open_image(root / mask)
        if isinstance(opened, ItemError):
            raise ValueError(f"its mask cannot be used: {opened}")
        return mask_of(opened, image.size)
    with Image.open(root / file) as original:
        if "A" not in original.getbands() or original.size != image.size:
            return None
        alpha = original.getchannel("A")
    solid = np.asarray(alpha) >= 128
    return None if solid.all() or not solid.any() else solid


def _box(image_set: ImageSet, file: Path, image: Image.Image, inside: np.ndarray | None) -> tuple[Box | None, str]:
    if inside is not None:
        return box_of(inside), "masks"
    given = image_set.boxes.get(file)
    if given is None:
        return None, ""
    left, top, width, height = given
    return Box(
        left / image.width, top / image.height, (left + width) / image.width, (top + height) / image.height
    ), "boxes"


def _small(image: Image.Image, inside: np.ndarray | None) -> tuple[Image.Image, np.ndarray | None]:
    """Image and mask, small enough for a mean colour."""
    if max(image.size) <= _SIDE:
        return image, inside
    size = tuple(max(1, round(length * _SIDE / max(image.size))) for length in image.size)
    reduced = image.resize((size[0], size[1]), Image.Resampling.BOX)
    if inside is None:
        return reduced, None
    mask = Image.fromarray((inside * 255).astype(np.uint8)).resize((size[0], size[1]), Image.Resampling.NEAREST)
    return reduced, np.asarray(mask) >= 128
