"""What training needs to know of a family of models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

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


@runtime_checkable
class Family(Protocol):
    """How the pipelines of one family are trained.

    Attributes:
        denoiser: the UNet or the transformer.
        denoiser_name: its name in the pipeline.
        text_encoders: all of them.
        usual_levels: the usual distribution of noise levels.
        more_targets: layers that get a LoRA beside those that every family has, where the user names none.
        knows_snr: whether its loss can be weighted by the ratio of signal to noise.
    """

    pipeline: Any
    denoiser_name: str
    usual_levels: Levels
    more_targets: tuple[str, ...]
    knows_snr: bool

    @property
    def denoiser(self) -> nn.Module: ...

    @property
    def text_encoders(self) -> tuple[nn.Module, ...]: ...

    def side(self) -> int:
        """Pixels a side of the pictures that the model was made for."""
        ...

    def sides(self) -> range:
        """Pixels a side that it can be trained at."""
        ...

    def encode_pictures(self, pixels: Float[Tensor, "picture 3 side side"]) -> LatentPictures:
        """Pictures in [-1, 1] as latents; the autoencoder must be on the pixels' device."""
        ...

    def encode_captions(self, captions: Sequence[str]) -> Conditions:
        """What the text encoders make of captions; they stay where they are."""
        ...

    def losses(self, denoiser: nn.Module, batch: Noised, snr_gamma: float | None) -> Float[Tensor, " picture"]:
        """Mean squared error of each picture's prediction, weighted as the family is trained.

        Args:
            denoiser: the family's own, as accelerate wraps it.
        """
        ...
