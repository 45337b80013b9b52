"""How far the images of one concept lie apart, from their embeddings, in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int, Real

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.records import Interval

BIN_WIDTH = 1e-6
"""Of the histogram that stands for the distances where they are too many to keep: float32 resolves no more."""

_BLOCK = 2048
"""Images on one side of a tile of the matrix of distances; a tile takes 16 MB, whatever the number of images."""
_MOST_KEPT = 2_000_000
"""Pairs whose distances are kept and sorted, 16 MB; more of them are counted into bins."""
_MOST_RESAMPLED = 20_000
"""Pairs up to which the interval is resampled, 200 images; beyond, it is the normal one."""
_DENSITY_REACH = 0.05
_MIRRORED, _NOT_PLAIN = 0.005, 0.02
"""1 - correlation of thumbnails: at most the first with the mirror image, at least the second as they are.

JPEG and another size stay below 0.0035, and of 7140 pairs of the miniature world's varied pictures none is so near.
"""

Pair = tuple[int, int, float]
"""Two images by their indices, the smaller first, and their distance."""


@dataclass(frozen=True)
class Spread:
    """The distances of all unordered pairs of one concept's images.

    Attributes:
        n: images; ``pairs`` is n (n - 1) / 2.
        median, mean, quartiles: cosine distances, 0 (the same direction) to 2 (the opposite one).
        interval: of the median; None with two images, whose single pair has none.
        exact: whether the quantiles are selected from the distances themselves, or from bins of 1e-6.
        near_pairs: pairs whose distance is at most the threshold.
        near_images: images with at least one such partner.
        nearest: the nearest pairs, nearest first; at most as many as were asked for.
        farthest: the farthest pair.
        typical: indices of the images, from that nearest to the others' mean to that farthest from it.
    """

    n: int
    pairs: int
    median: float
    mean: float
    quartiles: tuple[float, float]
    interval: Interval | None
    exact: bool
    near_pairs: int
    near_images: int
    nearest: tuple[Pair, ...]
    farthest: Pair
    typical: tuple[int, ...]


def spread(
    embeddings: Float[np.ndarray, "image channel"],
    near: float = 0.05,
    nearest: int = 12,
    resamples: int = 10_000,
    seed: int = 0,
) -> Spread:
    """Distances ``1 - cos`` between the images of one concept.

    They are computed tile by tile. Up to 2 000 000 of them are kept and their quantiles selected exactly; of more, a
    histogram with bins of 1e-6 is kept, so that a quantile is off by at most half of that.

    The median's interval is a percentile bootstrap over images (pairs share images and so are not independent): a
    pair counts as often as the product of its images' counts, and an image drawn twice makes no pair with itself.
    Beyond 200 images it is the normal one of a U-quantile, ``1.96 · 2 · sd(p) / (√n · f)``, where p is the share of
    the others within the median of an image, and f the density of the distances there.

    Args:
        near: distance up to which a pair counts as near duplicates.
        nearest: pairs to name.

    Raises:
        InputError: fewer than two images, or an embedding without a direction.

    Source: Jeong & Lee (2025), arXiv 2512.20666, for the median of pairwise cosine distances; Efron & Tibshirani
    (1993), chapter 13, for the bootstrap; Serfling (1980), section 5.7, and Choudhury & Serfling (1988) for the normal
    interval.
    """
    directions = unit(embeddings)
    n = len(directions)
    if n < 2:
        raise InputError(f"{n} image(s); give two or more")
    found = _Pass(n, near, nearest)
    for row, column, tile in _tiles(directions):
        found.add(row, column, tile)
    low, median, high = found.quantiles((0.25, 0.5, 0.75))
    if n == 2:
        interval = None
    elif found.pairs <= _MOST_RESAMPLED:
        interval = _resampled(directions, resamples, seed)
    else:
        interval = _normal(directions, median, found.density(median))
    closeness = directions @ directions.mean(axis=0)
    return Spread(
        n=n,
        pairs=found.pairs,
        median=median,
        mean=found.total / found.pairs,
        quartiles=(low, high),
        interval=interval,
        exact=found.kept is not None,
        near_pairs=found.near_pairs,
        near_images=int(found.has_partner.sum()),
        nearest=tuple(found.nearest),
        farthest=found.farthest,
        typical=tuple(int(image) for image in np.argsort(-closeness, kind="stable")),
    )


def median_interval(values: Sequence[float], resamples: int = 10_000, seed: int = 0) -> Interval | None:
    """Percentile bootstrap interval of a median of independent values; None below three of them.

    Source: Efron & Tibshirani (1993), chapter 13.
    """
    if len(values) < 3:
        return None
    ordered, n = np.sort(np.asarray(values, dtype=float)), len(values)

    def medians(weights: Int[np.ndarray, "draw value"]) -> Float[np.ndarray, " draw"]:
        reached = np.cumsum(weights, axis=1)
        low, high = ((reached < rank).sum(axis=1) for rank in ((n + 1) // 2, n // 2 + 1))
        return (ordered[low] + ordered[high]) / 2

    return percentile_interval(resampled(medians, n, resamples, seed))


def vendi_score(embeddings: Float[np.ndarray, "image channel"]) -> float:
    """The effective number of different images, from 1 (all alike) to n: the exponential of the entropy of K / n.

    K is the matrix of cosine similarities. Its eigenvalues over n are those of the channels' second moments, which is
    the smaller matrix where there are many images.

    Raises:
        InputError: no image, or an embedding without a direction.

    Source: Friedman & Dieng (2023), "The Vendi Score", definition 3.1, with the cosine kernel.

    >>> round(vendi_score(np.eye(3)), 6), round(vendi_score(np.ones((5, 2))), 6)
    (3.0, 1.0)
    """
    directions = unit(embeddings)
    n, channels = directions.shape
    if n < channels:
        gram = directions.astype(np.float64) @ directions.T.astype(np.float64)
    else:
        gram = np.zeros((channels, channels))
        for start in range(0, n, _BLOCK):
            block = directions[start : start + _BLOCK].astype(np.float64)
            gram += block.T @ block
    values = np.linalg.eigvalsh(gram / n)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def mirrored_pairs(
    thumbnails: Real[np.ndarray, "image row column channel"], most: int = 12
) -> tuple[int, int, list[tuple[int, int]]]:
    """How many pairs are one picture and the same flipped left to right, how many pictures are in them, and some pairs.

    Pixels are compared by Pearson's correlation. A picture that is its own mirror image has no mirrored copy.

    Args:
        most: pairs to name, the most alike first.
    """
    starts, found, count = range(0, len(thumbnails), _BLOCK), list[tuple[float, int, int]](), 0
    partnered = np.zeros(len(thumbnails), dtype=bool)
    for row, column in ((row, column) for row in starts for column in starts if row <= column):
        some, others = (thumbnails[start : start + _BLOCK] for start in (row, column))
        plain, turned = _unlikeness(some, others), _unlikeness(some, others[:, :, ::-1])
        near = (turned <= _MIRRORED) & (plain >= np.maximum(_NOT_PLAIN, 4 * turned))
        one, other = np.nonzero(np.triu(near, 1) if row == column else near)
        best = np.argsort(turned[one, other], kind="stable")[:most]
        found += [
            (float(turned[a, b]), row + int(a), column + int(b)) for a, b in zip(one[best], other[best], strict=True)
        ]
        count += len(one)
        partnered[row + one] = partnered[column + other] = True
    return count, int(partnered.sum()), [(a, b) for _, a, b in sorted(found)[:most]]


def _unlikeness(
    some: Real[np.ndarray, "row y x channel"], others: Real[np.ndarray, "column y x channel"]
) -> Float[np.ndarray, "row column"]:
    """1 - Pearson's correlation of the pixels; 1 for pictures of one colour."""
    one, other = (pixels.reshape(len(pixels), -1).astype(np.float32) for pixels in (some, others))
    centred = [values - values.mean(axis=1, keepdims=True) for values in (one, other)]
    return _distances(*(v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-6) for v in centred))


