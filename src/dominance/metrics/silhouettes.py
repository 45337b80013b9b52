"""How far silhouettes differ once place and size are taken out of them: poses and views, from masks."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from dominance.errors import InputError

SILHOUETTE_SIDE: int = 32
"""Cells a side of the grid on which silhouettes are compared."""


def silhouette(
    inside: Bool[np.ndarray, "row column"], side: int = SILHOUETTE_SIDE
) -> Float[np.ndarray, "side_row side_column"]:
    """A mask without place and size: the share of each cell that it covers, 0 to 1, float32.

    The mask is cut to its bounding box; the box is scaled until its longer side fills a square of ``side`` cells, and
    stands in the middle of it. Cells are means over the area that they cover. The ratio of the box's sides stays, so
    that lying and standing differ; so do turning and mirroring.

    Raises:
        InputError: the mask is empty.

    >>> silhouette(np.eye(8, dtype=bool)[2:4], side=2).round(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        raise InputError("a mask is empty; leave the picture out")
    cut = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    down, across = (_shares(length, max(cut.shape), side) for length in cut.shape)
    return np.clip(down @ cut @ across.T, 0, 1)


def silhouette_spread(silhouettes: Sequence[Float[np.ndarray, "row column"]]) -> float:
    """Mean over all pairs of ``1 - Σ min(a, b) / Σ max(a, b)``: 0 where all are the same, 1 where no two overlap.

    That is 1 - intersection over union, for cells that are covered in part (Ruzicka's distance). Mirrored silhouettes
    count as different, because a model learns them as different pictures.

    Args:
        silhouettes: of one shape, 0 to 1, none empty; see ``silhouette``.

    Raises:
        InputError: fewer than two.

    >>> silhouette_spread([np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]])]) * 3
    1.0
    """
    n = len(silhouettes)
    if n < 2:
        raise InputError(f"{n} silhouette(s); give two or more")
    cells = np.stack([one.ravel() for one in silhouettes]).astype(np.float32)
    total = 0.0
    for number, one in enumerate(cells[:-1]):
        others = cells[number + 1 :]
        shared, both = (of(one, others).sum(axis=1, dtype=np.float64) for of in (np.minimum, np.maximum))
        total += float((1 - shared / both).sum())
    return total / (n * (n - 1) / 2)


def _shares(length: int, square: int, side: int) -> Float[np.ndarray, "cell pixel"]:
    """How much of each cell of the square each pixel covers, along one side; the pixels lie in its middle."""
    cell = square / side
    starts = np.arange(side)[:, None] * cell - (square - length) / 2
    pixels = np.arange(length)[None, :]
    covered = np.minimum(starts + cell, pixels + 1) - np.maximum(starts, pixels)
    return (np.clip(covered, 0, None) / cell).astype(np.float32)
