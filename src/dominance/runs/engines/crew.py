"""Shares work among workers: who does which batch, and what becomes of a batch whose worker is gone."""

import contextlib
import itertools
import math
import sys
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from dominance.errors import RunError
from dominance.models.drawing import WORKER_MINUTES
from dominance.numbers import plural
from dominance.runs.engines.supply import Supply
from dominance.runs.engines.work import Do, Done, Ended, Forget, Held, Hold, Message, Raised, Reply, Sent, Work

Item = TypeVar("Item")

_MOST_FAILED_STARTS = 3
"""Workers in a row that end while they load, and none of them does anything meanwhile."""
_MOST_TOLD = 4
"""Workers whose rates are told one by one."""


class Worker(Protocol):
    """One process somewhere that answers messages one after the other, as ``Holder`` does."""

    @property
    def name(self) -> str: ...

    def give(self, message: Message) -> None:
        """Sends a message; one that cannot be sent shows as an ``Ended`` among the replies."""
        ...

    def stop(self) -> None:
        """Ends it at once."""
        ...


class Place(Protocol):
    """Where workers run.

    Attributes:
        reads_files: whether workers can open the files of this machine by their paths.
        writes_files: whether they write images themselves, into a folder that this process sees, too.
        starts_at_once: whether a worker is at work from its start on, and does not wait for room.
    """

    @property
    def reads_files(self) -> bool: ...

    @property
    def writes_files(self) -> bool: ...

    @property
    def starts_at_once(self) -> bool: ...

    def most(self) -> int:
        """How many workers there may be at once."""
        ...

    def start(self, number: int) -> Worker: ...

    def replies(self, workers: list[Worker], seconds: float) -> Iterable[tuple[Worker, Reply]]:
        """Waits for at least one reply, or the end of a worker, for at most so many seconds."""
        ...

    def close(self) -> None: ...


@dataclass(eq=False)
class _Post:
    """A worker, and what it is at.

    Attributes:
        batch: that it does; None for none.
        loads: the key of what it is loading; None for nothing.
        placed: whether it is known to run.
        since: when it was given what it is at.
        items, seconds: done so far, and the time that they took.
    """

    worker: Worker
    placed: bool
    batch: list[Any] | None = None
    loads: str | None = None
    holds: set[str] = field(default_factory=set)
    since: float = 0.0
    items: int = 0
    seconds: float = 0.0

    @property
    def idle(self) -> bool:
        return self.batch is None and self.loads is None

    def hold(self, sent: Sent) -> None:
        self.loads, self.since = sent.key, time.monotonic()
        self.worker.give(Hold(sent))

    def do(self, key: str, batch: list[Any], task: object) -> None:
        self.batch, self.since = batch, time.monotonic()
        self.worker.give(Do(key, task))

    def has_done(self) -> list[Any]:
        batch, self.batch = self.batch or [], None
        self.items += len(batch)
        self.seconds += time.monotonic() - self.since
        return batch


