"""An interval over two crossed kinds of units, such as prompts and the concepts that many of them share."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from dominance.metrics.intervals import student_interval
from dominance.metrics.measured import Measured

Members = Bool[np.ndarray, "row unit"]
"""Which rows belong to which unit; a row may belong to several."""


def of_crossed(
    statistic: Callable[[Float[np.ndarray, "draw row"]], Float[np.ndarray, " draw"]],
    first: Members,
    second: Members,
    of: str,
    fewest: int | None = None,
    least: float = 0.0,
) -> Measured:
    """A statistic of rows of two kinds of units: Student's interval, with the variance of leaving out each unit.

    The variance is that over the first kind and that over the second, less that over what both share, and never below
    the larger of the two. The degrees of freedom are those of the fewer units.

    Args:
        statistic: from the weight of each row, 0 or 1, to one value a draw; no number where they leave none.
        first: the kind that is counted as n.
        fewest, least: as ``Measured`` has them. Where one left out leaves no value, nothing can be decided.

    Source: Cameron, Gelbach & Miller (2011), equation 2.13, for two kinds; Efron & Stein (1981) for leaving out, which
    MacKinnon, Nielsen & Webb (2023) find to be the least optimistic where units are few.
    """
    both = (first[:, :, None] & second[:, None, :]).reshape(len(first), -1)
    value = float(statistic(np.ones((1, len(first))))[0])
    kinds = [statistic(1.0 - members[:, members.any(0)].T) for members in (first, second, both)]
    known = not any(np.isnan(values).any() for values in kinds[:2])
    one, other, shared = (_variance(values, value) for values in kinds)
    error = max(one, other, one + other - shared) ** 0.5
    freedom = min(len(values) for values in kinds[:2]) - 1
    return Measured(
        value,
        lambda confidence: student_interval(value, error, freedom, confidence),
        len(kinds[0]),
        of,
        fewest if known else 0,
        least,
    )


def _variance(left_out: Float[np.ndarray, " unit"], value: float) -> float:
    """Of a statistic with these values, each without one unit; those that are no numbers say nothing."""
    apart = (left_out - value)[~np.isnan(left_out)]
    return float((apart**2).sum()) * (len(apart) - 1) / max(1, len(apart))
