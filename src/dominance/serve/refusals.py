"""What is told outside: lines of errors and logs, without where on this machine the folder of runs lies."""

import errno
import os
import sqlite3
from pathlib import Path

from starlette.exceptions import HTTPException

from dominance.wording import complaint

_FULL = (errno.ENOSPC, errno.EDQUOT)
_OF_DISK = (*_FULL, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


def without_place(text: str, folder: Path) -> str:
    """The text, its paths below the folder as they are named within it.

    >>> without_place("wrote /home/ada/runs/audit-1f3a/report.html", Path("/home/ada/runs"))
    'wrote audit-1f3a/report.html'
    """
    for place in {str(folder.absolute()), str(folder.resolve())}:
        text = text.replace(f"{place}{os.sep}", "").replace(place, "the folder of runs")
    return text


def refusal(error: Exception, folder: Path) -> tuple[int, str]:
    """The status and the line that answer a request which met this error.

    What the disk refuses is no fault of the sender: its status says so, and its line names no file.
    """
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    met = error.__context__
    beneath = met if isinstance(met, OSError) and met.errno in _OF_DISK else None  # of what `write_failed` made of it
    disk = error if isinstance(error, OSError | sqlite3.Error) else beneath
    if disk is None:
        return 422, without_place(str(error), folder)
    full = getattr(disk, "errno", None) in _FULL or "disk is full" in str(disk)
    told = "free some space on its machine" if full else "fix the permissions or the disk of its machine"
    return 507 if full else 500, f"the service cannot use its disk ({complaint(disk, 100)}); {told}, and ask again"
