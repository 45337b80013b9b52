"""What the families have in common."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.protocol import LatentPictures

JOINT_TARGETS = ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
"""The text's own layers of joint attention, which diffusers' examples for SD3 and FLUX give a LoRA too."""


def text_encoders_of(pipeline: Any) -> tuple[nn.Module, ...]:
    """The pipeline's text encoders, in their order."""
    named = (getattr(pipeline, name, None) for name in ("text_encoder", "text_encoder_2", "text_encoder_3"))
    return tuple(encoder for encoder in named if encoder is not None)


@torch.no_grad()
def encode_with(autoencoder: Any, pixels: Float[Tensor, "picture 3 side side"]) -> LatentPictures:
    """Pictures as latents, shifted and scaled as the denoiser knows them."""
    spread = autoencoder.encode(pixels.to(autoencoder.dtype)).latent_dist
    shift = getattr(autoencoder.config, "shift_factor", None) or 0.0
    scale = autoencoder.config.scaling_factor
    return LatentPictures(((spread.mean - shift) * scale).float(), (spread.std * scale).float())
