"""When to give up what is half made: the score below which going on costs more than beginning again."""

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from dominance.errors import InputError
from dominance.metrics.samples import paired


def abort_threshold(scores: ArrayLike, usable: ArrayLike, spent: float, most_false: float) -> float:
    """The threshold with the lowest cost of a usable item, if what scores below it is given up.

    An item that is given up costs ``spent``, any other 1. Of the thresholds that give up at most ``most_false`` of the
    usable items, the cheapest is taken, and the lowest of several; it lies midway between two neighbouring scores, or
    at the lowest score, below which there is nothing.

    Args:
        scores: one number an item; higher means more likely usable.
        usable: whether each item is.
        spent: share of an item's cost that has been spent when its score is known, 0 to 1.

    Raises:
        InputError: not one label a score, a score that is not a number, or nothing usable.

    >>> abort_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True], 0.4, 0.05)
    0.4
    >>> abort_threshold([0.1, 0.2, 0.6, 0.8], [True, False, True, True], 0.4, 0.05)
    0.1
    """
    known, good = paired(scores, usable, ("scores", "labels"))
    if not np.isfinite(known).all():
        raise InputError("a score is not a finite number; leave out what was not measured")
    if not good.any():
        raise InputError("no item is usable; give some that are")
    values = np.unique(known)
    tried = [values[0], *((values[:-1] + values[1:]) / 2)]
    allowed = [each for each in tried if (known[good] < each).mean() <= most_false]
    costs = [usable_cost(known, good, each, spent) for each in allowed]
    return float(allowed[int(np.argmin(np.round(costs, 12)))])


def usable_cost(
    scores: Float[np.ndarray, " item"], usable: Bool[np.ndarray, " item"], threshold: float, spent: float
) -> float:
    """What a usable item costs, in whole items; infinite where none is left."""
    given_up = scores < threshold
    left = int((usable & ~given_up).sum())
    return float((~given_up).sum() + spent * given_up.sum()) / left if left else float("inf")
