"""How far the attention maps of a prompt's concepts overlap, as losses that guidance lowers.

All take maps of shape (…, concept, row, column), probabilities or other numbers from 0, and give one value for each
leading index; all are differentiable. With ``p_k = A_k / ΣA_k``, every measure but ``intensity`` and
``attend_and_excite`` looks only at where a concept's attention lies, not at how much of it there is: on raw maps,
overlap can be made to vanish by starving one concept, which is dominance itself.

Source: Marioriyad et al. (2024), "Attention Overlap Is Responsible for The Entity Missing Problem", arXiv 2410.20972;
normalising first, and the means over pairs of more than two concepts, are ours.
"""

import itertools
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Maps = Float[Tensor, "... concept row column"]
Values = Float[Tensor, "..."]

_COM_PAIR, _COM_TRIANGLE = 10.0, 12.5
_SHARPNESS = 100.0


def normalised(maps: Maps) -> Maps:
    """Each map over its sum: where a concept's attention lies, whatever its amount.

    Raises:
        ValueError: not at least two maps of at least two positions.
    """
    if maps.ndim < 3 or maps.shape[-3] < 2 or maps.shape[-1] * maps.shape[-2] < 2:
        raise ValueError(f"maps have the shape {tuple(maps.shape)}; give two or more concepts, and positions")
    maps = maps.clamp_min(torch.finfo(maps.dtype).tiny)
    return maps / maps.sum(dim=(-2, -1), keepdim=True)


def centres(maps: Maps) -> Float[Tensor, "... concept 2"]:
    """Row and column of each map's centre of mass, in cells from 0."""
    p = normalised(maps)
    rows = torch.arange(p.shape[-2], dtype=p.dtype, device=p.device)
    columns = torch.arange(p.shape[-1], dtype=p.dtype, device=p.device)
    return torch.stack(((p.sum(dim=-1) * rows).sum(dim=-1), (p.sum(dim=-2) * columns).sum(dim=-1)), dim=-1)


def iou(maps: Maps) -> Values:
    """Overlap as ``Σ p_a p_b / (p_a + p_b)``, mean over pairs: from 0 for apart to 0.5 for the same."""
    p = normalised(maps).flatten(-2)
    return _over_pairs(p, lambda a, b: (a * b / (a + b)).sum(dim=-1))


def centre_distance(maps: Maps, area: bool = False) -> Values:
    """Distance between the centres of mass in cells, mean over pairs.

    Args:
        area: of three concepts, the area of the triangle of their centres instead, as in the paper.
    """
    found = centres(maps)
    if area and found.shape[-2] == 3:
        (a, b, c) = found.unbind(dim=-2)
        cross = (b - a)[..., 0] * (c - a)[..., 1] - (b - a)[..., 1] * (c - a)[..., 0]
        return cross.abs() / 2
    return _over_pairs(found, lambda a, b: ((a - b).square().sum(dim=-1) + torch.finfo(a.dtype).tiny).sqrt())


def divergence(maps: Maps) -> Values:
    """Symmetric Kullback-Leibler divergence ``½(KL(p_a‖p_b) + KL(p_b‖p_a))`` in nats, mean over pairs; from 0."""
    p = normalised(maps).flatten(-2)
    return _over_pairs(p, lambda a, b: ((a - b) * (a.log() - b.log())).sum(dim=-1) / 2)


def cluster_compactness(maps: Maps) -> Values:
    """Mean over positions of ``max_k p_k``: from ``1/N`` for the same maps of N positions to ``K/N`` for K apart.

    Of two maps it is ``(1 + TV) / N``, with the total variation ``TV = ½ Σ |p_a − p_b|``.
    """
    return normalised(maps).flatten(-2).amax(dim=-2).mean(dim=-1)


def spread(maps: Maps) -> Values:
    """Mean over concepts of ``Σ p · ‖position − centre‖²``, in squared cells; 0 for maps of one cell each."""
    p = normalised(maps)
    rows = torch.arange(p.shape[-2], dtype=p.dtype, device=p.device)[:, None]
    columns = torch.arange(p.shape[-1], dtype=p.dtype, device=p.device)[None, :]
    centre = centres(maps)[..., None, None, :]
    squares = (rows - centre[..., 0]).square() + (columns - centre[..., 1]).square()
    return (p * squares).sum(dim=(-2, -1)).mean(dim=-1)


def intensity(maps: Maps) -> Values:
    """The smallest concept's mean attention, of raw maps."""
    return maps.mean(dim=(-2, -1)).amin(dim=-1)


def attend_and_excite(maps: Maps) -> Values:
    """``max_k max(0, 1 − max over positions of A_k)``, of smoothed maps whose tokens compete; from 0 to 1.

    Source: Chefer et al. (2023), "Attend-and-Excite", equation 1; see ``competing`` and ``smoothed``.
    """
    return (1 - maps.amax(dim=(-2, -1))).clamp_min(0).amax(dim=-1)


def competing(tokens: Float[Tensor, "... token row column"]) -> Float[Tensor, "... token row column"]:
    """Maps of a prompt's own tokens, without the start token, made to compete: a softmax of 100 times each.

    Source: Chefer et al. (2023), section 4.
    """
    return (tokens * _SHARPNESS).softmax(dim=-3)


def smoothed(maps: Maps, sigma: float = 0.5) -> Maps:
    """The maps under a 3×3 Gaussian of this standard deviation in cells, their edges mirrored."""
    offsets = torch.tensor([-1.0, 0.0, 1.0], dtype=maps.dtype, device=maps.device)
    line = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (line[:, None] * line[None, :]) / line.sum() ** 2
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    padded = F.pad(flat, (1, 1, 1, 1), mode="reflect" if min(maps.shape[-2:]) > 1 else "replicate")
    return F.conv2d(padded, kernel[None, None]).reshape(maps.shape)


LOSSES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "kl": lambda maps: -divergence(maps),
    "com": lambda maps: -centre_distance(maps) / _COM_PAIR,
    "com-area": lambda maps: -centre_distance(maps, area=True) / _COM_TRIANGLE,
    "iou": iou,
    "cc": lambda maps: -cluster_compactness(maps),
    "spread": spread,
    "intensity": lambda maps: -intensity(maps),
}
"""What guidance lowers, by the name that users give; the divisors of the centres' distance are the paper's.

The paper publishes no weights of IoU, KL and CC; ours are 1.
"""


def _over_pairs(items: Tensor, measure: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The mean of a measure over all pairs along the last axis but one."""
    parts = items.unbind(dim=-2)
    return torch.stack([measure(a, b) for a, b in itertools.combinations(parts, 2)]).mean(dim=0)