def unit(embeddings: Float[np.ndarray, "image channel"]) -> Float[np.ndarray, "image channel"]:
    """The embeddings at length 1, float32.

    Raises:
        InputError: none at all, or one of length 0 or with a value that is not a number.
    """
    if not len(embeddings):
        raise InputError("no images; give one or more")
    directions = np.empty(embeddings.shape, dtype=np.float32)
    for start in range(0, len(embeddings), _BLOCK):
        block = embeddings[start : start + _BLOCK].astype(np.float64)
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise InputError("an embedding has no direction: its length is 0 or not a number; leave the image out")
        directions[start : start + _BLOCK] = block / lengths
    return directions


def _tiles(
    directions: Float[np.ndarray, "image channel"],
) -> Iterator[tuple[int, int, Float[np.ndarray, "row column"]]]:
    """The matrix of distances right of its diagonal, in tiles: the first row and column of each, and its entries.

    Entries on and left of the diagonal are NaN.
    """
    for row in range(0, len(directions), _BLOCK):
        for column in range(row, len(directions), _BLOCK):
            tile = _distances(directions[row : row + _BLOCK], directions[column : column + _BLOCK])
            if row == column:
                tile[np.tri(len(tile), dtype=bool)] = np.nan
            yield row, column, tile


def _distances(
    some: Float[np.ndarray, "row channel"], others: Float[np.ndarray, "column channel"]
) -> Float[np.ndarray, "row column"]:
    return np.clip(1 - some @ others.T, 0, 2)


