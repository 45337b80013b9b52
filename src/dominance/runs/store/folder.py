"""A run folder: which folders qualify, and the lock on it."""

import contextlib
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from dominance.errors import RunError, Stopped
from dominance.files import unwritable_parent, write_failed
from dominance.runs.store.leftovers import sweep
from dominance.runs.store.repeat import REPEAT_NAME
from dominance.wording import complaint, on_one_line

LEDGER_NAME = "run.sqlite"
LOCK_NAME = "run.lock"
_LEDGER = {LEDGER_NAME, f"{LEDGER_NAME}-wal", f"{LEDGER_NAME}-shm"}
_OURS = {*_LEDGER, LOCK_NAME, REPEAT_NAME, "images", "beside", "report.html", "junit.xml", "summary.md"}


def check_run_folder(folder: Path) -> None:
    """Raises a RunError unless the folder is new, empty, or a run folder; creates nothing."""
    try:
        if not folder.exists():
            if (parent := unwritable_parent(folder)) is not None:
                raise RunError(f"cannot create the run folder {folder}: {parent} cannot be written; give another --out")
            return
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else None
    except OSError as error:
        shown = on_one_line(folder, 120)
        raise RunError(f"the run folder {shown} cannot be used ({complaint(error)}); give another --out") from None
    if names is None:
        raise RunError(f"the run folder {folder} is a file; give another --out")
    if names and LEDGER_NAME not in names and not names <= _OURS:
        raise RunError(
            f"{folder} is not empty and has no {LEDGER_NAME}, so it is not a run folder; give a new or empty --out"
        )


def default_folder(folder: Path, difference: Callable[[Path], str | None], marks: Sequence[object]) -> Path:
    """The folder, or, where it holds something else, one beside it that is named apart, which is said.

    Args:
        difference: what a folder holds instead, in words; None if it is new, or if the run may go on in it.
        marks: what tells the run from others of the same name, the weightiest first.
    """
    held_here = difference(folder)
    if held_here is None:
        return folder
    for count in range(1, len(marks) + 1):
        digest = hashlib.sha256(json.dumps(marks[:count], ensure_ascii=False).encode()).hexdigest()
        apart = folder.with_name(f"{folder.name}-{digest[:6]}")
        if difference(apart) is None:
            break
    sys.stderr.write(
        f"note: {on_one_line(folder, 120)} holds {held_here}; this run goes to {on_one_line(apart, 120)}\n"
    )
    return apart


@contextlib.contextmanager
def held(folder: Path, otherwise: str = "") -> Generator[None]:
    """Creates the folder if necessary, locks it against other processes until the block ends, and sweeps it.

    Args:
        otherwise: an alternative to resuming, mentioned when the run is stopped.

    Raises:
        RunError: another process uses it, or it cannot be created.
        Stopped: Ctrl-C was pressed in the block.
    """
    check_run_folder(folder)
    with locked(folder / LOCK_NAME, folder):
        sweep(folder)
        try:
            yield
        except KeyboardInterrupt:
            raise Stopped(folder, otherwise) from None


@contextlib.contextmanager
def locked(path: Path, folder: Path, option: str = "--out") -> Generator[None]:
    """Locks a file against other processes until the block ends; creates it and its folder.

    Args:
        folder: what it stands for.
        option: by which another one is given.

    Raises:
        RunError: another process has locked it, or it cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise write_failed(path.parent, error) from None
    try:
        _take(lock, path, folder, option)
        yield
    finally:
        os.close(lock)


def _take(lock: int, path: Path, folder: Path, option: str) -> None:
    """Locks the open file and writes this process's id into it; the kernel unlocks it when the process ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Overwrite first, truncate second, so that the file always names a process.
        os.ftruncate(lock, os.pwrite(lock, f"{os.getpid()}\n".encode(), 0))
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode(errors="replace").partition("\n")[0] or "unknown"
        raise RunError(
            f"the {'run folder' if option == '--out' else 'folder'} {folder} is in use by process {owner}; wait for it,"
            f" or give another {option}"
        ) from None
    except OSError as error:
        raise write_failed(path, error) from None
