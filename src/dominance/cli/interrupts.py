"""Ctrl-C that cannot get lost."""

import contextlib
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from types import FrameType

_AGAIN_AFTER: float = 0.25
"""Seconds before an interrupt that did not end the block is raised again."""


_written: list[Path] = []
"""The folder of the results that are all there, so that Ctrl-C only leaves pages unwritten; none before."""


def results_are_in(folder: Path) -> None:
    """From here on, Ctrl-C says that results are in this folder."""
    _written[:] = [folder]


def stop_message(stopped: KeyboardInterrupt) -> str:
    """What Ctrl-C left behind, and how to go on."""
    for folder in _written:
        return f"stopped; all results are in {folder}: `dominance report {folder}` writes their pages"
    return str(stopped) or "stopped; nothing was written: run the same command again"


@contextlib.contextmanager
def kept_whole_or_not_at_all(what: str) -> Generator[None]:
    """Ctrl-C in the block says that what it makes is only written when it is complete."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        if str(stopped):
            raise
        raise KeyboardInterrupt(
            f"stopped; {what} is written only when it is complete, so nothing was: run the same command again"
        ) from None


@contextlib.contextmanager
def insistent_interrupts() -> Generator[None]:
    """Ctrl-C ends the block, wherever it falls.

    Python drops a KeyboardInterrupt that is raised while certain compiled modules are imported, and some libraries
    catch everything around an import. So it is raised again until it ends the block. Nothing
    changes where Ctrl-C is ignored, as in a job that a shell put in the background.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    pressed = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        sys.unraisablehook = lambda _: None  # what is raised in a callback is raised again, and needs no report
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER)
        raise KeyboardInterrupt

    _written.clear()
    reports = sys.unraisablehook
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception:
        if pressed:  # an import that was interrupted may fail in any way
            raise KeyboardInterrupt from None
        raise
    finally:
        sys.unraisablehook = reports
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, before)
