"""What the command line sets for its own process before the heavy libraries load; a user's settings win."""

import ctypes
import io
import os
import sys

_QUIET = {
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_MMAP_MAX, _TOP_PAD, _TRIM_THRESHOLD, _ARENA_MAX = -4, -2, -1, -8
"""Parameters of glibc's ``mallopt``."""


def prepare_process() -> None:
    """Quietens the libraries, and keeps threads and allocator from wasting a CPU: docs/decisions/007-cpu.md."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows another, not a traceback
    if sys.platform == "linux" and "GLIBC_TUNABLES" not in os.environ:
        _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Has glibc reuse freed tensors instead of handing them back to the kernel; elsewhere there is no mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28), (_ARENA_MAX, 1)):
            mallopt(parameter, value)
