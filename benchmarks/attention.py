"""What looking inside costs: recording, the look before generation, and a sweep of ablations; see ``run.py``."""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel
from turns import in_turns, threads

import dominance
from dominance.probes.first_step import first_step

PROMPTS = ["a tower and a mug", "a robot beside a lamp", "a mug and an umbrella", "a castle with a clock"]
STEPS, GUIDANCE = 25, 5.0


def draw(pipeline: Any, prompts: list[str], steps: int, seeds: list[int] | None = None, **given: Any) -> None:
    """Latents of the prompts, one a seed; nothing is decoded."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds or range(len(prompts))]
    with torch.no_grad():
        pipeline(
            prompts, num_inference_steps=steps, guidance_scale=GUIDANCE, generator=generators, output_type="latent",
            **given,
        )  # fmt: skip


def full_size_pipeline(autoencoder: tuple[int, ...] = (32,) * 4, layers: int = 1) -> StableDiffusionPipeline:
    """Stable Diffusion 1.4's own architecture, weights drawn at random, and the miniature's words.

    Args:
        autoencoder, layers: channels of its blocks, and layers in each; SD 1.4's own are (128, 256, 512, 512) and 2.
    """
    tokenizer = dominance.load_pipeline("miniature", "cpu").tokenizer  # ty: ignore[unresolved-attribute]
    config = CLIPTextConfig(
        vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
        num_attention_heads=12, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    absent: dict[str, Any] = {"safety_checker": None, "feature_extractor": None}
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=autoencoder, down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=layers,
        ),
        text_encoder=CLIPTextModel(config),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        requires_safety_checker=False,
        **absent,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    pipeline.tokenizer.model_max_length = 77
    return pipeline


def recording(pipeline: Any, prompts: list[str], steps: int, rounds: int) -> dict[str, float]:
    """All layers, heads, tokens and steps recorded, against the same generation without; and the record's size."""
    sizes = []

    def recorded() -> None:
        with dominance.record_attention(pipeline) as record:
            draw(pipeline, prompts, steps)
        sizes.append(record.nbytes / len(prompts) / steps)

    with threads(1):
        found = in_turns(recorded, lambda: draw(pipeline, prompts, steps), rounds)
    return found | {"megabytes_an_image_at_50_steps": sizes[-1] * 50 / 1e6}


def looking_ahead(pipeline: Any, prompts: list[str], steps: int, rounds: int, layers: range) -> dict[str, float]:
    """The part of the first step that ``preflight`` runs, against a whole generation of 50 steps under guidance.

    Of a pipeline too slow for 50 steps, ``steps`` are timed and scaled up to 50.
    """
    shares = []

    def look() -> None:
        seen = first_step(pipeline, prompts, list(range(len(prompts))), layers, steps=50, guidance=GUIDANCE)
        shares.append(seen.share)

    found = in_turns(look, lambda: draw(pipeline, prompts, steps), rounds)
    shares_of_time = {name: found[name] * steps / 50 for name in ("ratio", "lowest", "highest")}
    return shares_of_time | {"of_the_multiply_adds": shares[-1], "rounds": rounds}


def sweeping(pipeline: Any, first: int, last: int, variants: int, rounds: int) -> dict[str, float]:
    """One image under each of so many ablated heads: variants in one batch, against one variant at a time."""
    from dominance.models.image_model import PipelineModel
    from dominance.models.settings import GenerationSettings
    from dominance.runs.ablation.options import How, Window
    from dominance.runs.ablation.trials import VariantModel
    from dominance.runs.ablation.variants import single_head

    model = VariantModel(PipelineModel(pipeline))
    heads = [(layer, head) for layer in range(1, 17) for head in range(4)][:variants]
    edits = [single_head(head, How(Window(first, last))) for head in heads]
    settings = GenerationSettings(STEPS, GUIDANCE)
    text = PROMPTS[0]

    def one_at_a_time() -> None:
        for edit in edits:
            model.generate([text], [0], [edit], settings)

    return in_turns(one_at_a_time, lambda: model.generate([text] * variants, [0] * variants, edits, settings), rounds)


def comparisons(rounds: int = 5) -> dict[str, Callable[[], dict[str, float]]]:
    """By name; the pipelines are made when they are first needed."""

    def miniature() -> Any:
        return dominance.load_pipeline("miniature", "cpu")

    return {
        "recording all attention / not (miniature, four images, 25 steps, one thread)": lambda: recording(
            miniature(), PROMPTS, STEPS, 2 * rounds
        ),
        "recording all attention / not (miniature, one image, 25 steps, one thread)": lambda: recording(
            miniature(), PROMPTS[:1], STEPS, 3 * rounds
        ),
        "recording all attention / not (architecture of SD 1.4 at 512², random weights, 2 steps, one thread)": lambda: (
            recording(full_size_pipeline(), PROMPTS[:1], 2, 3)
        ),
        "preflight / a generation of 50 steps (miniature, layers 1 to 10)": lambda: looking_ahead(
            miniature(), PROMPTS, 50, rounds, range(1, 11)
        ),
        "preflight / a generation of 50 steps (architecture of SD 1.4 at 512², layers 9 and 10)": lambda: looking_ahead(
            full_size_pipeline(), PROMPTS[:1], 2, 3, range(9, 11)
        ),
        "sweep of 16 heads at step 0: one variant at a time / in one batch": lambda: sweeping(
            miniature(), 0, 0, 16, rounds
        ),
        "sweep of 16 heads at steps 5 to 9: one variant at a time / in one batch": lambda: sweeping(
            miniature(), 5, 9, 16, rounds
        ),
    }
