"""A transformer as PixArt's, which reads captions by T5."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.pixart_transformer_2d import PixArtTransformer2DModel
from diffusers.pipelines.pixart_alpha.pipeline_pixart_alpha import PixArtAlphaPipeline
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from dominance.training.autoencoder import LATENT_CHANNELS
from dominance.training.backbones.protocol import Latents, Parts, Timesteps
from dominance.training.vocabulary import new_t5_tokenizer

TEXT_WIDTH: int = 64
TEXT_HEADS: int = 4
HEAD_WIDTH: int = 32
PATCH: int = 2


@dataclass(frozen=True)
class TransformerBackbone:
    """Width, a multiple of 32, and layers of the transformer.

    Source: Chen et al. (2024), PixArt-alpha, section 2.3. Here the text encoder is small and trained with the
    transformer, and no variance is predicted.
    """

    width: int = 192
    layers: int = 8

    @property
    def part(self) -> str:
        return "transformer"

    def new_parts(self, sample_size: int) -> Parts:
        tokenizer = new_t5_tokenizer()
        text_encoder = T5EncoderModel(
            T5Config(
                vocab_size=len(tokenizer),
                d_model=TEXT_WIDTH,
                d_kv=TEXT_WIDTH // TEXT_HEADS,
                d_ff=4 * TEXT_WIDTH,
                num_layers=2,
                num_heads=TEXT_HEADS,
                dropout_rate=0.0,  # the loss of a step depends on nothing but the step and the weights
                feed_forward_proj="gated-gelu",
            )
        )
        transformer = PixArtTransformer2DModel(
            sample_size=sample_size,
            patch_size=PATCH,
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            num_layers=self.layers,
            num_attention_heads=self.width // HEAD_WIDTH,
            attention_head_dim=HEAD_WIDTH,
            cross_attention_dim=self.width,
            caption_channels=TEXT_WIDTH,
        )
        return Parts(tokenizer, text_encoder, transformer)

    def read_parts(self, pipeline: Path) -> Parts:
        whole: dict[str, Any] = {"use_safetensors": True, "torch_dtype": torch.float32}
        return Parts(
            T5Tokenizer.from_pretrained(pipeline / "tokenizer"),
            T5EncoderModel.from_pretrained(pipeline / "text_encoder", use_safetensors=True, dtype="float32"),
            PixArtTransformer2DModel.from_pretrained(pipeline / "transformer", **whole),
        )

    def predict(self, parts: Parts, latents: Latents, timesteps: Timesteps, captions: Sequence[str]) -> Latents:
        """As in the protocol; the pipeline pads captions to 120 tokens, which are masked and change nothing."""
        tokens = parts.tokenizer(list(captions), padding=True, truncation=True, return_tensors="pt").to(latents.device)
        text = parts.text_encoder(tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
        return parts.network(
            latents, timestep=timesteps, encoder_hidden_states=text, encoder_attention_mask=tokens.attention_mask
        ).sample

    def assemble(self, parts: Parts, autoencoder: AutoencoderKL, scheduler: Any) -> PixArtAlphaPipeline:
        given: dict[str, Any] = {"text_encoder": parts.text_encoder, "transformer": parts.network}
        return PixArtAlphaPipeline(tokenizer=parts.tokenizer, vae=autoencoder, scheduler=scheduler, **given)
