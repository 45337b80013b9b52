"""Progress of long work: a live bar on a terminal, plain lines elsewhere; always on standard error.

Only the outermost work has a bar; work within it, and the denoising steps within a batch, are told beside that bar.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Generator
from types import TracebackType
from typing import Any, ClassVar, Self

_EVERY = 15.0
"""Seconds between two lines where there is no terminal."""


def say(line: str) -> None:
    """What begins, such as the loading of a model: at once on a terminal, elsewhere only if it takes long.

    So a refusal that follows at once is the only line in a log.
    """
    _Late.cancel()
    if sys.stderr.isatty():
        _write(line)
    else:
        _Late.say(line, _EVERY)


class _Late:
    """A line that is said if nothing else is said in the meantime."""

    waiting: ClassVar[threading.Timer | None] = None

    @classmethod
    def say(cls, line: str, after: float) -> None:
        cls.waiting = timer = threading.Timer(after, lambda: _write(line) if cls.waiting is timer else None)
        timer.daemon = True
        timer.start()

    @classmethod
    def cancel(cls) -> None:
        if cls.waiting is not None:
            cls.waiting.cancel()
        cls.waiting = None


def _write(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def said_if_slow(line: str, after: float = 0.4) -> Generator[None]:
    """Says the line if within ``after`` seconds neither the block ends nor anything else is said; later in a log."""
    _Late.cancel()
    _Late.say(line, after if sys.stderr.isatty() else _EVERY)
    try:
        yield
    finally:
        _Late.cancel()


class Progress:
    """Counts items of one kind of work, with rate and remaining time.

    Args:
        each: one item, in a rate of less than one a second.

    >>> with Progress("images", total=2) as progress:  # doctest: +SKIP
    ...     progress.advance(2)
    """

    every: ClassVar[float] = _EVERY
    """Seconds between two lines, where a progress names none of its own."""
    _open: ClassVar[list["Progress"]] = []

    def __init__(
        self, name: str, total: int, done: int = 0, every: float | None = None, shown: bool = True, each: str = "each"
    ) -> None:
        self._shown = shown
        self._name, self._total, self._done, self._already = name, total, done, done
        self._note = self._within = ""
        self._every, self._each = Progress.every if every is None else every, each
        self._start = self._last = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._outer: Progress | None = None

    def __enter__(self) -> Self:
        _Late.cancel()
        self._outer = Progress._open[0] if Progress._open else None
        Progress._open.append(self)
        if self._outer is not None:
            self._outer.within(self._line())
        elif self._shown and sys.stderr.isatty():
            self._draw()
        elif self._done < self._total:
            self._print()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        Progress._open.remove(self)
        if self._outer is not None:
            self._outer.within("")
            return
        self._within = ""
        if self._bar is not None:
            self._update()
            self._bar.stop()
        elif self._done > self._already:
            self._print()

    def advance(self, count: int = 1, note: str | None = None) -> None:
        """Records ``count`` more finished items."""
        self._done += count
        self._note = self._note if note is None else note
        self.within("")

    def within(self, said: str) -> None:
        """What goes on within the current item, such as a denoising step; nothing for none."""
        self._within = said
        if self._outer is not None:
            self._outer.within(self._line())
        elif self._bar is not None:
            self._update()
        elif time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            self._print()

    @property
    def rate(self) -> float:
        """Items a second since this process began."""
        return (self._done - self._already) / max(time.monotonic() - self._start, 1e-9)

    def _draw(self) -> None:
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}"),
            progress.TimeRemainingColumn(compact=True),
            progress.TextColumn("{task.fields[note]}", markup=False),
        )
        self._bar = progress.Progress(*columns, console=Console(stderr=True))
        self._bar.start()
        self._task = self._bar.add_task(self._name, total=self._total, completed=self._done, rate="", note="")

    def _update(self) -> None:
        self._bar.update(self._task, completed=self._done, rate=self._pace(), note=", ".join(self._notes()))

    def _print(self) -> None:
        if not self._shown:
            return
        sys.stderr.write(f"{self._name}: {self._counts()}\n")
        sys.stderr.flush()

    def _line(self) -> str:
        return ", ".join([f"{self._name} {self._done} of {self._total}", *self._notes()])

    def _counts(self) -> str:
        parts = [f"{self._done} of {self._total}"]
        if pace := self._pace():
            left = (self._total - self._done) / self.rate
            parts += [pace, f"{int(left // 60)}:{int(left % 60):02d} left"]
        return ", ".join([*parts, *self._notes()])

    def _pace(self) -> str:
        """Items a second, or seconds an item where they are slow; nothing before the first."""
        if self._done <= self._already:
            return ""
        if self.rate >= 1:
            return f"{self.rate:.1f}/s"
        seconds = 1 / self.rate
        return f"{seconds:.1f} s {self._each}" if seconds < 9.95 else f"{seconds:.0f} s {self._each}"

    def _notes(self) -> list[str]:
        return [said for said in (self._note, self._within) if said]


def tell_within(said: str) -> None:
    """Tells the innermost progress that is open what goes on within its current item."""
    if Progress._open:
        Progress._open[-1].within(said)
