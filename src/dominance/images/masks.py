"""Masks that lie among the images of a folder: which image each is of."""

from pathlib import Path

from dominance.images.listing import ImageFile, Listing

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


def _among_masks(path: Path) -> bool:
    return path.parent.name.casefold() in _FOLDERS


def _ends(path: Path) -> list[str]:
    return [end for end in _ENDS if path.stem.endswith(end)]