class Crew:
    """The workers of a run: started when there is work for them, kept until the run ends.

    This process alone writes to the run's ledger. A worker that is gone is replaced, and its batch given to another.

    Args:
        minutes: in which a worker must answer; one that does not is ended, and is gone.
    """

    def __init__(self, place: Place, minutes: float = WORKER_MINUTES) -> None:
        self.place, self._minutes = place, minutes
        self._posts: list[_Post] = []
        self._numbers = itertools.count(1)
        self._failed_starts = 0
        self._lent: dict[int, tuple[object, Work]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def close(self) -> None:
        """Ends all workers; more work starts new ones."""
        for post in self._posts:
            post.worker.stop()
        self._posts.clear()
        self.place.close()

    def lend(self, what: object, work: Work) -> None:
        """Notes what workers do in place of something that this process has loaded."""
        self._lent[id(what)] = (what, work)

    def lent(self, what: object) -> Work:
        """The work that was noted for it."""
        return self._lent[id(what)][1]

    def most(self) -> int:
        """How many workers there may be at once."""
        return self.place.most()

    def forget(self) -> None:
        """Has all workers let go of what they have loaded."""
        for post in self._posts:
            post.loads = None  # it is let go of once loaded
            post.holds.clear()
            post.worker.give(Forget())

    def carry_out(
        self, work: Work, supply: Supply[Item], task: Callable[[list[Item]], object] = lambda batch: batch
    ) -> Generator[tuple[list[Item], Any]]:
        """Each batch with what came of it, in the order in which they come back.

        What is put back into the supply meanwhile is done, too. A batch that costs several workers is cut down to the
        item to blame, which comes back with an ``Ended``.

        Args:
            task: what workers are given of a batch.

        Raises:
            Exception: what is wrong for every batch.
            RunError: workers end before they have loaded anything.
        """
        sent = Sent.of(work)
        self._failed_starts = 0
        try:
            while self._hand_out(sent, supply, task):
                heard = list(self.place.replies([post.worker for post in self._posts], self._patience()))
                heard += self._silent([worker for worker, _ in heard])
                for worker, reply in heard:
                    post = next((post for post in self._posts if post.worker is worker), None)
                    if post is not None:
                        post.placed = True
                        yield from self._received(post, reply, supply)
        except Exception:
            self._dismiss_all(post for post in self._posts if post.loads is not None)  # what they load fails, too
            raise
        finally:
            self._dismiss_all(post for post in self._posts if post.batch is not None)

    def _left(self, post: _Post) -> float:
        """Seconds in which a worker must answer."""
        waits = not post.idle and post.placed
        return 60 * self._minutes - (time.monotonic() - post.since) if waits else math.inf

    def _patience(self) -> float:
        """Seconds until the first worker must have answered."""
        return max(0.0, min((self._left(post) for post in self._posts), default=math.inf))

    def _silent(self, heard: list[Worker]) -> list[tuple[Worker, Reply]]:
        """Those that should have answered by now, and have not."""
        late = [post.worker for post in self._posts if self._left(post) <= 0 and post.worker not in heard]
        return [(worker, Ended(f"did not answer within {self._minutes:g} min and was ended")) for worker in late]

    def _hand_out(self, sent: Sent, supply: Supply[Item], task: Callable[[list[Item]], object]) -> bool:
        """Gives out all that can be given out; whether there is anything to wait for."""
        for post in self._posts:
            if post.idle and sent.key in post.holds and (batch := supply.take()):
                post.do(sent.key, batch, task(batch))
        coming = sum(post.loads == sent.key for post in self._posts)
        for post in self._posts:
            if post.idle and sent.key not in post.holds and coming < supply.batches:
                post.hold(sent)
                coming += 1
        while len(self._posts) < self.most() and coming < supply.batches:
            post = _Post(self.place.start(next(self._numbers)), self.place.starts_at_once)
            self._posts.append(post)
            post.hold(sent)
            coming += 1
        return len(supply) > 0 or any(post.batch is not None for post in self._posts)

    def _received(self, post: _Post, reply: Reply, supply: Supply[Item]) -> Generator[tuple[list[Item], Any]]:
        match reply:
            case Held(key):
                self._failed_starts = 0
                if key == post.loads:  # else it is to be forgotten since
                    post.loads = None
                    post.holds.add(key)
            case Done(outcome):
                self._failed_starts = 0
                yield post.has_done(), outcome
            case Raised(error):
                post.batch = post.loads = None
                raise error
            case Ended():
                yield from self._ended(post, reply, supply)

    def _ended(self, post: _Post, reply: Ended, supply: Supply[Item]) -> Generator[tuple[list[Item], Any]]:
        self._dismiss(post)
        if post.batch is not None:
            count = plural(len(post.batch), "image")
            _note(f"{post.worker.name} {reply.how}; its {count} will be done by another")
            if blamed := supply.lost(post.batch):
                yield blamed, reply
        elif post.loads is not None:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                raise RunError(
                    f"{self._failed_starts} workers in a row ended while they loaded, the last {reply.how}; finished"
                    " work is kept: run the same command again with fewer --workers, if memory ran out"
                )
            _note(f"{post.worker.name} {reply.how} while it loaded; another is started")

    def _dismiss_all(self, posts: Iterable[_Post]) -> None:
        for post in list(posts):
            self._dismiss(post)

    def _dismiss(self, post: _Post) -> None:
        self._posts.remove(post)
        post.worker.stop()

    def pace(self) -> str:
        """How fast each worker is, in items a second of its own time."""
        rates = [post.items / post.seconds for post in self._posts if post.items and post.seconds]
        if not rates:
            return plural(len(self._posts), "worker")
        shown = (
            ", ".join(f"{rate:.2g}/s" for rate in rates)
            if len(rates) <= _MOST_TOLD
            else f"{min(rates):.2g} to {max(rates):.2g}/s each"
        )
        return f"{plural(len(self._posts), 'worker')}: {shown}"


def _note(line: str) -> None:
    sys.stderr.write(f"note: {line}\n")