class _Pass:
    """What one pass over all distances leaves behind."""

    def __init__(self, n: int, near: float, nearest: int) -> None:
        self.pairs = n * (n - 1) // 2
        self.kept: list[np.ndarray] | None = [] if self.pairs <= _MOST_KEPT else None
        self._counts = np.zeros(0 if self.kept is not None else round(2 / BIN_WIDTH) + 1, dtype=np.int64)
        self._near, self._most = near, nearest
        self.total, self.near_pairs = 0.0, 0
        self.has_partner = np.zeros(n, dtype=bool)
        self.nearest: list[Pair] = []
        self.farthest: Pair = (0, 1, -1.0)

    def add(self, row: int, column: int, tile: Float[np.ndarray, "row column"]) -> None:
        values = tile[~np.isnan(tile)]
        if not values.size:
            return
        self.total += float(values.sum(dtype=np.float64))
        if self.kept is not None:
            self.kept.append(values)
        else:
            bins = np.rint(values.astype(np.float64) / BIN_WIDTH).astype(np.int64)
            counts = np.bincount(bins)
            self._counts[: len(counts)] += counts
        near = tile <= self._near
        self.near_pairs += int(near.sum())
        self.has_partner[row : row + len(tile)] |= near.any(axis=1)
        self.has_partner[column : column + tile.shape[1]] |= near.any(axis=0)
        self._keep_extremes(row, column, tile, values.size)

    def _keep_extremes(self, row: int, column: int, tile: Float[np.ndarray, "row column"], count: int) -> None:
        def pair(index: int) -> Pair:
            down, right = divmod(index, tile.shape[1])
            return (row + down, column + right, float(tile[down, right]))

        flat = tile.ravel()
        most = min(self._most, count)
        for index in np.argpartition(flat, most - 1)[:most] if most else ():  # NaN sorts last
            self.nearest.append(pair(int(index)))
        self.nearest = sorted(self.nearest, key=lambda found: (found[2], found[0], found[1]))[: self._most]
        self.farthest = max(self.farthest, pair(int(np.nanargmax(flat))), key=lambda found: found[2])

    def quantiles(self, shares: tuple[float, ...]) -> tuple[float, ...]:
        if self.kept is not None:
            return tuple(float(value) for value in np.quantile(np.concatenate(self.kept), shares))
        reached = np.cumsum(self._counts)
        ranks = [share * (self.pairs - 1) + 1 for share in shares]
        return tuple(float(np.searchsorted(reached, rank) * BIN_WIDTH) for rank in ranks)

    def density(self, at: float) -> float:
        """Distances an unit of distance there: those between the quantiles 5% below and above, over their gap."""
        low, high = self.quantiles((0.5 - _DENSITY_REACH, 0.5 + _DENSITY_REACH))
        gap = max(high - low, BIN_WIDTH * max(1.0, abs(at)))
        return 2 * _DENSITY_REACH / gap


def _resampled(directions: Float[np.ndarray, "image channel"], resamples: int, seed: int) -> Interval:
    n = len(directions)
    one, other = np.triu_indices(n, 1)
    distances = _distances(directions, directions)[one, other]
    order = np.argsort(distances, kind="stable")
    distances, one, other = distances[order].astype(np.float64), one[order], other[order]

    def medians(weights: Int[np.ndarray, "draw image"]) -> Float[np.ndarray, " value"]:
        counts = weights.astype(np.float32)
        reached = np.take(counts, one, axis=1)
        reached *= np.take(counts, other, axis=1)
        np.cumsum(reached, axis=1, out=reached)
        reached = reached[reached[:, -1] > 0]  # without draws of one image again and again
        return distances[(reached < reached[:, -1:] / 2).sum(axis=1)]

    return percentile_interval(resampled(medians, n, resamples, seed, width=len(one)))


def _normal(directions: Float[np.ndarray, "image channel"], median: float, density: float) -> Interval:
    n = len(directions)
    within: Int[np.ndarray, " image"] = np.zeros(n, dtype=np.int64)
    for row, column, tile in _tiles(directions):
        inside = tile <= median
        within[row : row + len(tile)] += inside.sum(axis=1)
        within[column : column + tile.shape[1]] += inside.sum(axis=0)
    spread_of_shares = float((within / (n - 1)).std(ddof=1))
    reach = NormalDist().inv_cdf(0.975) * 2 * spread_of_shares / (n**0.5 * density)
    return (max(0.0, median - reach), min(2.0, median + reach))
