"""Masks that lie among the images of a folder: which image each is of."""

from collections.abc import Sequence
from pathlib import Path

from dominance.images.listing import ImageFile, Listing, images_in, reading

_ENDS = ("_mask", "-mask", ".mask", "_masklabel")
_FOLDERS = ("mask", "masks")


def without_masks(listing: Listing) -> tuple[Listing, dict[Path, ImageFile]]:
    """The images without masks, and the mask of each image that has one.

    A mask is called as its image, with ``_mask`` at the end (``dog_mask.png``), or lies under the image's name in a
    folder ``masks``, which is beside the image or beside its folder. What is so called without an image is an image.
    """
    images = {image.path.with_suffix(""): image for image in reversed(listing.images) if not _among_masks(image.path)}
    beside = {(place.parent.parent, place.name): place for place in reversed(images)}
    masks: dict[Path, ImageFile] = {}
    for image in listing.images:
        if _among_masks(image.path):
            above = image.path.parent.parent
            places = [above / image.path.stem, beside.get((above, image.path.stem))]
        else:
            places = [image.path.with_name(image.path.stem.removesuffix(end)) for end in _ends(image.path)]
        owner = next((images[place] for place in places if place in images), None)
        if owner is not None:
            masks.setdefault(owner.path, image)
    return listing.without(list(masks.values()), ()), masks


def masks_beside(root: Path, images: Sequence[ImageFile]) -> dict[Path, Path]:
    """The masks of some images of a folder, named as for ``without_masks``; none of these images is a mask.

    Raises:
        InputError: a folder beside the images cannot be read.
    """
    listed = {image.path for image in images}
    folders = {image.path.parent for image in images}
    around = {above for folder in folders for above in (folder, folder.parent)}
    named = {above / name for above in around for name in _names_of_masks(root / above)}
    near = [image for folder in sorted(folders | named) for image in images_in(root, folder)]
    may_be = [image for image in near if image.path not in listed and (_among_masks(image.path) or _ends(image.path))]
    _, masks = without_masks(Listing(root, tuple(sorted({*images, *may_be}))))
    return {path: mask.path for path, mask in masks.items() if path in listed and mask.path not in listed}


def _names_of_masks(folder: Path) -> list[str]:
    """The folders of masks in a folder, whatever the case of their names."""
    with reading(folder):
        found = folder.iterdir() if folder.is_dir() else ()
        return [path.name for path in found if path.name.casefold() in _FOLDERS]


def _among_masks(path: Path) -> bool:
    return path.parent.name.casefold() in _FOLDERS


def _ends(path: Path) -> list[str]:
    return [end for end in _ENDS if path.stem.endswith(end)]
