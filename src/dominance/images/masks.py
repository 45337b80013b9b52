"""Masks that lie among the images of a folder: which image each is of."""

from pathlib import Path

from dominance.images.listing import ImageFile, Listing
from dominance.records import LeftOut

_ENDS = ("_mask", "-mask", ".mask", "_masklabel")
_FOLDERS = ("mask", "masks")


def without_masks(listing: Listing) -> tuple[Listing, dict[Path, ImageFile]]:
    """The images without masks, and the mask of each image that has one.

    A mask is called as its image, with ``_mask`` at the end (``dog_mask.png``), or lies under the image's name in a
    folder ``masks`` beside it. What is so called without an image is an image.
    """
    images = {image.path.with_suffix(""): image for image in reversed(listing.images)}
    masks: dict[Path, ImageFile] = {}
    for image in listing.images:
        owner = next((place for place in _owners(image.path) if place in images and images[place] != image), None)
        if owner is not None:
            masks.setdefault(images[owner].path, image)
    told = [LeftOut(mask.path.as_posix(), f"is the mask of {path.name}") for path, mask in masks.items()]
    return listing.without(list(masks.values()), told), masks


def _owners(path: Path) -> list[Path]:
    """Where the image that a mask of this name belongs to would be, without its ending."""
    found = [path.with_name(path.stem.removesuffix(end)) for end in _ENDS if path.stem.endswith(end)]
    if path.parent.name.casefold() in _FOLDERS:
        found.append(path.parent.parent / path.stem)
    return found
