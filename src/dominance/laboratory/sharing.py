"""Several processes that share the models of an experiment: each takes the next one that none is at."""

import contextlib
import fcntl
import multiprocessing
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

from dominance.errors import DominanceError, InputError, RunError
from dominance.files import read_text, write_failed, write_whole

_BASE = "base.txt"
Work = Callable[[Callable[[str], None]], None]
"""One process's part; it is given what says a line to the user. Other processes are sent it, so that it pickles."""


def shared_by(processes: int, work: Work, tell: Callable[[str], None]) -> None:
    """Does the work in this process and in so many others; only this one tells of it.

    Raises:
        RunError: another process ended early.
    """
    workers = [
        multiprocessing.get_context("spawn").Process(target=_worker, args=(work,), daemon=True)
        for _ in range(processes - 1)
    ]
    try:
        for worker in workers:
            worker.start()
        work(tell)
        for worker in workers:
            worker.join()
            if worker.exitcode:
                raise RunError("a process of the experiment ended early; run the same command again to resume")
    finally:
        for worker in workers:
            worker.kill()


def _worker(work: Work) -> None:
    from dominance.allocator import keep_freed_memory

    keep_freed_memory()
    with contextlib.suppress(KeyboardInterrupt):  # the first process says so
        try:
            work(lambda _line: None)
        except DominanceError as error:
            sys.stderr.write(f"a process of the experiment stopped: {error}\n")
            sys.exit(1)


def claim_folder(folder: Path, base: str) -> None:
    """Marks the folder as of this base, an identity: models of two bases would take each other's names.

    Raises:
        InputError: it is of another.
        RunError: it cannot be written.
    """
    file = folder / _BASE
    if not file.is_file():
        write_whole(file, f"{base}\n".encode())
    elif (other := read_text(file).strip()) != base:
        raise InputError(f"{folder} holds models of the base {other}, not of {base}; give another --out")


@contextlib.contextmanager
def claimed(folder: Path, name: str) -> Generator[bool]:
    """Whether the model of that name is this process's; the kernel lets go of it when the process ends.

    Raises:
        RunError: the lock cannot be written.
    """
    lock = folder / "locks" / f"{name}.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise write_failed(lock, error) from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(opened)
