"""Two sides of a comparison, timed in turns within one run; see ``run.py``."""

import contextlib
import ctypes
import statistics
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path


@contextlib.contextmanager
def threads(count: int) -> Generator[None]:
    """Torch computes in so many threads while the block runs."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def seconds(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long it takes once."""
    start = clock()
    act()
    return clock() - start


@contextlib.contextmanager
def most_memory() -> Generator[Callable[[], float]]:
    """Gives the most gigabytes of this process in memory while the block ran, beyond those when it began."""
    with contextlib.suppress(OSError, AttributeError):  # what was freed before goes back, where the C library can do so
        ctypes.CDLL(None).malloc_trim(0)
    over, begun = threading.Event(), _resident()
    peak = begun

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peak - begun
    finally:
        over.set()
        watcher.join()


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e9


def in_turns(first: Callable[[], object], second: Callable[[], object], rounds: int) -> dict[str, float]:
    """``ratio`` is the first's seconds in those of the second, the median over rounds; both are warmed up before."""
    first()
    second()
    return ratio(first, second, rounds)


def ratio(first: Callable[[], object], second: Callable[[], object], rounds: int) -> dict[str, float]:
    """The same without warming up: what a user of a fresh process waits for."""
    turns = [(seconds(first), seconds(second)) for _ in range(rounds)]
    ratios = [one / other for one, other in turns]
    return {
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "first_seconds": statistics.median(one for one, _ in turns),
        "second_seconds": statistics.median(other for _, other in turns),
        "rounds": rounds,
    }
