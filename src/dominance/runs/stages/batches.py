"""How many images are processed at once: fewer when memory runs out, more while there is room."""

import itertools
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

_MOST_GROWN = 128
"""The largest batch: beyond it a GPU gains nothing, and an interrupted batch costs more."""


def alike_batches(items: Iterable[Item], size: int, trait: Callable[[Item], Hashable]) -> Generator[Sequence[Item]]:
    """Batches of at most ``size`` neighbours with the same trait."""
    for _, alike in itertools.groupby(items, key=trait):
        listed = list(alike)
        yield from (listed[start : start + size] for start in range(0, len(listed), size))


class BatchSize:
    """The size of the next batch, which remembers what did not fit.

    Args:
        size: the first.
        room: whether twice the last batch would fit; called after each full batch.
    """

    def __init__(self, size: int, room: Callable[[], bool] = lambda: False) -> None:
        self.size = size
        self._room = room
        self._refused = _MOST_GROWN + 1

    def fitted(self, images: int, roomy: bool | None = None) -> None:
        """A batch of this many images succeeded.

        Args:
            roomy: whether twice as many would fit, where that was seen elsewhere.
        """
        doubled = 2 * self.size
        if images == self.size and doubled < self._refused and (self._room() if roomy is None else roomy):
            self.size = doubled

    def refused(self, images: int) -> None:
        """A batch of this many images ran out of memory, maybe one that was begun before the size last fell."""
        self._refused = min(self._refused, images)
        self.size = max(1, min(self.size, images // 2))
