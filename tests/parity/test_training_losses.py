"""A training step's loss beside what the formulas of diffusers' example scripts give, worked out here by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from lessons import TRAINED, fresh
from torch import Tensor

from dominance.training.dreambooth.families.protocol import Noised
from dominance.training.dreambooth.families.registry import family_of
from dominance.training.dreambooth.pictures import View
from dominance.training.vocabulary import PROMPT_TOKENS

CAPTIONS = ["a tower and a mug", "two Robots!"]
VIEWS = [View(20, 30, 0, 4), View(16, 16, 0, 0)]
SIDE = 16
LEVELS = [0.1234, 0.87]


def ids(tokenizer: Any, length: int, **how: Any) -> Any:
    return tokenizer(CAPTIONS, padding="max_length", max_length=length, truncation=True, return_tensors="pt", **how)


def alphas(timesteps: Tensor) -> Tensor:
    """Cumulated, of the usual linear betas, as the tiny schedulers have them."""
    return torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000), 0)[timesteps][:, None, None, None]


def discrete(pipeline: Any, clean: Tensor, noise: Tensor, predict: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    timesteps = torch.tensor([123, 870])
    kept = alphas(timesteps)
    velocity = pipeline.scheduler.config.prediction_type == "v_prediction"
    target = kept.sqrt() * noise - (1 - kept).sqrt() * clean if velocity else noise
    predicted = predict(kept.sqrt() * clean + (1 - kept).sqrt() * noise, timesteps)
    return (predicted - target).square().mean(dim=(1, 2, 3))


def flow(clean: Tensor, noise: Tensor, shift: float, predict: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    plain = torch.tensor([0.124, 0.871])
    sigmas = shift * plain / (1 + (shift - 1) * plain)
    wide = sigmas[:, None, None, None]
    return (predict((1 - wide) * clean + wide * noise, sigmas) - (noise - clean)).square().mean(dim=(1, 2, 3))


def unet_loss(pipeline: Any, clean: Tensor, noise: Tensor) -> Tensor:
    text = pipeline.text_encoder(ids(pipeline.tokenizer, PROMPT_TOKENS).input_ids)[0]
    return discrete(pipeline, clean, noise, lambda noisy, steps: pipeline.unet(noisy, steps, text)[0])


def xl_loss(pipeline: Any, clean: Tensor, noise: Tensor) -> Tensor:
    tokens = [ids(pipeline.tokenizer, PROMPT_TOKENS).input_ids, ids(pipeline.tokenizer_2, PROMPT_TOKENS).input_ids]
    first = pipeline.text_encoder(tokens[0], output_hidden_states=True).hidden_states[-2]
    second = pipeline.text_encoder_2(tokens[1], output_hidden_states=True)
    told = {
        "text_embeds": second[0],
        "time_ids": torch.tensor([[20.0, 30, 0, 4, SIDE, SIDE], [16, 16, 0, 0, SIDE, SIDE]]),
    }
    text = torch.cat([first, second.hidden_states[-2]], dim=-1)

    def predict(noisy: Tensor, steps: Tensor) -> Tensor:
        return pipeline.unet(noisy, steps, text, added_cond_kwargs=told)[0]

    return discrete(pipeline, clean, noise, predict)


def sd3_loss(pipeline: Any, clean: Tensor, noise: Tensor) -> Tensor:
    parts = [
        encoder(ids(tokenizer, PROMPT_TOKENS).input_ids, output_hidden_states=True)
        for encoder, tokenizer in (
            (pipeline.text_encoder, pipeline.tokenizer),
            (pipeline.text_encoder_2, pipeline.tokenizer_2),
        )
    ]
    clips = torch.cat([part.hidden_states[-2] for part in parts], dim=-1)
    long = pipeline.text_encoder_3(ids(pipeline.tokenizer_3, 256).input_ids)[0]
    clips = torch.nn.functional.pad(clips, (0, long.shape[-1] - clips.shape[-1]))
    text, pooled = torch.cat([clips, long], dim=1), torch.cat([part[0] for part in parts], dim=-1)

    def predict(noisy: Tensor, sigmas: Tensor) -> Tensor:
        return pipeline.transformer(noisy, text, pooled, sigmas * 1000)[0]

    return flow(clean, noise, pipeline.scheduler.config.shift, predict)


def flux_loss(pipeline: Any, clean: Tensor, noise: Tensor) -> Tensor:
    pooled = pipeline.text_encoder(ids(pipeline.tokenizer, PROMPT_TOKENS).input_ids).pooler_output
    text = pipeline.text_encoder_2(ids(pipeline.tokenizer_2, 512).input_ids)[0]
    places = torch.tensor([[0.0, row, column] for row in range(4) for column in range(4)])
    guidance = torch.tensor([3.5, 3.5]) if pipeline.transformer.config.guidance_embeds else None

    def predict(noisy: Tensor, sigmas: Tensor) -> Tensor:
        patches = [
            noisy[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].flatten(1)
            for row in range(4)
            for column in range(4)
        ]
        out = pipeline.transformer(
            torch.stack(patches, dim=1), text, pooled, sigmas, places, torch.zeros(512, 3), guidance
        )[0]
        unpacked = torch.empty_like(noisy)
        for place in range(16):
            row, column = divmod(place, 4)
            patch = out[:, place].reshape(2, noisy.shape[1], 2, 2)
            unpacked[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = patch
        return unpacked

    return flow(clean, noise, 1.0, predict)


def pixart_loss(pipeline: Any, clean: Tensor, noise: Tensor) -> Tensor:
    length = 300 if "Sigma" in type(pipeline).__name__ else 120
    tokens = pipeline.tokenizer(
        [caption.lower() for caption in CAPTIONS],
        padding="max_length",
        max_length=length,
        truncation=True,
        return_tensors="pt",
    )
    text = pipeline.text_encoder(tokens.input_ids, attention_mask=tokens.attention_mask)[0]
    told = {"resolution": None, "aspect_ratio": None}
    if pipeline.transformer.use_additional_conditions:
        told = {"resolution": torch.full((2, 2), float(SIDE)), "aspect_ratio": torch.ones(2, 1)}

    def predict(noisy: Tensor, steps: Tensor) -> Tensor:
        out = pipeline.transformer(noisy, text, steps, told, encoder_attention_mask=tokens.attention_mask)[0]
        return out.chunk(2, dim=1)[0]

    return discrete(pipeline, clean, noise, predict)


LOSSES = {"sd1": unet_loss, "sd2": unet_loss, "sdxl": xl_loss, "sd3": sd3_loss, "sd35": sd3_loss}
LOSSES |= {"flux": flux_loss, "flux-dev": flux_loss, "pixart": pixart_loss, "sigma": pixart_loss}


def both(pipeline: Any, reference: Callable[[Any, Tensor, Tensor], Tensor], gamma: float | None = None) -> tuple:
    family = family_of(pipeline)
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    clean = family.encode_pictures(pixels).mean
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(2))
    batch = Noised(clean, noise, torch.tensor(LEVELS), family.encode_captions(CAPTIONS), VIEWS)
    with torch.no_grad():
        return family.own.losses(family.denoiser, batch, gamma), reference(pipeline, clean, noise)


@pytest.mark.parametrize("family", TRAINED)
def test_the_loss_is_that_of_the_example_scripts(family: str) -> None:
    ours, wanted = both(fresh(family), LOSSES[family])
    torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-5)


def test_the_shift_of_the_scheduler_moves_the_levels() -> None:
    pipeline = fresh("sd3")
    plain, _ = both(pipeline, sd3_loss)
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, shift=3.0)
    ours, wanted = both(pipeline, sd3_loss)
    torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(ours, plain, rtol=1e-2)


def test_a_shift_by_the_pictures_size_is_none_in_training() -> None:
    pipeline = fresh("flux-dev")
    pipeline.scheduler = type(pipeline.scheduler).from_config(
        pipeline.scheduler.config, shift=3.0, use_dynamic_shifting=True
    )
    torch.testing.assert_close(*both(pipeline, flux_loss), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["sd1", "sd2"])
def test_min_snr_weighs_as_in_the_example_scripts(family: str) -> None:
    plain, _ = both(fresh(family), unet_loss)
    weighted, _ = both(fresh(family), unet_loss, gamma=5.0)
    kept = alphas(torch.tensor([123, 870])).flatten()
    snr = kept / (1 - kept)
    torch.testing.assert_close(weighted, plain * snr.clamp(max=5) / (snr + (family == "sd2")), rtol=1e-4, atol=1e-6)


def test_a_transformer_that_is_told_the_size_is_told_the_trainings() -> None:
    pipeline = fresh("pixart")
    config = {**pipeline.transformer.config, "use_additional_conditions": True}
    torch.manual_seed(0)
    pipeline.transformer = type(pipeline.transformer).from_config(config).eval()
    torch.testing.assert_close(*both(pipeline, pixart_loss), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", TRAINED)
def test_latents_are_shifted_and_scaled_as_the_pipeline_decodes_them(family: str) -> None:
    pipeline = fresh(family)
    config = pipeline.vae.config
    pipeline.vae.register_to_config(shift_factor=0.25 if config.shift_factor is not None else None)
    pixels = torch.rand(1, 3, SIDE, SIDE) * 2 - 1
    spread = pipeline.vae.encode(pixels).latent_dist
    encoded = family_of(pipeline).encode_pictures(pixels)
    undone = encoded.mean / config.scaling_factor + (pipeline.vae.config.shift_factor or 0)
    torch.testing.assert_close(undone, spread.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoded.deviation / config.scaling_factor, spread.std, rtol=1e-4, atol=1e-5)
