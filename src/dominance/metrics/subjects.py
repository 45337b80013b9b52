"""Where the subject of a picture lies, from how much a prediction changes there when the prompt is left out."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from dominance.metrics.overlap import smoothed

CELLS: int = 16
"""Cells of a side that a subject is looked for on, at most; finer differences say more of edges than of things."""
AGREED: float = 0.6
"""Correlation of what independent noises show, below which there is no subject."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a picture is of.

    Attributes:
        centre: row and column of its centre of mass, in shares of the picture, 0 to 1 from the top left.
        mask: the cells that it covers.
        agreement: correlation of what independent noises show of it, −1 to 1.
    """

    centre: tuple[float, float]
    mask: Bool[Tensor, "row column"]
    agreement: float


def find_subject(differences: Float[Tensor, "noise row column"]) -> Subject | None:
    """The subject of a picture; None where independent noises do not agree on one.

    The differences are pooled to at most 16 cells a side, smoothed, each noise's over its mean. Their mean over the
    noises is split in two by Otsu's threshold: the cells above it are the subject's. The agreement is that of the means
    over one half of the noises and over the other.

    Args:
        differences: mean square difference of the predictions with the prompt and without, by noise; two at least.

    Source: Couairon et al. (2023), "DiffEdit", section 3.2, whose threshold is a fixed share of the largest difference;
    Otsu's and the agreement are ours.
    """
    if differences.shape[0] < 2 or not bool(differences.isfinite().all()):
        return None
    side = (min(differences.shape[1], CELLS), min(differences.shape[2], CELLS))
    maps = smoothed(F.adaptive_avg_pool2d(differences.double()[None], side)[0])
    maps = maps / maps.mean(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)
    half = len(maps) // 2
    agreement = _correlation(maps[:half].mean(dim=0), maps[half:].mean(dim=0))
    whole = maps.mean(dim=0)
    if agreement < AGREED:
        return None
    mask = whole > split(whole.flatten())
    weights = whole * mask
    rows, columns = ((torch.arange(size, dtype=weights.dtype, device=weights.device) + 0.5) / size for size in side)
    total = float(weights.sum())
    row, column = (float(along @ rest) / total for along, rest in ((rows, weights.sum(1)), (columns, weights.sum(0))))
    return Subject((row, column), mask.cpu(), agreement)


def split(values: Float[Tensor, " value"]) -> float:
    """The threshold that parts values into two groups with the largest variance between them.

    Source: Otsu (1979), "A Threshold Selection Method from Gray-Level Histograms", equation 18, on the values
    themselves in place of a histogram.

    >>> split(torch.tensor([0.0, 1.0, 1.0, 8.0, 9.0]))
    4.5
    """
    ordered = values.sort().values
    count = torch.arange(1, len(ordered), dtype=ordered.dtype, device=ordered.device)
    sums = ordered.cumsum(dim=0)
    below, above = sums[:-1] / count, (sums[-1] - sums[:-1]) / (len(ordered) - count)
    place = int((count * (len(ordered) - count) * (below - above).square()).argmax())
    return float(ordered[place] + ordered[place + 1]) / 2


def _correlation(one: Tensor, other: Tensor) -> float:
    pair = torch.stack([one.flatten(), other.flatten()])
    return torch.corrcoef(pair)[0, 1].nan_to_num(nan=0.0).item()
