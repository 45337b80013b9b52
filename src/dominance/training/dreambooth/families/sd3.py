"""Training of Stable Diffusion 3 and 3.5: a transformer of joint attention that predicts the velocity."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.flow import JOINT_TARGETS, flow_losses, sigmas_of
from dominance.training.dreambooth.families.protocol import Conditions, Levels, Noised

_TIMESTEPS = 1000
"""What the transformer calls noise alone."""


class SD3Architecture:
    """Stable Diffusion 3 and 3.5."""

    usual_levels: Levels = "logit-normal"
    more_targets: tuple[str, ...] = JOINT_TARGETS
    knows_snr = False

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self.patch = int(pipeline.transformer.config.patch_size)
        self.most_patches: int | None = int(pipeline.transformer.config.pos_embed_max_size)
        self._sigmas = sigmas_of(pipeline.scheduler)

    def encode_captions(self, captions: Sequence[str], device: torch.device) -> Conditions:
        embeddings, _, pooled, _ = self.pipeline.encode_prompt(
            list(captions), None, None, device=device, do_classifier_free_guidance=False
        )
        return {"encoder_hidden_states": embeddings, "pooled_projections": pooled}

    def losses(
        self,
        denoiser: nn.Module,
        batch: Noised,
        snr_gamma: float | None,  # noqa: ARG002  rectified flow has no such weight, and it is refused before
    ) -> Float[Tensor, " picture"]:
        def predict(noisy: Tensor, sigmas: Tensor) -> Tensor:
            return denoiser(hidden_states=noisy, timestep=sigmas * _TIMESTEPS, **batch.conditions).sample

        return flow_losses(self._sigmas, batch, predict)
