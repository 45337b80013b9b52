"""Several questions under way at once, in threads that a Ctrl-C does not wait for."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

_MOMENT = 1.0
"""Seconds that jobs under way get to end."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def at_once(
    act: Callable[[Job, threading.Event], Result], jobs: Sequence[Job], workers: int
) -> Generator[tuple[Job, Result | Exception]]:
    """Does the jobs in a few threads; each with its result, or what it raised, as soon as it is there.

    When the generator is closed, the event that ``act`` is given is set, no further job begins, and those under way
    get a moment to end; the threads are daemons, so that a request that hangs does not keep the process alive.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Job, Result | Exception]] = queue.SimpleQueue()
    stop = threading.Event()
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        while not stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((job, act(job, stop)))
            except Exception as error:  # handed to the thread that waits for it
                done.put((job, error))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(jobs)))]
    try:
        for thread in threads:
            thread.start()
        for _ in jobs:
            yield done.get()
    finally:
        stop.set()
        late = time.monotonic() + _MOMENT
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, late - time.monotonic()))
