"""Images that were made elsewhere, as a plan takes them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.images.assignment import Assigned, Assignment, assign_images
from dominance.images.left_out import missing_first, shown
from dominance.images.links import real_path
from dominance.images.tables import is_table
from dominance.pictures import IMAGE_ENDINGS
from dominance.records import LeftOut, Suite
from dominance.runs.store.plan import PlannedImage
from dominance.wording import on_one_line


@dataclass(frozen=True)
class Brought:
    """The images of a suite's prompts, what is left out, and what each image was known by."""

    images: tuple[PlannedImage, ...]
    left_out: tuple[LeftOut, ...] = ()
    assigned: tuple[Assigned, ...] = ()


def find_images(source: Path, suite: Suite, used: Suite | None = None) -> Brought:
    """The images of each prompt in a folder or a list; see ``assign_images``.

    Args:
        suite: the prompts that the images were made from.
        used: those of them whose images are wanted; all by default.

    Raises:
        InputError: there is no such folder or list, it is contradictory, or it holds no image of a prompt.
    """
    found = assign_images(source, suite)
    wanted = {prompt.id for prompt in (used or suite).prompts}
    taken = [one for one in found.images if one.prompt.id in wanted]
    if not taken:
        raise InputError(_nothing(source, suite, found))
    rest = len(found.images) - len(taken)
    beyond = [LeftOut(".", "belong to prompts beyond the limit", rest)] if rest else []
    base = real_path(found.root)
    return Brought(tuple(_planned(one, base) for one in taken), (*found.left_out, *beyond), tuple(taken))


def _nothing(source: Path, suite: Suite, found: Assignment) -> str:
    """What is wrong with a folder of which nothing can be used: the first reasons, and what to do."""
    told = "; ".join(shown(entry)[:240] for entry in missing_first(found.left_out)[:2])
    said = f"{on_one_line(source, 120)} holds no image of any prompt of the suite {suite.name!r}"
    if is_table(source):
        return f"{said}{f' ({told})' if told else ''}; give each image's path and its prompt's text or id"
    return (
        f"{said}{f' ({told})' if told else ''}; name its subfolders after the prompts' ids, such as"
        f" {on_one_line(source / suite.prompts[0].id, 120)}, with files ending in {', '.join(sorted(IMAGE_ENDINGS))},"
        " or give a CSV with the columns path and prompt"
    )


def _planned(one: Assigned, base: Path) -> PlannedImage:
    """The image; its item is a hash of path and content. An unreadable image fails when it is judged."""
    file = one.image.file
    place = file.relative_to(base) if file.is_relative_to(base) else one.image.path
    digest = hashlib.sha256(str(place).encode())
    try:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError:
        digest.update(b"cannot be opened")
    return PlannedImage(digest.hexdigest()[:32], one.prompt.id, one.prompt.text, one.name, None, str(file))
