"""Progress of long work: a live bar on a terminal, plain lines elsewhere; always on standard error."""

import sys
import time
from types import TracebackType
from typing import Self


class Progress:
    """Counts items of one kind of work, with rate and remaining time.

    >>> with Progress("images", total=2) as progress:  # doctest: +SKIP
    ...     progress.advance(2)
    """

    def __init__(self, name: str, total: int, done: int = 0, every: float = 15.0, shown: bool = True) -> None:
        self._shown = shown
        self._name, self._total, self._done, self._already = name, total, done, done
        self._note = ""
        self._every = every
        self._start = self._last = time.monotonic()
        self._bar = None
        self._task = None

    def __enter__(self) -> Self:
        if self._shown and sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            columns = (
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[rate]}"),
                progress.TimeRemainingColumn(),
                progress.TextColumn("{task.fields[note]}"),
            )
            self._bar = progress.Progress(*columns, console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=self._total, completed=self._done, rate="", note="")
        elif self._done < self._total:
            self._print()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._done > self._already:
            self._print()

    def advance(self, count: int = 1, note: str | None = None) -> None:
        """Records ``count`` more finished items."""
        self._done += count
        self._note = self._note if note is None else note
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, rate=f"{self.rate:.1f}/s", note=self._note)
        elif time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            self._print()

    @property
    def rate(self) -> float:
        """Items a second since this process began."""
        return (self._done - self._already) / max(time.monotonic() - self._start, 1e-9)

    def _print(self) -> None:
        if not self._shown:
            return
        sys.stderr.write(f"{self._name}: {self._line()}\n")
        sys.stderr.flush()

    def _line(self) -> str:
        parts = [f"{self._done} of {self._total}"]
        if self._done > self._already:
            left = (self._total - self._done) / self.rate
            parts += [f"{self.rate:.1f}/s", f"{int(left // 60)}:{int(left % 60):02d} left"]
        return ", ".join([*parts, *([self._note] if self._note else [])])
