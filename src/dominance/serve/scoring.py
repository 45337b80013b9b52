"""``POST /score``: images from many requests, judged in batches, each answered within a bounded time or refused."""

import asyncio
import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe

from dominance.errors import DominanceError
from dominance.serve.live import Answered, Asked

_GATHER = 0.01
"""Seconds that a batch waits for company."""
_HANGS_AFTER = 6
"""Times the longest wait, after which the process is taken to hang and begun again."""
_MOST_BYTES = 1_000_000_000
"""Pixels of waiting images, three bytes each: small files may hold large images."""
_RESTART_AFTER = 5.0
"""Seconds before a judge that could not be loaded is tried again."""


class BusyError(DominanceError):
    """No answer in time; the same request may get one later.

    Attributes:
        after: seconds to wait before that.
    """

    def __init__(self, told: str, after: int = 1) -> None:
        super().__init__(told)
        self.after = after


_NOTHING = Asked("", (0, 0), b"")


@dataclass
class _Waiting:
    asked: Asked
    answer: "asyncio.Future[Answered]"
    since: float = field(default_factory=time.monotonic)


class LiveJudge:
    """Batches what is asked, and keeps the judge's process: begun at the first request, and again after it died.

    Args:
        judge: its name; ``device``: where it runs.
        batch: images judged together.
        waiting: images that may wait.
        seconds: the longest that one may wait.
    """

    def __init__(self, judge: str, device: str, batch: int, waiting: int, seconds: float) -> None:
        self._judge, self._device, self._batch, self._seconds = judge, device, batch, seconds
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(waiting)
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._failed: tuple[float, str] | None = None
        self._held = 0
        self.ready = False
        self.batches: list[int] = [0, 0]
        """How many batches were judged, and how many images in them."""
        self.begun = 0
        """How often the judge's process was begun."""

    @property
    def waiting(self) -> int:
        """Images that wait."""
        return self._queue.qsize()

    async def score(self, asked: Asked) -> Answered:
        """The judge's answer about one image.

        Raises:
            BusyError: too many wait, or the answer takes too long, as while the judge is being loaded.
        """
        if self._failed and time.monotonic() - self._failed[0] < _RESTART_AFTER:
            raise BusyError(self._failed[1], int(_RESTART_AFTER))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        waiting = _Waiting(asked, asyncio.get_running_loop().create_future())
        size = len(asked.pixels)
        if self._queue.full() or (self._held and self._held + size > _MOST_BYTES):
            raise BusyError("too many images wait for the judge; send this one again later")
        self._queue.put_nowait(waiting)
        self._held += size
        try:
            return await asyncio.wait_for(waiting.answer, self._seconds)
        except TimeoutError:
            why = "did not answer in time" if self.ready else "is being loaded"
            raise BusyError(f"the judge {why}; send this image again later", 2 if self.ready else 5) from None
        finally:
            self._held -= size
            waiting.asked = _NOTHING  # what is given up may stay in the queue for long, without its pixels

    async def end(self) -> None:
        """Ends the process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._drop()

    async def _run(self) -> None:
        """Answers batch after batch, until the process dies."""
        batch: list[_Waiting] = []
        try:
            if self._connection is None:
                await self._begin()
            while True:
                batch = await self._gathered()
                if not batch:
                    continue
                asking = asyncio.to_thread(self._ask, [each.asked for each in batch])
                answered = await asyncio.wait_for(asking, _HANGS_AFTER * self._seconds)
                self.batches = [self.batches[0] + 1, self.batches[1] + len(batch)]
                for each, answer in zip(batch, answered, strict=True):
                    if not each.answer.done():
                        each.answer.set_result(answer)
        except BusyError as error:
            self._failed = (time.monotonic(), str(error))
            self._refuse(batch, str(error))
        except Exception as error:  # it was killed, or what it says cannot be read: the next request begins it again
            self._refuse(batch, f"the judge's process ended ({type(error).__name__}); send this image again")

    async def _begin(self) -> None:
        await asyncio.to_thread(self._start)
        problem = await asyncio.to_thread(self._receive)
        if problem is not None:
            raise BusyError(str(problem), int(_RESTART_AFTER))
        self.ready = True

    def _start(self) -> None:
        own, other = Pipe()
        number = other.fileno()
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "dominance.serve.judging", str(number), self._judge, self._device],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[number],
            start_new_session=True,
        )
        other.close()
        self._connection = own
        self.begun += 1

    def _ask(self, asked: list[Asked]) -> list[Answered]:
        connection = self._connection
        if connection is None:
            raise EOFError
        connection.send(asked)
        return connection.recv()

    def _receive(self) -> str | None:
        """What the process says when it has loaded the judge: nothing, or why it cannot."""
        connection = self._connection
        if connection is None:
            raise EOFError
        return connection.recv()

    async def _gathered(self) -> list[_Waiting]:
        """The next images, those left out whose request has gone."""
        batch = [await self._queue.get()]
        if self._queue.qsize() + 1 < self._batch:
            await asyncio.sleep(_GATHER)
        while len(batch) < self._batch and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return [each for each in batch if not each.answer.done()]

    def _refuse(self, batch: list[_Waiting], told: str) -> None:
        self._drop()
        while not self._queue.empty():
            batch.append(self._queue.get_nowait())
        for each in batch:
            if not each.answer.done():
                each.answer.set_exception(BusyError(told))

    def _drop(self) -> None:
        self.ready = False
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None
