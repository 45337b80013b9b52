"""What a file of weights holds, found out from the names and shapes of its tensors alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dominance.models.weight_headers import Header, read_header

CHECKPOINT, LORA, EMBEDDING = "checkpoint", "lora", "embedding"
_LORA = (
    ".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight", ".lora.down.weight", ".lora.up.weight",
    "_lora.down.weight", "_lora.up.weight", ".down_lora.weight", "lora_linear_layer.down.weight",
)  # fmt: skip
_LYCORIS = (".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".oft_blocks", ".oft_diag", ".dora_scale")
_DENOISERS = ("model.diffusion_model.", "double_blocks.", "joint_blocks.")
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.embedders.", "text_encoders.", "text_encoder")
_AUTOENCODERS = ("first_stage_model.", "vae.")
_CONTROLS = ("control_model.", "controlnet_", "input_hint_block.", "lllite_")
_PARTS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("a ControlNet", (_CONTROLS,)),
    ("an IP-Adapter", (("image_proj.",), ("ip_adapter.",))),
    ("a UNet alone", (("down_blocks.", "input_blocks."), ("conv_in.", "input_blocks.0.0."), ("mid_block.", "out."))),
    ("a diffusion transformer alone", (("transformer_blocks.", "single_transformer_blocks."),)),
    ("a VAE alone", (("encoder.conv_in.", "decoder.conv_in.", *_AUTOENCODERS),)),
    ("a text encoder alone", (("text_model.", "encoder.block.0.", "shared.", "embeddings.token_", *_TEXT_ENCODERS),)),
    ("an upscaler", (("conv_first.", "body.0.rdb1.", "model.0.weight"),)),
    ("an image encoder alone", (("vision_model.", "visual."),)),
)
"""What else a file may hold, and how the names of its tensors begin: one of each of the lists."""
_WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}
_TEXT_KEYS = ("attn2.to_k.", "attn2_to_k.")
_FAMILIES = (
    ("AuraFlow", ("joint_transformer_blocks",)),
    ("FLUX", ("single_transformer_blocks", "single_blocks", "double_blocks")),
    (
        "Stable Diffusion 3",
        ("joint_blocks", "context_embedder", "attn.add_k_proj", "attn.add_q_proj", "attn_add_k_proj"),
    ),
)
"""Families that a LoRA's names tell apart; the first that fits."""
_LIKE_FLUX = (("FLUX.2", "single_stream_modulation"), ("Chroma", "distilled_guidance_layer"))
SOME_TRANSFORMER = "a model with a transformer"
"""The family of a LoRA whose names tell no more."""
EMBEDDING_NAMES = ("emb_params", "clip_l", "clip_g")


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        kind: ``checkpoint``, ``lora``, ``embedding``, or None for what no option takes.
        what: the same in words, with an article.
        family: that it was made for, as ``family_named`` says it; None where its names and shapes do not tell.
        width: numbers of the text that its cross-attention or its vectors have; None where it has no such parts.
    """

    kind: str | None
    what: str
    family: str | None = None
    width: int | None = None


def contents_of(file: Path) -> Contents:
    """What a safetensors file holds.

    Raises:
        ModelError: see ``read_header``.
    """
    return recognised(read_header(file))


def recognised(header: Header) -> Contents:
    """What a file with this header holds."""
    names = header.shapes.keys()
    if any(name.endswith(_LYCORIS) for name in names):
        return Contents(None, "a LyCORIS adapter (LoHa, LoKr, OFT or DoRA), which diffusers cannot read")
    if any(name.endswith(_LORA) for name in names):
        width = _lora_width(header)
        return Contents(LORA, "a LoRA", _lora_family(header, width), width)
    if _is_embedding(header):
        return Contents(
            EMBEDDING, "a textual inversion embedding", width=max(shape[-1] for shape in header.shapes.values())
        )
    return _whole_or_part(header)


def _is_embedding(header: Header) -> bool:
    """A few rows of numbers, under the token's name or one that some trainer gives them."""
    shapes = header.shapes
    if not shapes or not all(1 <= len(shape) <= 2 for shape in shapes.values()):
        return False
    return set(shapes) <= set(EMBEDDING_NAMES) or (len(shapes) == 1 and "." not in next(iter(shapes)))


