"""Training of PixArt alpha and sigma: a transformer that predicts the noise at discrete timesteps."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.protocol import Conditions, Levels, Noised
from dominance.training.dreambooth.families.timesteps import discrete_losses, noising_of


class PixArtArchitecture:
    """PixArt alpha and sigma."""

    usual_levels: Levels = "uniform"
    more_targets: tuple[str, ...] = ()
    knows_snr = True
    most_patches: int | None = None

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self.patch = int(pipeline.transformer.config.patch_size)
        self._noising = noising_of(pipeline.scheduler)

    def encode_captions(self, captions: Sequence[str], device: torch.device) -> Conditions:
        embeddings, mask, _, _ = self.pipeline.encode_prompt(
            list(captions), do_classifier_free_guidance=False, device=device
        )
        return {"encoder_hidden_states": embeddings, "encoder_attention_mask": mask}

    def losses(self, denoiser: nn.Module, batch: Noised, snr_gamma: float | None) -> Float[Tensor, " picture"]:
        def predict(noisy: Tensor, timesteps: Tensor) -> Tensor:
            told = self._size(batch)
            return denoiser(noisy, timestep=timesteps, added_cond_kwargs=told, **batch.conditions).sample

        return discrete_losses(self._noising, batch, predict, snr_gamma)

    def _size(self, batch: Noised) -> dict[str, Tensor | None]:
        """What a transformer that is told the picture's size is told; squares, as they are cut."""
        if not self.pipeline.transformer.use_additional_conditions:
            return {"resolution": None, "aspect_ratio": None}
        pictures, side = len(batch.latents), batch.latents.shape[-1] * self.pipeline.vae_scale_factor
        like = batch.conditions["encoder_hidden_states"]
        return {
            "resolution": like.new_full((pictures, 2), float(side)),
            "aspect_ratio": like.new_ones((pictures, 1)),
        }
