"""A UNet of Stable Diffusion 1's topology, which reads captions by CLIP."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from dominance.training.autoencoder import LATENT_CHANNELS
from dominance.training.backbones.protocol import Latents, Parts, Timesteps
from dominance.training.vocabulary import PROMPT_TOKENS, new_tokenizer

TEXT_WIDTH: int = 64
HEADS: int = 4


@dataclass(frozen=True)
class UNetBackbone:
    """Channels of the UNet, outermost level first."""

    channels: tuple[int, ...] = (48, 64, 96, 128)

    @property
    def part(self) -> str:
        return "unet"

    def new_parts(self, sample_size: int) -> Parts:
        tokenizer = new_tokenizer()
        text_encoder = _new_text_encoder(tokenizer)
        unet = UNet2DConditionModel(
            sample_size=sample_size,
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            block_out_channels=self.channels,
            layers_per_block=2,
            cross_attention_dim=TEXT_WIDTH,
            attention_head_dim=HEADS,
            norm_num_groups=16,
        )
        return Parts(tokenizer, text_encoder, unet)

    def read_parts(self, pipeline: Path) -> Parts:
        return Parts(
            CLIPTokenizer.from_pretrained(pipeline / "tokenizer"),
            CLIPTextModel.from_pretrained(pipeline / "text_encoder", use_safetensors=True, dtype="float32"),
            UNet2DConditionModel.from_pretrained(pipeline / "unet", use_safetensors=True, torch_dtype=torch.float32),
        )

    def predict(self, parts: Parts, latents: Latents, timesteps: Timesteps, captions: Sequence[str]) -> Latents:
        tokens = parts.tokenizer(
            list(captions), padding="max_length", truncation=True, max_length=PROMPT_TOKENS, return_tensors="pt"
        )
        text = parts.text_encoder(tokens.input_ids.to(latents.device)).last_hidden_state
        return parts.network(latents, timesteps, text).sample

    def assemble(self, parts: Parts, autoencoder: AutoencoderKL, scheduler: Any) -> StableDiffusionPipeline:
        """The pipeline, without a safety checker."""
        given: dict[str, Any] = {"text_encoder": parts.text_encoder, "unet": parts.network}
        absent: dict[str, Any] = {"safety_checker": None, "feature_extractor": None}
        return StableDiffusionPipeline(
            vae=autoencoder,
            tokenizer=parts.tokenizer,
            scheduler=scheduler,
            requires_safety_checker=False,
            **given,
            **absent,
        )


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
