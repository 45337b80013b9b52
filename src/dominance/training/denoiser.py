"""The miniature model's denoiser: a text encoder and a network, trained together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from dominance.errors import InputError
from dominance.training.backbones.protocol import Backbone, Latents, Parts, Timesteps
from dominance.training.backbones.registry import backbone_of
from dominance.training.shards import WHOLE, Shard


class Denoiser(nn.Module):
    """The two trained parts of a pipeline, and what they share."""

    def __init__(self, backbone: Backbone, parts: Parts) -> None:
        super().__init__()
        self._backbone, self._parts = backbone, parts
        self.text_encoder = parts.text_encoder
        self.add_module(backbone.part, parts.network)

    @classmethod
    def new(cls, backbone: Backbone, seed: int, sample_size: int = 16) -> "Denoiser":
        """One that has learnt nothing."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(backbone, backbone.new_parts(sample_size))

    @classmethod
    def read(cls, pipeline: Path) -> "Denoiser":
        """That of a pipeline folder, in full precision.

        Raises:
            InputError: the pipeline is of a class that is not trained here.
        """
        backbone = backbone_of(pipeline)
        return cls(backbone, backbone.read_parts(pipeline))

    def load(self, pipeline: Path) -> None:
        """Takes over the weights of a pipeline folder whose parts have the same shapes.

        Raises:
            InputError: they have not.
        """
        try:
            self.load_state_dict(self.read(pipeline).state_dict())
        except RuntimeError as error:
            raise InputError(
                f"the layers of the base {pipeline} differ from the miniature's; give a model made by dominance train"
            ) from error

    def forward(self, latents: Latents, timesteps: Timesteps, captions: Sequence[str]) -> Latents:
        """Predicted velocity, shaped like the latents."""
        return self._backbone.predict(self._parts, latents, timesteps, captions)

    def assemble(self, autoencoder: AutoencoderKL) -> DiffusionPipeline:
        """An ordinary pipeline of the trained parts and an autoencoder."""
        return self._backbone.assemble(self._parts, autoencoder, new_scheduler())


def new_scheduler() -> DDIMScheduler:
    """The noise schedule of training and sampling: scaled linear betas, velocity prediction, trailing steps."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,  # without effect on trailing steps; diffusers warns about anything else
    )


@dataclass(frozen=True)
class CaptionedLatents:
    """One training batch, or a shard of it: latents (image, channel, height, width) and one caption an image."""

    latents: Latents
    captions: list[str]


def denoising_loss(
    denoiser: Denoiser,
    batches: Callable[[int], CaptionedLatents],
    seed: int,
    caption_dropout: float = 0.1,
    shard: Shard = WHOLE,
) -> Callable[[int], Tensor]:
    """Mean squared error of the predicted velocity at timesteps stratified over the batch.

    ``batches`` gives this process's shard of a step's batch; noise, timesteps and dropout are what they would be
    if one process had all of it.

    Source: v-prediction, Salimans & Ho (2022), equation 5 and appendix D; dropout of captions for
    classifier-free guidance, Ho & Salimans (2022).
    """
    scheduler = new_scheduler()
    horizon = scheduler.config["num_train_timesteps"]

    def loss(step: int) -> Tensor:
        batch = batches(step)
        latents, count = batch.latents, batch.latents.shape[0] * shard.count
        own = shard.of(count)
        generator = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, 7, step]).generate_state(1)[0]))
        dropped = torch.rand(count, generator=generator) < caption_dropout
        captions = ["" if drop else caption for drop, caption in zip(dropped[own], batch.captions, strict=True)]
        strata = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
        timesteps = (strata / count * horizon).long().clamp_max(horizon - 1)[own].to(latents.device)
        noise = torch.randn((count, *latents.shape[1:]), generator=generator)[own].to(latents)
        predicted = denoiser(scheduler.add_noise(latents, noise, timesteps), timesteps, captions)
        return nn.functional.mse_loss(predicted, scheduler.get_velocity(latents, noise, timesteps))

    return loss
