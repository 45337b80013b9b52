"""Processes that share every training batch: on a few cores two of them are quicker than one with two threads."""

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from threading import Barrier

import torch
import torch.multiprocessing  # teaches pickle to share a tensor's memory
from torch import Tensor

from dominance.allocator import keep_freed_memory
from dominance.errors import DominanceError, RunError


@dataclass(frozen=True)
class Exchange:
    """Memory of one row a process, and the barrier at which they meet before and after reading it."""

    rows: Tensor
    barrier: Barrier

    def average(self, index: int, values: Sequence[Tensor]) -> None:
        """Replaces the values by their means over the processes; all must bring values of the same shapes."""
        own = torch.cat([value.flatten() for value in values])
        self.rows[index, : len(own)] = own
        self.barrier.wait()
        mean = self.rows[:, : len(own)].mean(dim=0)
        self.barrier.wait()  # nobody writes the next step's row before everybody has read this one's
        for value, part in zip(values, mean.split([value.numel() for value in values]), strict=True):
            value.copy_(part.view_as(value))


@dataclass(frozen=True)
class Shard:
    """One process's part of every batch; by default, all of it.

    Attributes:
        index, count: which part of how many.
        exchange: where gradients are averaged, if there are several.
    """

    index: int = 0
    count: int = 1
    exchange: Exchange | None = None

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes files and shows progress."""
        return self.index == 0

    def of(self, batch: int) -> slice:
        """Its places in a batch."""
        size = batch // self.count
        return slice(self.index * size, (self.index + 1) * size)

    @torch.no_grad()
    def average(self, values: Sequence[Tensor]) -> None:
        """Replaces the values by their means over all shards."""
        if self.exchange is not None:
            self.exchange.average(self.index, values)


WHOLE = Shard()


def share_batches(work: Callable[[Shard], object], processes: int, floats: int) -> None:
    """Runs ``work`` in so many new processes, each with its shard of every batch, until all have returned.

    They end with this process, or when one of them fails. A script that calls this needs the usual guard
    ``if __name__ == "__main__"``, since the new processes import it.

    Args:
        work: picklable.
        floats: how many the shards average in one step, at most.

    Raises:
        RunError: one of the processes was killed, or did not begin.
        Exception: what one of them raised.
    """
    context = multiprocessing.get_context("spawn")
    exchange = Exchange(torch.zeros(processes, floats).share_memory_(), context.Barrier(processes))
    raised = context.SimpleQueue()
    threads = max(1, torch.get_num_threads() // processes)
    workers = [
        context.Process(target=_work, args=(work, Shard(index, processes, exchange), threads, raised), daemon=True)
        for index in range(processes)
    ]
    try:
        for worker in workers:
            worker.start()
        running = list(workers)
        while running:
            ended = connection.wait([worker.sentinel for worker in running])
            for worker in [worker for worker in running if worker.sentinel in ended]:
                running.remove(worker)
                worker.join()  # the sentinel closes a moment before the process has a status
            _check_ended(workers, raised)
    finally:
        for worker in workers:
            if worker.pid is not None:
                worker.terminate()
                worker.join()


def _check_ended(workers: Sequence[BaseProcess], raised: SimpleQueue) -> None:
    for status in (worker.exitcode for worker in workers):
        if status and not raised.empty():
            raise raised.get()
        if status:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise RunError(
                f"one of {len(workers)} training processes {how}; run the same command again to resume, with fewer"
                " processes if memory ran out"
            )


def _work(work: Callable[[Shard], object], shard: Shard, threads: int, raised: SimpleQueue) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_freed_memory()
    torch.set_num_threads(threads)
    try:
        work(shard)
    except (DominanceError, OSError) as error:
        raised.put(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(1)  # the others would wait for it at the barrier for ever
    except Exception:
        raised.put(RuntimeError(f"in training process {shard.index}: {traceback.format_exc()}"))
        sys.exit(1)


def _end_with_parent() -> None:
    """Training that nobody waits for any more would go on, and write over the checkpoint of the next run."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
