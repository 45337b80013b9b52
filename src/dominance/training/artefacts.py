"""What a text-to-image model makes of a picture whose truth is known: the judge learns to see through it.

Source: noising a picture part of the way and denoising it again, Meng et al. (2022), SDEdit; the steps back are DDIM's,
Song et al. (2021), for a denoiser that predicts velocity, Salimans & Ho (2022).
"""

import json
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from dominance.errors import ModelError
from dominance.miniature.captions import pair_caption, single_caption
from dominance.miniature.truth import true_answers
from dominance.training.autoencoder import load_autoencoder
from dominance.training.backbones.registry import BACKBONES
from dominance.training.denoiser import Denoiser, new_scheduler
from dominance.training.images import as_images
from dominance.training.judge_pictures import JudgedPicture

_EVERY = 3
"""One image of so many is redrawn."""
_EARLIEST, _LATEST = 250, 650
"""Timesteps, of 1000, up to which images are noised: places and colours remain, outlines are drawn anew."""
_STEPS = 3
"""Denoising steps back to a clean picture, evenly spaced."""
_LATENT_NOISE = 0.3
"""Most of the noise on latents that are not denoised, as a standard deviation; latents have about 1."""


class ModelArtefacts:
    """Redraws pictures with a pipeline's own denoiser and decoder, so that they look as its images do.

    Args:
        pipeline: folder of a model that was trained here; its denoiser predicts velocity.

    Raises:
        ModelError: it is another kind of model.
    """

    def __init__(self, pipeline: Path, device: str) -> None:
        _check_trained_here(pipeline)
        self._autoencoder = load_autoencoder(pipeline).to(device)
        self._denoiser = Denoiser.read(pipeline).requires_grad_(False).eval().to(device)
        self._alphas = new_scheduler().alphas_cumprod

    @torch.no_grad()
    def on(
        self, images: Float[Tensor, "image 3 64 64"], pictures: list[JudgedPicture], rng: np.random.Generator
    ) -> Float[Tensor, "image 3 64 64"]:
        """The images with every third one redrawn; their truths stay as they are.

        Those that show one or two concepts, all of them clearly, are noised and denoised again under their
        caption; the others only go through the autoencoder, their latents disturbed.

        Args:
            images: of these pictures, in [-1, 1].
            rng: decides captions, timesteps and noise.
        """
        images = images.clone()
        chosen = range(0, len(pictures), _EVERY)
        latents = self._autoencoder.encode(images[::_EVERY]).latent_dist.mean
        captions = [_caption(pictures[index], rng) for index in chosen]
        again = torch.tensor([caption is not None for caption in captions])
        scale = torch.from_numpy(rng.uniform(0, _LATENT_NOISE, (len(captions), 1, 1, 1))).to(latents)
        noise = torch.from_numpy(rng.standard_normal(latents.shape)).to(latents)
        changed = latents + noise * scale
        if again.any():
            named = [caption for caption in captions if caption is not None]
            changed[again] = self._denoised(latents[again], noise[again], named, rng)
        images[::_EVERY] = self._autoencoder.decode(changed).sample.clamp(-1, 1)
        return images

    def redrawn(self, picture: JudgedPicture, rng: np.random.Generator) -> JudgedPicture:
        """One picture as ``on`` redraws it, for measuring a judge; its truths stay as they are."""
        image = self.on(as_images(picture.pixels[None]), [picture], rng)[0]
        return JudgedPicture(image.add(1).mul(127.5).round().byte().permute(1, 2, 0).cpu().numpy(), picture.truths)

    def _denoised(
        self,
        latents: Float[Tensor, "image channel row column"],
        noise: Float[Tensor, "image channel row column"],
        captions: list[str],
        rng: np.random.Generator,
    ) -> Float[Tensor, "image channel row column"]:
        """Latents noised to a timestep of each image's own and led back in a few DDIM steps, without guidance."""
        start = torch.from_numpy(rng.integers(_EARLIEST, _LATEST, len(captions)))
        clean, left = latents, noise
        for step in range(_STEPS, 0, -1):
            timesteps = start * step // _STEPS
            signal, spread = self._shares(timesteps, latents)
            current = signal * clean + spread * left
            velocity = self._denoiser(current, timesteps.to(latents.device), captions)
            clean, left = signal * current - spread * velocity, spread * current + signal * velocity
        return clean

    def _shares(self, timesteps: Int[Tensor, "image"], like: Tensor) -> tuple[Tensor, Tensor]:
        """How much of signal and of noise there is at each image's timestep, (image, 1, 1, 1) each."""
        kept = self._alphas[timesteps].to(like)[:, None, None, None]
        return kept.sqrt(), (1 - kept).sqrt()


def _check_trained_here(pipeline: Path) -> None:
    config = pipeline / "scheduler" / "scheduler_config.json"
    whole = all((pipeline / part).is_dir() for part in ("vae", "text_encoder", "tokenizer"))
    whole = whole and any((pipeline / part).is_dir() for part in BACKBONES)
    if not whole or not config.is_file():
        raise ModelError(
            f"{pipeline} is not a complete pipeline folder; give miniature-base, or a model made by dominance train"
        )
    predicts = json.loads(config.read_text(encoding="utf-8")).get("prediction_type")
    if predicts != new_scheduler().config["prediction_type"]:
        raise ModelError(
            f"the denoiser of {pipeline} predicts {predicts!r}, not velocity; give miniature-base, or a model made by"
            " dominance train"
        )


def _caption(picture: JudgedPicture, rng: np.random.Generator) -> str | None:
    """A caption of one or two concepts, all of them clearly depicted; None for any other picture."""
    names = [truth.concept for truth in picture.truths if true_answers(truth.concept, picture.truths)[2]]
    if not names or len(names) > 2 or len(names) < len(picture.truths):
        return None
    return single_caption(names[0], None, rng) if len(names) == 1 else pair_caption(names[0], names[1], rng)
