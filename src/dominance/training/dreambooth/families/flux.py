"""Training of FLUX.1: a transformer of packed latents that predicts the velocity."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.flow import JOINT_TARGETS, flow_losses, sigmas_of
from dominance.training.dreambooth.families.protocol import Conditions, Levels, Noised

GUIDANCE = 3.5
"""That a model which takes its guidance as an input is trained at: what diffusers' example and its pipeline take."""


class FluxArchitecture:
    """FLUX.1 dev, schnell, and what has the same parts."""

    usual_levels: Levels = "logit-normal"
    more_targets: tuple[str, ...] = JOINT_TARGETS
    knows_snr = False
    patch = 2
    most_patches: int | None = None

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self._sigmas = sigmas_of(pipeline.scheduler)

    def encode_captions(self, captions: Sequence[str], device: torch.device) -> Conditions:
        embeddings, pooled, _ = self.pipeline.encode_prompt(list(captions), None, device=device)
        return {"encoder_hidden_states": embeddings, "pooled_projections": pooled}

    def losses(
        self,
        denoiser: nn.Module,
        batch: Noised,
        snr_gamma: float | None,  # noqa: ARG002  rectified flow has no such weight, and it is refused before
    ) -> Float[Tensor, " picture"]:
        pictures, channels, rows, columns = batch.latents.shape
        embeddings = batch.conditions["encoder_hidden_states"]
        words = torch.zeros(embeddings.shape[1], 3, device=embeddings.device, dtype=embeddings.dtype)
        places = self.pipeline._prepare_latent_image_ids(pictures, rows // 2, columns // 2, words.device, words.dtype)
        guided = self.pipeline.transformer.config.guidance_embeds

        def predict(noisy: Tensor, sigmas: Tensor) -> Tensor:
            packed = denoiser(
                hidden_states=self.pipeline._pack_latents(noisy, pictures, channels, rows, columns),
                timestep=sigmas,
                guidance=torch.full((pictures,), GUIDANCE, device=embeddings.device) if guided else None,
                txt_ids=words,
                img_ids=places,
                **batch.conditions,
            ).sample
            scale = self.pipeline.vae_scale_factor
            return self.pipeline._unpack_latents(packed, rows * scale, columns * scale, scale)

        return flow_losses(self._sigmas, batch, predict)
