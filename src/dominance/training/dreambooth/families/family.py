"""A loaded pipeline as training sees it, whatever its family."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.models.calls import latent_sides
from dominance.models.settings import GenerationSettings
from dominance.training.dreambooth.families.protocol import Architecture, Conditions, LatentPictures

_LARGEST = 4096


@dataclass(frozen=True, eq=False)
class Family:
    """A pipeline and what is its family's own."""

    pipeline: Any
    own: Architecture

    @property
    def denoiser_name(self) -> str:
        """The denoiser's name in the pipeline."""
        return "unet" if getattr(self.pipeline, "unet", None) is not None else "transformer"

    @property
    def denoiser(self) -> nn.Module:
        """The UNet or the transformer."""
        return getattr(self.pipeline, self.denoiser_name)

    @property
    def text_encoders(self) -> tuple[nn.Module, ...]:
        """All of them, in the pipeline's order."""
        named = (getattr(self.pipeline, name, None) for name in ("text_encoder", "text_encoder_2", "text_encoder_3"))
        return tuple(encoder for encoder in named if encoder is not None)

    def side(self) -> int:
        """Pixels a side of the pictures that the model was made for."""
        return latent_sides(self.pipeline, GenerationSettings())[0] * int(self.pipeline.vae_scale_factor)

    def sides(self) -> range:
        """Pixels a side that it can be trained at."""
        step = self.own.patch * int(self.pipeline.vae_scale_factor)
        return range(step, (step * self.own.most_patches if self.own.most_patches else _LARGEST) + 1, step)

    @torch.no_grad()
    def encode_pictures(self, pixels: Float[Tensor, "picture 3 side side"]) -> LatentPictures:
        """Pictures in [-1, 1] as latents, shifted and scaled as the denoiser knows them.

        The autoencoder must be on the pixels' device.
        """
        autoencoder = self.pipeline.vae
        spread = autoencoder.encode(pixels.to(autoencoder.dtype)).latent_dist
        shift = getattr(autoencoder.config, "shift_factor", None) or 0.0
        scale = autoencoder.config.scaling_factor
        return LatentPictures(((spread.mean - shift) * scale).float(), (spread.std * scale).float())

    def encode_captions(self, captions: Sequence[str]) -> Conditions:
        """What the text encoders make of captions; they stay where they are."""
        return self.own.encode_captions(captions, next(self.text_encoders[0].parameters()).device)
