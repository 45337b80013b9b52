"""Ctrl-C that cannot get lost."""

import contextlib
import signal
from collections.abc import Generator
from types import FrameType

_AGAIN_AFTER: float = 0.25
"""Seconds before an interrupt that did not end the block is raised again."""


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

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, before)
