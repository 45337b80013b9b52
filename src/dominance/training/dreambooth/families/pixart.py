"""Training of PixArt alpha and sigma: a transformer that predicts the noise at discrete timesteps."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from dominance.training.dreambooth.families.protocol import Conditions, LatentPictures, Levels, Noised
from dominance.training.dreambooth.families.shared import encode_with, text_encoders_of
from dominance.training.dreambooth.families.timesteps import discrete_losses, noising_of

_LARGEST = 4096


class PixArtFamily:
    """PixArt alpha and sigma."""

    denoiser_name = "transformer"
    usual_levels: Levels = "uniform"
    more_targets: tuple[str, ...] = ()
    knows_snr = True

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline
        self._noising = noising_of(pipeline.scheduler)

    @property
    def denoiser(self) -> nn.Module:
        return self.pipeline.transformer

    @property
    def text_encoders(self) -> tuple[nn.Module, ...]:
        return text_encoders_of(self.pipeline)

    def side(self) -> int:
        return int(self.pipeline.transformer.config.sample_size) * int(self.pipeline.vae_scale_factor)

    def sides(self) -> range:
        step = int(self.pipeline.transformer.config.patch_size) * int(self.pipeline.vae_scale_factor)
        return range(step, _LARGEST + 1, step)

    def encode_pictures(self, pixels: Float[Tensor, "picture 3 side side"]) -> LatentPictures:
        return encode_with(self.pipeline.vae, pixels)

    def encode_captions(self, captions: Sequence[str]) -> Conditions:
        device = self.text_encoders[0].device
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
