"""glibc's allocator, told to keep what tensors leave behind: docs/decisions/007-cpu.md."""

import ctypes
import os
import sys

_MMAP_MAX, _TOP_PAD, _TRIM_THRESHOLD, _ARENA_MAX = -4, -2, -1, -8
"""Parameters of glibc's ``mallopt``."""


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
