"""What a command does differently when the service began it: it tells more often how far it is, and ends with it."""

import os
import sys
import threading

from dominance.progress import Progress

SERVED = "DOMINANCE_SERVED"
"""Set in the environment of such a command."""
_EVERY = 1.0
"""Seconds between two lines about progress."""


def begin_served() -> None:
    """Follows the service, whose end of the standard input closes when it ends, however that happens.

    Nothing is lost: what the command had finished is in its run folder, and the service begins it again.
    """
    Progress.every = _EVERY
    threading.Thread(target=_end_with_service, daemon=True).start()


def _end_with_service() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(130)
