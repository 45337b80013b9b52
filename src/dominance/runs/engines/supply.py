"""The items that wait to be done, given out in batches; what fails comes back."""

import itertools
import math
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")

MOST_LOSSES: int = 3
"""Workers that an item may cost before it counts as the one to blame."""


def even_size(count: int, most: int, workers: int) -> int:
    """Items in each batch, so that every worker gets as many batches as the others; as many as fit, for one worker.

    >>> even_size(220, 32, 2), even_size(220, 32, 1)
    (28, 32)
    """
    if workers == 1 or count == 0:
        return most
    rounds = math.ceil(count / (most * workers))
    return math.ceil(count / (rounds * workers))


class Supply(Generic[Item]):
    """Items in their order, in batches as large as ``size`` says at the moment.

    For several workers, batches are cut evenly, so that all of them end at about the same time.

    Args:
        size: images that fit at once.
        alike: what all items of a batch have in common; neighbours that have it are batched.
    """

    def __init__(
        self,
        items: Iterable[Item],
        size: Callable[[], int],
        alike: Callable[[Item], Hashable] = lambda _: None,
        workers: int = 1,
    ) -> None:
        self._alike, self._most, self._workers = alike, size, workers
        self._groups = deque(deque(own) for _, own in itertools.groupby(items, key=alike))
        self._lost: deque[list[Item]] = deque()
        self._losses: Counter[int] = Counter()
        self._even = (0, 0)

    def __len__(self) -> int:
        """Items that wait."""
        return sum(map(len, self._groups)) + sum(map(len, self._lost))

    @property
    def size(self) -> int:
        """Items in a full batch now."""
        most = max(1, self._most())
        if most != self._even[0]:
            self._even = (most, even_size(len(self), most, self._workers))
        return self._even[1]

    @property
    def batches(self) -> int:
        """At least so many batches wait."""
        return math.ceil(len(self) / self.size)

    def take(self) -> list[Item]:
        """The next batch; nothing where none waits."""
        source = self._lost.popleft() if self._lost else None
        if source is not None:
            batch, rest = source[: self.size], source[self.size :]
            if rest:
                self._lost.appendleft(rest)
            return batch
        if not self._groups:
            return []
        group = self._groups[0]
        batch = [group.popleft() for _ in range(min(self.size, len(group)))]
        if not group:
            self._groups.popleft()
        return batch

    def clear(self) -> None:
        """Nothing waits any more."""
        self._groups.clear()
        self._lost.clear()

    def put_back(self, batch: list[Item]) -> None:
        """These are tried again, next and in their order, in batches as large as then fits."""
        if self._groups and self._alike(self._groups[0][0]) == self._alike(batch[0]):
            self._groups[0].extendleft(reversed(batch))
        else:
            self._groups.appendleft(deque(batch))

    def lost(self, batch: list[Item]) -> list[Item]:
        """The worker that was at this batch is gone: the batch is tried again, the second time in halves.

        Returns:
            the item to blame, if it is clear by now; it is not tried again.
        """
        self._losses.update(id(item) for item in batch)
        losses = max(self._losses[id(item)] for item in batch)
        if losses >= MOST_LOSSES and len(batch) == 1:
            return batch
        middle = math.ceil(len(batch) / 2) if losses > 1 else len(batch)
        self._lost.extendleft(part for part in (batch[middle:], batch[:middle]) if part)
        return []
