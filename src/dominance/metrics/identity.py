"""Whether images show the taught thing as its reference pictures do, and whether they copy one of them.

Source: Ruiz et al. (2023), "DreamBooth", section 4.2, for the cosine of image embeddings; the medians, the ceiling and
the rule for copies are our choices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from dominance.errors import InputError
from dominance.metrics.bootstrap import percentile_interval, resampled
from dominance.metrics.diversity import unit
from dominance.records import Interval


@dataclass(frozen=True)
class ReferenceSimilarity:
    """How near images come to reference pictures.

    Attributes:
        median: over the images, of each image's median cosine to the references, -1 to 1.
        interval: bootstrap of that, clusters of images drawn; None of one cluster.
        ceiling: the same of the references themselves, each against the others: lower quartile, median, upper quartile.
    """

    median: float
    interval: Interval | None
    ceiling: tuple[float, float, float]


def reference_similarity(
    clusters: Sequence[Float[np.ndarray, "image channel"]], references: Float[np.ndarray, "reference channel"]
) -> ReferenceSimilarity:
    """How near images come to the references, beside how near these are to one another.

    Args:
        clusters: embeddings of the images, of each prompt by themselves; of any length.
        references: at least two.

    Raises:
        InputError: no image, fewer than two references, or an embedding of zeros.
    """
    kept = [cluster for cluster in clusters if len(cluster)]
    _check(sum(len(cluster) for cluster in kept), references)
    own = unit(references)
    nearness = [np.median(unit(cluster) @ own.T, axis=1) for cluster in kept]
    among = own @ own.T
    others = np.array([np.median(np.delete(row, place)) for place, row in enumerate(among)])
    low, middle, high = np.quantile(others, (0.25, 0.5, 0.75))
    return ReferenceSimilarity(
        median=float(np.median(np.concatenate(nearness))),
        interval=_interval(nearness) if len(nearness) > 1 else None,
        ceiling=(float(low), float(middle), float(high)),
    )


def _interval(clusters: Sequence[Float[np.ndarray, " image"]]) -> Interval:
    values = np.concatenate(clusters)
    of = np.repeat(np.arange(len(clusters)), [len(cluster) for cluster in clusters])
    order = np.argsort(values, kind="stable")
    values, of = values[order], of[order]

    def medians(weights: np.ndarray) -> np.ndarray:
        """Of each draw, the mean of the two middle values of what it holds."""
        reached = np.cumsum(weights[:, of], axis=1)
        total = reached[:, -1:]
        low = (reached < (total + 1) // 2).sum(axis=1)
        high = (reached < total // 2 + 1).sum(axis=1)
        return (values[low] + values[high]) / 2

    return percentile_interval(resampled(medians, len(clusters), width=len(values)))


def copies(
    images: Float[np.ndarray, "image channel"], references: Float[np.ndarray, "reference channel"]
) -> Bool[np.ndarray, " image"]:
    """Which images are nearer to a reference than references are to one another.

    An image counts as a copy when its nearest reference is nearer to it than, in the median, a reference's nearest
    other reference is to that reference. References that nearly repeat one another make the rule so strict that no
    image is a copy, though all may look like them; ``recalled`` sees those.

    Raises:
        InputError: fewer than two references, or an embedding of zeros.
    """
    _check(len(images), references)
    own = unit(references)
    among = own @ own.T
    np.fill_diagonal(among, -np.inf)
    usual = float(np.median(among.max(axis=1)))
    return np.asarray((unit(images) @ own.T).max(axis=1) > usual)


def recalled(
    images: Float[np.ndarray, "image channel"],
    references: Float[np.ndarray, "reference channel"],
    unseen: Sequence[Float[np.ndarray, "picture channel"]],
) -> Bool[np.ndarray, " image"]:
    """Which images are nearer to a reference than to any picture of sets that were made the same way and never shown.

    A model that learned nothing of the references in particular recalls as many images as its share among the sets:
    one in four beside three unseen ones. So the count says the same however alike the references are.

    Args:
        unseen: sets of as many pictures as there are references.

    Raises:
        InputError: no image, fewer than two references, no unseen set, or an embedding of zeros.

    Source: Meehan, Chaudhuri & Dasgupta (2020), "A non-parametric test to detect data-copying in generative models",
    which compares distances to the training set and to a held-out one; we count images, and have several held-out sets.
    """
    _check(len(images), references)
    if not unseen:
        raise InputError("no unseen pictures to compare with; give at least one set")
    own = unit(images)
    nearest = [(own @ unit(pictures).T).max(axis=1) for pictures in (references, *unseen)]
    return np.asarray(nearest[0] > np.max(nearest[1:], axis=0))


def pixel_copies(
    images: UInt8[np.ndarray, "image row column 3"],
    pictures: UInt8[np.ndarray, "picture row column 3"],
    own: Sequence[int],
) -> Bool[np.ndarray, " image"]:
    """Which images are copies of the picture of their own, pixel by pixel.

    A copy's root mean square difference from the picture is less than half of what, in the median, a picture has from
    the nearest other. An embedding does not tell a copy from another picture of the same things.

    Args:
        own: the picture of each image, by its place.

    Raises:
        InputError: no image, or fewer than two pictures.
    """
    _check(len(images), pictures)
    among = np.stack([pixel_distances(np.broadcast_to(one, pictures.shape), pictures) for one in pictures])
    np.fill_diagonal(among, np.inf)
    return pixel_distances(images, pictures[list(own)]) < np.median(among.min(axis=1)) / 2


def pixel_distances(
    images: UInt8[np.ndarray, "image row column 3"], others: UInt8[np.ndarray, "image row column 3"]
) -> Float[np.ndarray, " image"]:
    """The root mean square difference of each image and its other, from 0 to 1."""
    apart = (images.astype(float) - others.astype(float)) / 255
    return np.sqrt((apart**2).mean(axis=(1, 2, 3)))


def _check(images: int, references: np.ndarray) -> None:
    if not images:
        raise InputError("no images to compare; give at least one")
    if len(references) < 2:
        raise InputError(f"{len(references)} reference pictures; give two or more, so that they can be compared")
