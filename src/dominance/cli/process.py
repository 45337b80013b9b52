"""What the command line sets for its own process before the heavy libraries load; the user's settings win."""

import io
import os
import sys

from dominance.allocator import collect_seldom, keep_freed_memory
from dominance.serve.served import SERVED, begin_served

_QUIET = {
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def prepare_process() -> None:
    """Quietens the libraries, and keeps threads and allocator from wasting a CPU: docs/decisions/007-cpu.md."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a sign shows another one, not a traceback
    keep_freed_memory()
    collect_seldom()
    if os.environ.pop(SERVED, None):
        begin_served()
