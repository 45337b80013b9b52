"""Regions of the picture, one a concept: half-planes between the centres of their attention maps, with soft edges."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from dominance.metrics.overlap import normalised, smoothed

_KEPT = 0.5
"""Of the maps before, in their running mean."""
_LEAST = 1e-6


@dataclass(frozen=True)
class Regions:
    """How one image is parted among its concepts.

    Attributes:
        texts: of each concept, in the prompt's order: the prompt with its rivals neutralised, by several nouns.
        fixed: share of the steps after which the parting stays as it is.
        since: share of the steps before it acts.
        until: share of the steps after which it no longer acts; None for all by attention, the first half by
            predictions.
        halves: whether two concepts get the left and the right half, rather than half-planes of any direction.
        edge: softness of the edges, in latents.
        strength: from 0, no effect, to 1.
    """

    texts: tuple[tuple[str, ...], ...]
    fixed: float = 0.4
    until: float | None = None
    halves: bool = False
    edge: float = 1.0
    strength: float = 1.0
    since: float = 0.0

    def ends(self, backend: str) -> float:
        """The share of the steps after which it no longer acts, where regions act by this back-end."""
        return self.until if self.until is not None else 0.5 if backend == "predictions" else 1.0

    def acts(self, step: int, steps: int, backend: str) -> bool:
        """Whether it acts at this step, where regions act by this back-end."""
        return self.strength > 0 and round(self.since * steps) <= step < round(self.ends(backend) * steps)

    def acting(self, steps: int, backend: str) -> list[int]:
        """The steps in which an image is drawn by it: not the first by attention, whose maps show only as it is run."""
        return [step for step in range(backend == "attention", steps) if self.acts(step, steps, backend)]


@dataclass
class Parting:
    """Where the concepts of one image lie, as far as its attention maps have told.

    Attributes:
        directions: of the two concepts, or of each of more, the centre of its maps, in parts of the picture from its
            middle: (concept, row and column).
    """

    regions: Regions
    centres: Float[Tensor, "concept 2"] | None = None
    _maps: Tensor | None = field(default=None, repr=False)

    def see(self, maps: Float[Tensor, "concept row column"], share: float) -> None:
        """Takes in the maps of a step that begins after this share of the steps."""
        if self.centres is not None and share >= self.regions.fixed:
            return
        own = normalised(smoothed(maps.float()))
        keep = self._maps is not None and self._maps.shape == own.shape
        self._maps = _KEPT * self._maps + (1 - _KEPT) * own if keep and self._maps is not None else own
        self.centres = _middles(self._maps)

    def masks(self, rows: int, columns: int, latents: tuple[int, int]) -> Float[Tensor, "concept row column"]:
        """Each concept's share of every position of a grid over the picture; they sum to 1.

        Args:
            latents: rows and columns of the latents, by which the edges are measured.
        """
        if self.centres is None:
            raise RuntimeError("no maps have been seen")
        scale = torch.tensor(latents, dtype=torch.float32)
        down = ((torch.arange(rows) + 0.5) / rows - 0.5) * scale[0]
        across = ((torch.arange(columns) + 0.5) / columns - 0.5) * scale[1]
        places = torch.stack(torch.meshgrid(down, across, indexing="ij"), dim=-1)
        return parted(places, self.centres.cpu() * scale, self.regions.edge, self.regions.halves)


def _middles(maps: Float[Tensor, "concept row column"]) -> Float[Tensor, "concept 2"]:
    """The centre of each map in parts of the picture, from its middle: −0.5 to 0.5."""
    rows, columns = maps.shape[-2:]
    down = (torch.arange(rows, device=maps.device) + 0.5) / rows - 0.5
    across = (torch.arange(columns, device=maps.device) + 0.5) / columns - 0.5
    return torch.stack([(maps.sum(dim=-1) * down).sum(dim=-1), (maps.sum(dim=-2) * across).sum(dim=-1)], dim=-1)


def parted(
    places: Float[Tensor, "row column 2"], centres: Float[Tensor, "concept 2"], edge: float, halves: bool = False
) -> Float[Tensor, "concept row column"]:
    """Each concept's share of every place, from 0 to 1; they sum to 1.

    Two concepts get the half-planes through the middle of the picture, across the line from one centre to the other:
    ``logistic(distance to the edge / softness)``. More get the cells nearest to their centres: the product of such a
    share against each other one, whose edge lies halfway between the two centres.

    Args:
        places, centres: in latents from the middle of the picture.
        edge: softness, in latents.
        halves: of two concepts, whether only left and right are told apart.
    """
    count = len(centres)
    shares = torch.ones(count, *places.shape[:2])
    for a in range(count):
        for b in range(count):
            if a == b:
                continue
            towards = centres[a] - centres[b]
            if halves and count == 2:
                towards = torch.stack((torch.zeros(()), torch.sign(towards[1]) + (towards[1] == 0) * (1.0 - 2 * a)))
            length = towards.norm()
            if length < _LEAST:  # the same centre: neither gives way
                shares[a] *= 0.5
                continue
            from_where = places if count == 2 else places - (centres[a] + centres[b]) / 2
            shares[a] *= torch.sigmoid((from_where @ (towards / length)) / edge)
    return shares / shares.sum(dim=0, keepdim=True).clamp_min(_LEAST)
