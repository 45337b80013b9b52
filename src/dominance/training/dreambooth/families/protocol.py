"""What the parts of training hand to one another, and what differs between families of models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.pictures import View

Levels = Literal["uniform", "logit-normal"]
"""How noise levels are distributed."""

Conditions = Mapping[str, Tensor]
"""What a text encoder makes of captions, one row a caption, by the names that the family gives them."""


@dataclass(frozen=True)
class LatentPictures:
    """Pictures as an autoencoder's normal distributions, in the denoiser's scale.

    Attributes:
        mean, deviation: (picture, channel, row, column).
    """

    mean: Float[Tensor, "picture channel row column"]
    deviation: Float[Tensor, "picture channel row column"]


@dataclass(frozen=True)
class Noised:
    """One batch, or a part of it.

    Attributes:
        latents: of the pictures, clean.
        noise: standard normal, of the same shape.
        levels: of the noise, 0 (none) to 1 (nothing else), one a picture, as drawn from the chosen distribution.
        conditions: rows of the captions.
        views: what of each file is seen.
    """

    latents: Float[Tensor, "picture channel row column"]
    noise: Float[Tensor, "picture channel row column"]
    levels: Float[Tensor, " picture"]
    conditions: Conditions
    views: Sequence[View]


class Architecture(Protocol):
    """What differs between the families of models: how captions are read, and what the denoiser learns from a batch.

    Attributes:
        usual_levels: the usual distribution of noise levels.
        more_targets: layers that get a LoRA beside those that every family has, where the user names none.
        knows_snr: whether its loss can be weighted by the ratio of signal to noise.
        patch: latents that lie along a side of the smallest piece that the denoiser sees.
        most_patches: such pieces along a side of the largest picture; None for no end.
    """

    usual_levels: Levels
    more_targets: tuple[str, ...]
    knows_snr: bool
    patch: int
    most_patches: int | None

    def encode_captions(self, captions: Sequence[str], device: torch.device) -> Conditions:
        """What the text encoders, which are on this device, make of captions."""
        ...

    def losses(self, denoiser: nn.Module, batch: Noised, snr_gamma: float | None) -> Float[Tensor, " picture"]:
        """Mean squared error of each picture's prediction, weighted as the family is trained.

        Args:
            denoiser: the pipeline's own, as accelerate wraps it.
            snr_gamma: None where ``knows_snr`` is false.
        """
        ...