def _whole_or_part(header: Header) -> Contents:
    def has(starts: tuple[str, ...]) -> bool:
        return any(name.startswith(starts) for name in header.shapes)

    if has(_DENOISERS) and not has(_CONTROLS):
        needed = (("text encoder", _TEXT_ENCODERS), ("VAE", _AUTOENCODERS))
        missing = [part for part, starts in needed if not has(starts)]
        if not missing:
            return Contents(CHECKPOINT, "a checkpoint", *_checkpoint_family(header))
        return Contents(None, f"the denoiser of a checkpoint without its {' and its '.join(missing)}")
    for what, together in _PARTS:
        if all(has(starts) for starts in together):
            return Contents(None, what)
    first = next(iter(header.shapes), None)
    return Contents(
        None, "weights of an unknown kind" + (f" (such as {first[:60]!r})" if first else " (it holds none)")
    )


def _checkpoint_family(header: Header) -> tuple[str | None, int | None]:
    """The family of a whole checkpoint, as ``family_named`` says it, and the width of the text that its UNet reads."""

    def has(*parts: str) -> bool:
        return any(part in name for name in header.shapes for part in parts)

    if has("joint_blocks."):
        return "Stable Diffusion 3", None
    if has("double_blocks."):
        return next((family for family, part in _LIKE_FLUX if has(part)), "FLUX"), None
    width = header.width("attn2.to_k.weight")
    if has("conditioner.embedders."):
        return "Stable Diffusion XL", width
    if has("cond_stage_model.") and width is not None:
        return _WIDTHS.get(width, f"Stable Diffusion with a text width of {width}"), width
    return None, None


def _lora_width(header: Header) -> int | None:
    """Numbers of the text that a LoRA's cross-attention layers in a UNet read; None where it has none."""
    for name, shape in header.shapes.items():
        down = name.endswith((".lora_down.weight", ".lora_A.weight", "lora.down.weight"))
        if down and "unet" in name and any(key in name for key in _TEXT_KEYS) and len(shape) >= 2:
            return shape[1]
    return None


def _lora_family(header: Header, width: int | None) -> str | None:
    def has(*parts: str) -> bool:
        return any(part in name for name in header.shapes for part in parts)

    own = next((family for family, parts in _FAMILIES if has(*parts)), None)
    if own is not None:
        return own
    if any(name.startswith("transformer.") for name in header.shapes):
        return SOME_TRANSFORMER
    if not has("unet"):
        return None
    if has("lora_te2_", "text_encoder_2."):
        return "Stable Diffusion XL"
    return "Stable Diffusion" if width is None else _WIDTHS.get(width, f"a text width of {width}")


def family_named(pipeline: str, denoiser: Mapping[str, object]) -> tuple[str, int | None]:
    """A model's family in words, and the width of the text that its cross-attention reads.

    Args:
        pipeline: class of the pipeline.
        denoiser: configuration of its UNet or transformer.
    """
    width = denoiser.get("cross_attention_dim")
    width = width[0] if isinstance(width, list | tuple) and width else width
    width = width if isinstance(width, int) else None
    for start, family in (
        ("StableDiffusionXL", "Stable Diffusion XL"),
        ("StableDiffusion3", "Stable Diffusion 3"),
        ("Flux2", "FLUX.2"),
        ("Flux", "FLUX"),
        ("PixArt", "PixArt"),
    ):
        if pipeline.startswith(start):
            return family, width if "XL" in family else None
    if pipeline.startswith("StableDiffusion"):
        return _WIDTHS.get(width or 0, f"Stable Diffusion with a text width of {width}"), width
    return pipeline.removesuffix("Pipeline"), None
