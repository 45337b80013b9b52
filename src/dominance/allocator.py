"""glibc's allocator and Python's collector, told to do less: docs/decisions/007-cpu.md."""

import ctypes
import gc
import os
import sys

_MMAP_MAX, _TOP_PAD, _TRIM_THRESHOLD, _ARENA_MAX = -4, -2, -1, -8
"""Parameters of glibc's ``mallopt``."""
_FEWEST_OBJECTS = 10_000
"""New ones after which Python looks for garbage."""


def collect_seldom() -> None:
    """Has Python look for garbage in cycles less often; while the libraries load it finds none, and takes a second."""
    gc.set_threshold(max(_FEWEST_OBJECTS, gc.get_threshold()[0]))


def keep_freed_memory() -> None:
    """Has glibc reuse freed tensors instead of handing them back to the kernel, in this process.

    Where a user has set GLIBC_TUNABLES, or there is no mallopt, nothing changes.
    """
    if sys.platform != "linux" or "GLIBC_TUNABLES" in os.environ:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28), (_ARENA_MAX, 1)):
            mallopt(parameter, value)
