"""Training of Stable Diffusion 1, 2 and XL: a UNet that predicts the noise, or the velocity, at discrete timesteps."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.protocol import Conditions, LatentPictures, Levels, Noised
from dominance.training.dreambooth.families.shared import encode_with, text_encoders_of
from dominance.training.dreambooth.families.timesteps import discrete_losses, noising_of

_LARGEST = 4096


class UNetFamily:
    """Stable Diffusion 1 and 2, and what has the same parts."""

    denoiser_name = "unet"
    usual_levels: Levels = "uniform"
    more_targets: tuple[str, ...] = ()
    knows_snr = True

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self._noising = noising_of(pipeline.scheduler)

    @property
    def denoiser(self) -> nn.Module:
        return self.pipeline.unet

    @property
    def text_encoders(self) -> tuple[nn.Module, ...]:
        return text_encoders_of(self.pipeline)

    def side(self) -> int:
        return int(self.pipeline.unet.config.sample_size) * int(self.pipeline.vae_scale_factor)

    def sides(self) -> range:
        step = int(self.pipeline.vae_scale_factor)
        return range(step, _LARGEST + 1, step)

    def encode_pictures(self, pixels: Float[Tensor, "picture 3 side side"]) -> LatentPictures:
        return encode_with(self.pipeline.vae, pixels)

    def encode_captions(self, captions: Sequence[str]) -> Conditions:
        device = self.text_encoders[0].device
        embeddings, _ = self.pipeline.encode_prompt(list(captions), device, 1, False)
        return {"encoder_hidden_states": embeddings}

    def losses(self, denoiser: nn.Module, batch: Noised, snr_gamma: float | None) -> Float[Tensor, " picture"]:
        def predict(noisy: Tensor, timesteps: Tensor) -> Tensor:
            return denoiser(noisy, timesteps, **self._arguments(batch)).sample

        return discrete_losses(self._noising, batch, predict, snr_gamma)

    def _arguments(self, batch: Noised) -> dict[str, Any]:
        return {"encoder_hidden_states": batch.conditions["encoder_hidden_states"]}


class XLFamily(UNetFamily):
    """Stable Diffusion XL, whose UNet is also told of the picture's size and of how it was cut."""

    def encode_captions(self, captions: Sequence[str]) -> Conditions:
        device = self.text_encoders[0].device
        embeddings, _, pooled, _ = self.pipeline.encode_prompt(
            list(captions), device=device, do_classifier_free_guidance=False
        )
        return {"encoder_hidden_states": embeddings, "text_embeds": pooled}

    def _arguments(self, batch: Noised) -> dict[str, Any]:
        side = batch.latents.shape[-1] * self.pipeline.vae_scale_factor
        numbers = [[view.height, view.width, view.top, view.left, side, side] for view in batch.views]
        embeddings = batch.conditions["encoder_hidden_states"]
        sizes = torch.tensor(numbers, device=embeddings.device, dtype=embeddings.dtype)
        return {
            "encoder_hidden_states": embeddings,
            "added_cond_kwargs": {"text_embeds": batch.conditions["text_embeds"], "time_ids": sizes},
        }


def unet_family(pipeline: Any) -> UNetFamily:
    """The one of the two that a pipeline belongs to."""
    return XLFamily(pipeline) if isinstance(pipeline, StableDiffusionXLPipeline) else UNetFamily(pipeline)
