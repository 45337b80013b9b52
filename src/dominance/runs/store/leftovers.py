"""Files that are written apart before they are in place, and what kills have left of them."""

import contextlib
import os
import re
import socket
import time
from pathlib import Path

_APART = re.compile(r"\.{1,2}(?P<host>.+?)-(?P<process>[0-9]+)-.*\.png(?:\.partial)?")
_OLD = 24 * 3600.0
"""Seconds after which nobody on another machine still writes a picture."""


def apart(file: Path) -> Path:
    """Where this process writes an image of a folder into which others write, too, before it is in place."""
    return file.with_name(f".{socket.gethostname()}-{os.getpid()}-{file.name}")


def sweep(folder: Path) -> None:
    """Removes from the images of a run folder what was never put in place by processes that are gone.

    On another machine they count as gone after a day. The folder is held by this process, so that a half of a file that
    names no process is nobody's.
    """
    for file in (folder / "images").glob("*/.*"):
        with contextlib.suppress(OSError):
            if _is_left(file):
                file.unlink()


def _is_left(file: Path) -> bool:
    host = re.escape(socket.gethostname())
    own = re.fullmatch(rf"\.{{1,2}}{host}-(?P<process>[0-9]+)-.*\.png(?:\.partial)?", file.name)
    if own is not None:
        return not _runs(int(own["process"]))
    if _APART.fullmatch(file.name) is not None:
        return time.time() - file.stat().st_mtime > _OLD
    return file.name.endswith(".png.partial")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
