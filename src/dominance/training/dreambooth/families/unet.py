"""Training of Stable Diffusion 1, 2 and XL: a UNet that predicts the noise, or the velocity, at discrete timesteps."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.protocol import Conditions, Levels, Noised
from dominance.training.dreambooth.families.timesteps import discrete_losses, noising_of


class UNetArchitecture:
    """Stable Diffusion 1 and 2, and what has the same parts."""

    usual_levels: Levels = "uniform"
    more_targets: tuple[str, ...] = ()
    knows_snr = True
    patch = 1
    most_patches: int | None = None

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self._noising = noising_of(pipeline.scheduler)

    def encode_captions(self, captions: Sequence[str], device: torch.device) -> Conditions:
        embeddings, _ = self.pipeline.encode_prompt(list(captions), device, 1, False)
        return {"encoder_hidden_states": embeddings}

    def losses(self, denoiser: nn.Module, batch: Noised, snr_gamma: float | None) -> Float[Tensor, " picture"]:
        def predict(noisy: Tensor, timesteps: Tensor) -> Tensor:
            return denoiser(noisy, timesteps, **self._arguments(batch)).sample

        return discrete_losses(self._noising, batch, predict, snr_gamma)

    def _arguments(self, batch: Noised) -> dict[str, Any]:
        return {"encoder_hidden_states": batch.conditions["encoder_hidden_states"]}


class XLArchitecture(UNetArchitecture):
    """Stable Diffusion XL, whose UNet is also told of the picture's size and of how it was cut."""

    def encode_captions(self, captions: Sequence[str], device: torch.device) -> Conditions:
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
