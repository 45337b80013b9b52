"""The miniature model's denoiser: a text encoder and a UNet of Stable Diffusion 1's topology, trained together."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from dominance.errors import InputError
from dominance.training.autoencoder import LATENT_CHANNELS
from dominance.training.shards import WHOLE, Shard
from dominance.training.vocabulary import PROMPT_TOKENS

CHANNELS: tuple[int, ...] = (48, 64, 96, 128)
TEXT_WIDTH: int = 64
HEADS: int = 4


class Denoiser(nn.Module):
    """The two trained parts of the pipeline, and what they share."""

    def __init__(
        self, tokenizer: CLIPTokenizer, seed: int, channels: tuple[int, ...] = CHANNELS, sample_size: int = 16
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.text_encoder = _new_text_encoder(tokenizer)
            self.unet = UNet2DConditionModel(
                sample_size=sample_size,
                in_channels=LATENT_CHANNELS,
                out_channels=LATENT_CHANNELS,
                block_out_channels=channels,
                layers_per_block=2,
                cross_attention_dim=TEXT_WIDTH,
                attention_head_dim=HEADS,
                norm_num_groups=16,
            )

    def load(self, pipeline: Path) -> None:
        """Takes over the weights of a pipeline folder whose parts have the same shapes.

        Raises:
            InputError: they have not.
        """
        text_encoder = CLIPTextModel.from_pretrained(pipeline / "text_encoder", use_safetensors=True, dtype="float32")
        unet = UNet2DConditionModel.from_pretrained(pipeline / "unet", use_safetensors=True)
        try:
            self.text_encoder.load_state_dict(text_encoder.state_dict())
            self.unet.load_state_dict(unet.state_dict())
        except RuntimeError as error:
            raise InputError(
                f"the layers of the base {pipeline} differ from the miniature's; give a model made by dominance train"
            ) from error

    def forward(
        self,
        latents: Float[Tensor, "image channel row column"],
        timesteps: Int[Tensor, "image"],
        tokens: Int[Tensor, "image token"],
    ) -> Float[Tensor, "image channel row column"]:
        """Predicted velocity, shaped like the latents."""
        text = self.text_encoder(tokens).last_hidden_state
        return self.unet(latents, timesteps, text).sample


def channels_of(pipeline: Path) -> tuple[int, ...]:
    """Channels of a pipeline folder's UNet, outermost level first."""
    config = json.loads((pipeline / "unet" / "config.json").read_text(encoding="utf-8"))
    return tuple(config["block_out_channels"])


def _new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Two layers of CLIP, token embeddings wide apart from the start, so that words are told apart at once."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        max_position_embeddings=PROMPT_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    encoder = CLIPTextModel(config)
    nn.init.normal_(encoder.get_parameter("embeddings.token_embedding.weight"), std=0.5)
    return encoder


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

    latents: Float[Tensor, "image channel row column"]
    captions: list[str]


def denoising_loss(
    denoiser: Denoiser,
    tokenizer: CLIPTokenizer,
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
        tokens = tokenizer(
            captions, padding="max_length", truncation=True, max_length=PROMPT_TOKENS, return_tensors="pt"
        )
        predicted = denoiser(
            scheduler.add_noise(latents, noise, timesteps), timesteps, tokens.input_ids.to(latents.device)
        )
        return nn.functional.mse_loss(predicted, scheduler.get_velocity(latents, noise, timesteps))

    return loss
