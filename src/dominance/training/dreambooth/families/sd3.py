"""Training of Stable Diffusion 3 and 3.5: a transformer of joint attention that predicts the velocity."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.flow import flow_losses, sigmas_of
from dominance.training.dreambooth.families.protocol import Conditions, LatentPictures, Levels, Noised
from dominance.training.dreambooth.families.shared import JOINT_TARGETS, encode_with, text_encoders_of

_TIMESTEPS = 1000
"""What the transformer calls noise alone."""


class SD3Family:
    """Stable Diffusion 3 and 3.5."""

    denoiser_name = "transformer"
    usual_levels: Levels = "logit-normal"
    more_targets: tuple[str, ...] = JOINT_TARGETS
    knows_snr = False

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self._sigmas = sigmas_of(pipeline.scheduler)

    @property
    def denoiser(self) -> nn.Module:
        return self.pipeline.transformer

    @property
    def text_encoders(self) -> tuple[nn.Module, ...]:
        return text_encoders_of(self.pipeline)

    def side(self) -> int:
        return int(self.pipeline.transformer.config.sample_size) * int(self.pipeline.vae_scale_factor)

    def sides(self) -> range:
        config = self.pipeline.transformer.config
        step = int(config.patch_size) * int(self.pipeline.vae_scale_factor)
        return range(step, step * int(config.pos_embed_max_size) + 1, step)

    def encode_pictures(self, pixels: Float[Tensor, "picture 3 side side"]) -> LatentPictures:
        return encode_with(self.pipeline.vae, pixels)

    def encode_captions(self, captions: Sequence[str]) -> Conditions:
        device = self.text_encoders[0].device
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
