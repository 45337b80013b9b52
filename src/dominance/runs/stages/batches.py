"""How many images ride at once: fewer when memory runs out, more while there is room."""

from collections.abc import Callable

from dominance.errors import InputError

MOST_AT_ONCE: int = 1024
_MOST_GROWN = 128
"""Where growing stops: past it a GPU gains nothing, and an interrupted batch costs more."""


def parse_batch(text: str) -> int | None:
    """A batch size from the command line; ``auto`` is None.

    Raises:
        InputError: neither ``auto`` nor a whole number.

    >>> parse_batch("8"), parse_batch("auto")
    (8, None)
    """
    if text.strip().lower() == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--batch is {text[:60]!r}; give a whole number, or auto") from None


class BatchSize:
    """The size of the next batch, which remembers what did not fit.

    Args:
        size: to start from.
        room: whether twice the last batch would fit; asked after each full batch that did.
    """

    def __init__(self, size: int, room: Callable[[], bool] = lambda: False) -> None:
        self.size = size
        self._room = room
        self._refused = _MOST_GROWN + 1

    def fitted(self, images: int) -> None:
        """So many images at once went well."""
        doubled = 2 * self.size
        if images == self.size and doubled < self._refused and self._room():
            self.size = doubled

    def refused(self, images: int) -> None:
        """So many images at once did not fit into the memory."""
        self._refused = min(self._refused, images)
        self.size = max(1, images // 2)
