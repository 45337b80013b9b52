"""The linear image code that the miniature autoencoder starts from: principal components of 4×4 patches."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

PATCH: int = 4
"""Pixels a side of a patch; the autoencoder's latents are this many times smaller than its pictures."""


@dataclass(frozen=True)
class PatchCode:
    """An orthogonal projection of each 4×4 patch, scaled so that fine detail is not lost beside brightness.

    Attributes:
        mean: float32 (48,), the mean patch.
        basis: float32 (channel, 48); a latent is ``basis @ (patch - mean)``.
    """

    mean: Float[Tensor, "48"]
    basis: Float[Tensor, "channel 48"]

    def encode(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image channel row column"]:
        """Latents of images in [-1, 1]: (image, 3, height, width) to (image, channel, height/4, width/4)."""
        patches = pixel_unshuffle(images, PATCH) - self.mean[:, None, None]
        return torch.einsum("kp,nphw->nkhw", self.basis, patches)

    def decode(self, latents: Float[Tensor, "image channel row column"]) -> Float[Tensor, "image 3 height width"]:
        """The images nearest to these latents that the code can express, blocky: the inverse shapes of ``encode``."""
        patches = torch.einsum("pk,nkhw->nphw", torch.linalg.pinv(self.basis), latents) + self.mean[:, None, None]
        return pixel_shuffle(patches, PATCH)


def fit_patch_code(images: Float[Tensor, "image 3 height width"], channels: int) -> PatchCode:
    """Principal components of the images' patches, each divided by the square root of its deviation.

    The square root lies between leaving brightness twelve times as strong as detail and whitening, which
    would have the denoiser spend most of its capacity on detail. The code is then scaled to unit variance.

    Args:
        images: float32 (image, 3, height, width) in [-1, 1]; a few hundred are enough.
        channels: how many components are kept.
    """
    patches = pixel_unshuffle(images, PATCH).permute(0, 2, 3, 1).reshape(-1, 3 * PATCH**2).double()
    mean = patches.mean(0)
    variances, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
    order = variances.argsort(descending=True)[:channels]
    components, deviations = vectors[:, order].T, variances[order].clamp_min(1e-12).sqrt()
    signs = torch.sign(components.gather(1, components.abs().argmax(1, keepdim=True)))
    basis = components * signs / deviations.sqrt()[:, None]
    latents_deviation = deviations.mean().sqrt()
    return PatchCode(mean.float(), (basis / latents_deviation).float())
