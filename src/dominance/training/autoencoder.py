"""The miniature model's AutoencoderKL: an encoder that is set to a linear image code, a decoder that is trained.

Why the encoder is not trained: see docs/decisions/002-linear-encoder.md.
"""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

from dominance.training.patches import PATCH, PatchCode

LATENT_CHANNELS: int = 12
_CHANNELS = (32, 48, 64)
_GROUPS = 8
_CONSTANT = 256.0
_LOG_VARIANCE = -12.0
"""Of the encoder's posterior: next to none, the code being deterministic."""


def new_autoencoder(code: PatchCode, seed: int) -> AutoencoderKL:
    """An AutoencoderKL whose encoder computes ``code`` (within 1e-3) and whose decoder is untrained.

    The latents have unit variance, so the scaling factor is 1. Image sides must be multiples of 4.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            block_out_channels=_CHANNELS,
            layers_per_block=1,
            latent_channels=code.basis.shape[0],
            norm_num_groups=_GROUPS,
            sample_size=64,
            scaling_factor=1.0,
            mid_block_add_attention=False,
            use_quant_conv=False,
            use_post_quant_conv=False,
        )
    _set_encoder(autoencoder.encoder, code)
    autoencoder.encoder.requires_grad_(False)
    return autoencoder


@torch.no_grad()
def linear_code(autoencoder: AutoencoderKL) -> PatchCode:
    """The linear image code that a trained autoencoder's encoder computes, read off by encoding unit patches.

    Of the mean patch only what the code can express comes back, so that ``encode`` agrees with the encoder.
    """
    step = 0.5
    patches = torch.cat([torch.zeros(1, 3 * PATCH**2), step * torch.eye(3 * PATCH**2)])
    tiles = pixel_shuffle(patches[:, :, None, None], PATCH)
    origin, *moved = autoencoder.encode(tiles).latent_dist.mean.flatten(1)
    basis = (torch.stack(moved, dim=1) - origin[:, None]) / step
    return PatchCode(-torch.linalg.pinv(basis) @ origin, basis)


@torch.no_grad()
def _set_encoder(encoder: nn.Module, code: PatchCode) -> None:
    """Writes the linear code into the encoder's weights, every residual branch silenced.

    The two stride-2 convolutions gather the 4×4 patch and project it. What stands after them, a group norm
    and a SiLU, is made linear: each group also holds a large constant and its negative, which fix the
    group's mean and deviation, and each latent travels with its negative, because silu(x) - silu(-x) = x.
    """
    for name, parameter in encoder.named_parameters():
        if "norm" not in name:
            parameter.zero_()
        if name.endswith("conv_shortcut.weight"):
            parameter[:, :, 0, 0] = torch.eye(*parameter.shape[:2])
    channels = code.basis.shape[0]
    spread, gather = _pairing(channels)
    _set_centre(encoder.get_parameter("conv_in.weight"), torch.eye(3))
    first = encoder.get_parameter("down_blocks.0.downsamplers.0.conv.weight")
    for colour, dy, dx in itertools.product(range(3), range(2), range(2)):
        first[colour * 4 + dy * 2 + dx, colour, dy, dx] = 1
    second = "down_blocks.1.downsamplers.0.conv"
    encoder.get_parameter(f"{second}.weight")[:channels, :12, :2, :2] = _second_half(code.basis)
    encoder.get_parameter(f"{second}.bias")[:channels] = -(code.basis @ code.mean)
    encoder.get_parameter(f"{second}.bias")[channels] = _CONSTANT
    shortcut = encoder.get_parameter("down_blocks.2.resnets.0.conv_shortcut.weight")
    shortcut.zero_()
    shortcut[:, : channels + 1, 0, 0] = spread
    encoder.get_parameter("conv_norm_out.weight").fill_(_CONSTANT * (2 * _GROUPS / _CHANNELS[-1]) ** 0.5)
    encoder.get_parameter("conv_norm_out.bias").zero_()
    _set_centre(encoder.get_parameter("conv_out.weight"), gather)
    encoder.get_parameter("conv_out.bias")[channels:] = _LOG_VARIANCE


def _set_centre(weight: Tensor, matrix: Tensor) -> None:
    """Makes a 3×3 convolution act pixel by pixel: (output, input, 3, 3)."""
    weight[: matrix.shape[0], : matrix.shape[1], 1, 1] = matrix


def _second_half(basis: Tensor) -> Tensor:
    """The projection as weights over (colour and place in the 2×2 patch, then the four 2×2 patches)."""
    by_pixel = basis.reshape(-1, 3, 2, 2, 2, 2)  # channel, colour, outer row, inner row, outer column, inner column
    return by_pixel.permute(0, 1, 3, 5, 2, 4).reshape(-1, 12, 2, 2)


def _pairing(channels: int) -> tuple[Tensor, Tensor]:
    """How latents and the constant spread over the norm's groups as pairs of signs, and how they are read back."""
    width = _CHANNELS[-1] // _GROUPS
    spread, gather = torch.zeros(_CHANNELS[-1], channels + 1), torch.zeros(channels, _CHANNELS[-1])
    for group in range(_GROUPS):
        spread[group * width + width - 2, channels] = 1
        spread[group * width + width - 1, channels] = -1
    for channel in range(channels):
        row = (channel % _GROUPS) * width + 2 * (channel // _GROUPS)
        spread[row, channel], spread[row + 1, channel] = 1, -1
        gather[channel, row], gather[channel, row + 1] = 1, -1
    return spread, gather


def decoder_loss(
    autoencoder: AutoencoderKL, code: PatchCode, pictures: Callable[[int], Tensor], seed: int, noise: float = 0.06
) -> Callable[[int], Tensor]:
    """Mean squared error of decoded latents, a little noise on them, as a denoiser leaves some.

    Args:
        pictures: step to images in [-1, 1], (image, 3, height, width), on the autoencoder's device.
        noise: standard deviation of what is added to the latents of every second image.
    """

    def loss(step: int) -> Tensor:
        images = pictures(step)
        generator = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))
        latents = code.encode(images)
        disturbance = torch.randn(latents.shape, generator=generator).to(latents) * noise
        disturbance[::2] = 0
        return nn.functional.mse_loss(autoencoder.decode(latents + disturbance).sample, images)

    return loss


@torch.no_grad()
def reconstruction_psnr(autoencoder: AutoencoderKL, images: Tensor) -> float:
    """Peak signal-to-noise ratio, in dB, of the autoencoder's reconstructions of images in [-1, 1]."""
    decoded = autoencoder.decode(autoencoder.encode(images).latent_dist.mean).sample.clamp(-1, 1)
    return float(10 * torch.log10(4 / nn.functional.mse_loss(decoded, images)))


def load_autoencoder(pipeline: Path) -> AutoencoderKL:
    """A pipeline's autoencoder, frozen."""
    autoencoder = AutoencoderKL.from_pretrained(pipeline / "vae", use_safetensors=True, dtype=torch.float32)
    return autoencoder.requires_grad_(False).eval()
