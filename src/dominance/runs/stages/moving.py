"""Moves the latents of a running call by the gradient of a loss on the concepts' attention maps."""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor
from torch.nn import functional as F

from dominance.errors import ItemError
from dominance.guidance.moves import Moves
from dominance.metrics.overlap import LOSSES, attend_and_excite, competing, smoothed
from dominance.probes.looking import Looking, sample_name
from dominance.probes.shifting import input_scale, step_begun

ATTEND_AND_EXCITE = "attend-and-excite"
_RELEASED = 0.5 * math.sqrt(2)
"""Standard deviation of the smoothing: the release's kernel is exp(−(x / 2σ)²) with σ = 0.5."""
_UP = 2.0**10
"""By what a loss is multiplied where gradients are in half precision, so that small ones are not lost."""


class Mover:
    """Moves latents before the steps at which the images' moves act, once a step and where its scheduler begins it."""

    def __init__(self, pipeline: DiffusionPipeline, layers: frozenset[int]) -> None:
        self._pipeline, self._layers = pipeline, layers
        self._moves: list[Moves | None] = []
        self._columns: Sequence[Sequence[Sequence[int]]] = ()
        self._weights = torch.zeros(0)
        self._shift: Tensor | None = None
        self._step = -1

    def begin(
        self,
        moves: Sequence[Moves | None],
        columns: Sequence[Sequence[Sequence[int]]],
        weights: Tensor,
    ) -> None:
        """A call begins.

        Args:
            columns: of each image's concepts.
            weights: (image, token, concept) shares of each token in a concept's map.
        """
        self._moves, self._columns, self._weights = list(moves), columns, weights
        self._shift = None
        self._step = -1

    def taken(self) -> Tensor | None:
        """What the latents of this step were moved by, once."""
        shift, self._shift = self._shift, None
        return shift

    def move(self, looking: Looking, steps: int, rows: Sequence[int]) -> None:
        """Moves the latents in the arguments of the denoiser, in every branch, and keeps the shift for the scheduler.

        Raises:
            ItemError: a gradient that is not a number.
        """
        forward, given = looking.forward, looking.given
        scheduler = cast(Any, self._pipeline).scheduler
        scale = input_scale(scheduler, given.get("timestep", 0))
        name = sample_name(given)
        if forward.index == 0 and rows:
            self._shift = None
        begun = step_begun(scheduler, forward.step, steps) if rows and forward.step != self._step else None
        if begun is not None:
            self._step = forward.step
            acting = [i for i, m in enumerate(self._moves) if m is not None and m.acts(*begun)]
            if acting:
                before = given[name][list(rows)]
                after = self._moved(looking, before, acting, begun, scale)
                self._shift = (before.float() - after.float()) / scale
        if self._shift is not None:
            branches = given[name].shape[0] // self._shift.shape[0]
            given[name] = given[name] - (self._shift * scale).repeat(branches, *[1] * (self._shift.ndim - 1)).to(
                given[name]
            )

    def _moved(
        self, looking: Looking, before: Tensor, acting: Sequence[int], at: tuple[int, int], scale: float
    ) -> Tensor:
        step, steps = at
        with torch.inference_mode(mode=False), torch.enable_grad():
            latents = before.detach().clone()
            waiting = {image: cast(Moves, self._moves[image]).turns(step, steps) for image in acting}
            while images := [image for image, turns in waiting.items() if turns]:
                losses, gradients = self._gradients(looking, latents, images)
                for number, image in enumerate(images):
                    moves = cast(Moves, self._moves[image])
                    raw = scale if moves.step == "raw" else 1.0  # its gradient is that of the latents themselves
                    by = moves.moved(gradients[number] * raw, step, steps) * raw
                    again = moves.first and step == 0
                    latents[image] = _as_noise(latents[image], by) if again else latents[image] - by.to(latents)
                    most = moves.threshold(step, steps)
                    reached = most is not None and losses[number] <= most and not again
                    first = waiting[image] == moves.turns(step, steps)
                    # A loss that is low enough at once is lowered once; one that has become so, once more.
                    waiting[image] = (0 if first else min(1, waiting[image] - 1)) if reached else waiting[image] - 1
            return latents

    def _gradients(self, looking: Looking, latents: Tensor, images: Sequence[int]) -> tuple[list[float], Tensor]:
        """The loss of each image and its gradient with respect to the denoiser's input.

        Raises:
            ItemError: one of them is not a number.
        """
        start = looking.forward.conditional.start or 0
        given = latents[list(images)].clone().requires_grad_()
        rows = [start + image for image in images]
        up = _UP if given.dtype == torch.float16 else 1.0
        with looking.maps(rows, given, self._layers, self._looked_at(images)) as maps:
            own = mean_maps([maps[layer] for layer in sorted(maps)])
            losses = [self._loss(own[number], image) for number, image in enumerate(images)]
            total = torch.stack(losses).sum()
            (gradients,) = torch.autograd.grad(total * up, given)
        gradients = gradients.float() / up
        if not torch.isfinite(gradients).all() or not torch.isfinite(total):
            raise ItemError("the guidance's gradient is not a number; try --dtype float32, or another method")
        return [float(loss.detach()) for loss in losses], gradients

    def _looked_at(self, images: Sequence[int]) -> Tensor:
        """The shares of tokens in each map: of concepts, or, for Attend-and-Excite, of every token by itself."""
        if not any(self._excites(image) for image in images):
            return self._weights[list(images)]
        tokens = self._weights.shape[1] - 2  # all columns but the first and the last, as in the release
        weights = torch.zeros(len(images), tokens + 2, max(tokens, self._weights.shape[2]))
        for number, image in enumerate(images):
            if self._excites(image):
                weights[number, range(1, tokens + 1), range(tokens)] = 1
            else:
                weights[number, :, : self._weights.shape[2]] = self._weights[image]
        return weights

    def _excites(self, image: int) -> bool:
        moves = self._moves[image]
        return moves is not None and moves.loss == ATTEND_AND_EXCITE

    def _loss(self, maps: Tensor, image: int) -> Tensor:
        moves = cast(Moves, self._moves[image])
        if moves.loss != ATTEND_AND_EXCITE:
            return LOSSES[moves.loss](maps[: len(self._columns[image])])
        tokens = maps[: self._weights.shape[1] - 2]
        named = [column - 1 for own in self._columns[image] for column in own if 0 < column <= len(tokens)]
        return attend_and_excite(smoothed(competing(tokens)[named], _RELEASED))


def _as_noise(noise: Tensor, by: Tensor) -> Tensor:
    """The noise after a move, with the mean and the variance that it had."""
    moved = noise.float() - by
    moved = (moved - moved.mean()) / moved.std() * noise.float().std() + noise.float().mean()
    return moved.to(noise)


def mean_maps(maps: Sequence[Tensor]) -> Tensor:
    """The mean of several layers' maps, on the finest of their grids."""
    rows, columns = max(tuple(each.shape[-2:]) for each in maps)
    alike = [
        each if each.shape[-2:] == (rows, columns) else F.interpolate(each, (rows, columns), mode="bilinear")
        for each in maps
    ]
    return torch.stack(alike).mean(dim=0)
