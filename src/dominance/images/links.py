"""Where a link in a folder of images may lead: within the folder, or within a hub's cache that holds both."""

import os
import re
from pathlib import Path

from dominance.wording import on_one_line

_REPOSITORY = re.compile(r"(models|datasets|spaces)--.+")


def real_path(path: Path) -> Path:
    """The path with all links followed; of a link to itself, the link."""
    return Path(os.path.realpath(path))


def followed(path: Path, base: Path) -> Path | None:
    """The file or folder to read for a path in a folder of images; None if it leads out of the folder.

    A link to a blob of the hub's cache stands for itself, because a blob has no name that says what it is.

    Args:
        base: the folder of images, its links followed.
    """
    real = real_path(path)
    if real.is_relative_to(base):
        return real
    return path.absolute() if _is_cached(real, base) else None


def _is_cached(real: Path, base: Path) -> bool:
    """Whether both lie in the cache of one repository, ``datasets--owner--name`` with snapshots and blobs."""
    for repository in (base, *base.parents):
        if _REPOSITORY.fullmatch(repository.name):
            return base.is_relative_to(repository / "snapshots") and real.is_relative_to(repository / "blobs")
    return False


def why_not_followed(path: Path) -> str:
    """What is said of a link that leads nowhere or out of the folder."""
    if not path.exists():
        return "is a link that leads nowhere; replace it with the image itself"
    shown = on_one_line(real_path(path), 120)
    itself = "a copy of that folder" if path.is_dir() else "the image itself"
    return f"is a link that leads out of the image folder, to {shown}; replace it with {itself}"
