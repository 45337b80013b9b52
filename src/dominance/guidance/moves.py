"""Latents moved before a step, against the gradient of a loss on the concepts' attention maps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Step = Literal["rms", "raw"]
"""``rms``: the gradient over its root mean square, so that a step has one length on every model; ``raw``: as it is."""


@dataclass(frozen=True)
class Moves:
    """How the latents of one image are moved.

    Attributes:
        loss: a name of ``metrics.overlap.LOSSES``, or ``attend-and-excite``.
        step: how the gradient becomes a step.
        size: of the first step: of latents of unit variance for ``rms``, a factor of the gradient for ``raw``.
        until: share of the steps that are moved before.
        thresholds: shares of the steps at which the loss is lowered until it is at most so much, by at most
            ``refinements`` moves and one more.
        first: moves before step 0 alone, after each of which the noise is brought back to its own mean and variance.
    """

    loss: str
    step: Step = "rms"
    size: float = 0.06
    until: float = 0.4
    thresholds: Mapping[float, float] = field(default_factory=dict)
    refinements: int = 20
    first: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", dict(self.thresholds))

    def acts(self, step: int, steps: int) -> bool:
        """Whether the latents are moved before this step."""
        return (self.first > 0 and step == 0) or step < round(self.until * steps)

    def turns(self, step: int, steps: int) -> int:
        """How often the latents are moved before this step at most."""
        if self.first and step == 0:
            return self.first
        return self.refinements + 1 if self.threshold(step, steps) is not None else 1

    def threshold(self, step: int, steps: int) -> float | None:
        """The loss at which refinement stops; None at a step without one."""
        return next((most for share, most in self.thresholds.items() if round(share * steps) == step), None)

    def size_at(self, step: int, steps: int) -> float:
        """The size of a step.

        ``size · sqrt(1 − step / steps)`` for ``rms``, ours; ``size · sqrt(linspace(1, 0.5, steps)[step])`` for
        ``raw``, as Chefer et al. (2023) and Marioriyad et al. (2024) have it.
        """
        if self.step == "rms":
            return self.size * math.sqrt(1 - step / steps)
        return self.size * math.sqrt(1 - 0.5 * step / max(1, steps - 1))

    def moved(self, by: Float[Tensor, "..."], step: int, steps: int) -> Float[Tensor, "..."]:
        """What to subtract from latents, given the gradient of the loss.

        Args:
            by: the gradient; for ``rms`` with respect to latents of unit variance.
        """
        if self.step == "raw":
            return self.size_at(step, steps) * by
        length = by.square().mean().sqrt()
        return self.size_at(step, steps) * by / length.clamp_min(torch.finfo(by.dtype).tiny)
