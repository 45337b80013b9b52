"""The time that a reproduction takes, over all of its calls: a kill loses no more than a few seconds of it."""

import contextlib
import threading
import time
from collections.abc import Generator
from pathlib import Path

from dominance.errors import RunError
from dominance.runs.store.ledger import Ledger

_SPENT = "reproduce seconds"
"""Name of the ledger's value."""
_EVERY = 10.0
"""Seconds between two notes."""


def seconds_spent(ledger: Ledger) -> float:
    """All seconds that were noted so far."""
    noted = ledger.get(_SPENT)
    return float(noted) if isinstance(noted, int | float) else 0.0


@contextlib.contextmanager
def counted(file: Path) -> Generator[None]:
    """Adds the seconds of the block to those in a ledger, while it runs and at its end, also where that is an error.

    While it runs, a thread notes them with a connection of its own, so that nothing has to be right at a kill.
    """

    def note(known: float, began: float) -> None:
        with Ledger(file) as ledger:
            ledger.put(_SPENT, known + time.perf_counter() - began)

    def beat(over: threading.Event, *since: float) -> None:
        while not over.wait(_EVERY):
            with contextlib.suppress(RunError):  # the next one notes it all
                note(*since)

    with Ledger(file) as ledger:
        since = (seconds_spent(ledger), time.perf_counter())
    over = threading.Event()
    beating = threading.Thread(target=beat, args=(over, *since), daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()
        note(*since)
