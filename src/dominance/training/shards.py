"""Processes that share every training batch: on a few cores two of them are quicker than one with two threads."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process
from threading import Barrier

import torch
from torch import Tensor, multiprocessing

from dominance.errors import InputError, RunError


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


def share_batches(work: Callable[[Shard], object], processes: int, batch: int, floats: int) -> None:
    """Runs ``work`` in so many processes, each with its shard of every batch, until all have returned.

    A kill of this process ends the others. ``work`` must be picklable.

    Args:
        floats: how many the shards average in one step, at most.

    Raises:
        InputError: the batch cannot be shared evenly.
        RunError: one of the processes failed or was killed.
    """
    if batch % processes:
        raise InputError(f"a batch of {batch} pictures cannot be shared by {processes} processes; give a divisor")
    context = multiprocessing.get_context("spawn")
    exchange = Exchange(torch.zeros(processes, floats).share_memory_(), context.Barrier(processes))
    try:
        multiprocessing.start_processes(
            _work, (work, processes, exchange), nprocs=processes, daemon=True, start_method="spawn"
        )
    except multiprocessing.ProcessRaisedException as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise RunError(f"one of {processes} training processes failed: {reason}") from error
    except multiprocessing.ProcessExitedException as error:
        raise RunError(f"one of {processes} training processes was killed; run the same command again") from error


def _work(index: int, work: Callable[[Shard], object], count: int, exchange: Exchange) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // count))
    work(Shard(index, count, exchange))


def _end_with_parent() -> None:
    """Training that nobody waits for any more would go on, and write over the checkpoint of the next run."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
