"""What each step sees: it depends on the seed and the step alone, so that a resumed run goes on as it would have."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dominance.training.dreambooth.encoded import EncodedCaptions, EncodedPictures
from dominance.training.dreambooth.families.protocol import Levels, Noised
from dominance.training.dreambooth.options import TeachSettings

_EDGE = 1e-4
"""How near to no noise, and to noise alone, a level may be: a logit-normal has no ends."""


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of a fine-tuning.

    Attributes:
        concept, prior: encoded pictures; None for no prior.
        distribution: of the noise levels.
    """

    concept: EncodedPictures
    prior: EncodedPictures | None
    captions: EncodedCaptions
    settings: TeachSettings
    distribution: Levels
    device: torch.device

    def parts(self, step: int) -> list[tuple[Noised, Float[Tensor, " picture"]]]:
        """A step's batch, in the parts that it is taken in, and the weight of each picture's loss.

        The means over the concept's and over the prior's pictures of the whole batch weigh 1 and ``prior_weight``.
        """
        options = self.settings.options
        generator = torch.Generator().manual_seed(_seed(options.seed, step))
        prior = self.settings.prior_pictures(self.prior is not None)
        own = self.settings.batch - prior
        batch = self._half(self.concept, own, step, options.caption_dropout, generator)
        weights = torch.full((own,), 1 / own)
        if self.prior is not None and prior:
            other = self._half(self.prior, prior, step, options.prior_dropout, generator)
            batch = _together(batch, other)
            weights = torch.cat([weights, torch.full((prior,), options.prior_weight / prior)])
        count = options.accumulate
        return [(_every(batch, index, count), weights[index::count].to(self.device)) for index in range(count)]

    def _half(
        self, encoded: EncodedPictures, count: int, step: int, dropout: float, generator: torch.Generator
    ) -> Noised:
        places = [
            _place(self.settings.options.seed, number, len(encoded.pictures))
            for number in range(step * count, (step + 1) * count)
        ]
        latents, views = encoded.drawn(places, generator)
        dropped = torch.rand(count, generator=generator) < dropout
        captions = [
            "" if drop else encoded.pictures[place].caption for place, drop in zip(places, dropped, strict=True)
        ]
        levels = stratified(count, generator)
        return Noised(
            latents=latents.to(self.device),
            noise=torch.randn(latents.shape, generator=generator).to(self.device),
            levels=(logit_normal(levels) if self.distribution == "logit-normal" else levels).to(self.device),
            conditions=self.captions(captions),
            views=views,
        )


def stratified(count: int, generator: torch.Generator) -> Float[Tensor, " picture"]:
    """Numbers of [0, 1), one from each of so many equal intervals, in random order."""
    return (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count


def logit_normal(uniform: Float[Tensor, " picture"]) -> Float[Tensor, " picture"]:
    """Uniform numbers as noise levels that lie around the middle.

    Source: Esser et al. (2024), equation 19, with mean 0 and standard deviation 1.
    """
    return torch.sigmoid(torch.special.ndtri(uniform.double().clamp(_EDGE, 1 - _EDGE))).float()


def _seed(seed: int, turn: int) -> int:
    return int(np.random.SeedSequence([seed, 17, turn]).generate_state(1)[0])


def _place(seed: int, number: int, count: int) -> int:
    """Which picture the ``number``-th is: all of them in a new order each time round."""
    time_round, place = divmod(number, count)
    return int(_order(seed, time_round, count)[place])


@functools.lru_cache(maxsize=8)
def _order(seed: int, time_round: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, 23, time_round]).permutation(count)


def _together(first: Noised, second: Noised) -> Noised:
    return Noised(
        latents=torch.cat([first.latents, second.latents]),
        noise=torch.cat([first.noise, second.noise]),
        levels=torch.cat([first.levels, second.levels]),
        conditions={name: torch.cat([value, second.conditions[name]]) for name, value in first.conditions.items()},
        views=[*first.views, *second.views],
    )


def _every(batch: Noised, index: int, parts: int) -> Noised:
    """Every ``parts``-th picture from ``index`` on."""
    return Noised(
        latents=batch.latents[index::parts],
        noise=batch.noise[index::parts],
        levels=batch.levels[index::parts],
        conditions={name: value[index::parts] for name, value in batch.conditions.items()},
        views=batch.views[index::parts],
    )
