"""Names from outside, and the files that they may lead to: never out of their folder, never through a link."""

import re
import stat
from pathlib import Path

OWN = ".serve"
"""Folder of the service, among the runs."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,119}")
_PART = re.compile(r"[\w][^/\\\x00-\x1f]{0,199}")
_MOST_PARTS = 6


def is_name(text: str) -> bool:
    """Whether the text may name a run, an upload or a job: no separator, no leading dot.

    >>> is_name("audit-a-mug-1f3a"), is_name("../etc"), is_name(".serve"), is_name("a/b"), is_name("")
    (True, False, False, False, False)
    """
    return _NAME.fullmatch(text) is not None


def folder_in(root: Path, name: str) -> Path | None:
    """The folder of that name right below the root; None if there is none, or a link in its place."""
    folder = root / name
    return folder if is_name(name) and _mode(folder) == stat.S_IFDIR else None


def file_in(folder: Path, path: str) -> Path | None:
    """The regular file at a path below the folder, if none of its parts is a link; None otherwise."""
    parts = path.split("/")
    if len(parts) > _MOST_PARTS or not all(_PART.fullmatch(part) for part in parts):
        return None
    place = folder
    for part in parts[:-1]:
        place /= part
        if _mode(place) != stat.S_IFDIR:
            return None
    place /= parts[-1]
    return place if _mode(place) == stat.S_IFREG else None


def _mode(path: Path) -> int | None:
    """What is at the path itself; None for nothing."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except (OSError, ValueError):
        return None
