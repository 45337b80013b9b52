"""How a concept is taught: what is trained, how long, and on what batches."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.miniature.recipes import RECIPES
from dominance.seeds import LARGEST_SEED
from dominance.written import Names

Part = Literal["lora", "unet"]
USUAL_TARGETS: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0")
"""Layers of attention that diffusers' own examples give a LoRA."""
USUAL: Mapping[Part, Mapping[str, float]] = {
    "lora": {"steps": 500, "rate": 1e-4, "batch": 4},
    "unet": {"steps": 400, "rate": 5e-6, "batch": 4},
}
"""Steps, learning rate and batch where neither the user nor the model's world says any; rates as in diffusers."""


@Parameter(name="*", group=Group("Training", sort_key=15))
@dataclass(frozen=True)
class TeachOptions:
    """How to train; what is None is left to the model's world, else to what is usual.

    Raises:
        InputError: a value out of its range, or options that exclude one another.
    """

    train: Part = "lora"
    """lora: an adapter on the denoiser's layers; unet: the denoiser itself, UNet or transformer."""
    rank: int = 16
    """Rank of the LoRA."""
    alpha: float | None = None
    """Scale of the LoRA: alpha / rank; default: the rank."""
    targets: Annotated[Names, Parameter(show_default=False)] = ()
    """Ends of the names of the layers that get a LoRA, by commas; default: to_q,to_k,to_v,to_out.0, and for SD3 and
    FLUX also the text's own add_q_proj,add_k_proj,add_v_proj,to_add_out."""
    steps: int | None = None
    """Optimizer steps; default: 500 for a LoRA, 400 for the UNet, fewer for the bundled models."""
    rate: float | None = None
    """Peak of the learning rate; default: 1e-4 for a LoRA, 5e-6 for the UNet, more for the bundled models."""
    schedule: Literal["cosine", "constant", "linear"] = "cosine"
    """How the rate goes on after its warm-up."""
    warmup: int = 10
    """Steps over which the rate rises."""
    batch: int | None = None
    """Pictures a step, prior pictures among them; default: 4, or 16 for the bundled models."""
    accumulate: int = 1
    """Parts that a batch is taken in, to save memory."""
    prior_share: float = 0.25
    """Share of each batch that are prior pictures, where there are any."""
    prior_weight: float = 1.0
    """Weight of the loss on them."""
    caption_dropout: float = 0.0
    """Share of the concept's captions that are replaced by an empty one."""
    prior_dropout: float = 0.1
    """The same for the prior's."""
    timesteps: Literal["uniform", "logit-normal"] | None = None
    """Distribution of the noise levels; default: uniform for UNets and PixArt, logit-normal for SD3 and FLUX."""
    snr_gamma: float | None = None
    """Weigh the loss by min(SNR, this) / SNR (Hang et al. 2023); for UNets and PixArt."""
    resolution: int | None = None
    """Side of the training pictures, which are cut square from their middle; default: the model's own."""
    mirror: bool = False
    """Also show the concept's pictures mirrored; not for logos, faces or writing."""
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    """Precision of the forward pass; what is trained stays float32."""
    gradient_checkpointing: bool = False
    """Compute activations again instead of keeping them: less memory, more time."""
    optimizer: Literal["adamw", "adamw8bit"] = "adamw"
    """adamw, or adamw8bit of bitsandbytes (an extra, for CUDA)."""
    seed: int = 0
    """Of the batches, their noise, and the LoRA's first weights."""

    def __post_init__(self) -> None:
        for name, least in (("rank", 1), ("steps", 1), ("batch", 1), ("accumulate", 1), ("warmup", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"{name} is {value}; give a whole number from {least}")
        for name in ("prior_share", "caption_dropout", "prior_dropout"):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise InputError(
                    f"{name.replace('_', '-')} is {share}; give a share from 0 up to, but not including, 1"
                )
        if self.rate is not None and not 1e-8 <= self.rate <= 1:
            raise InputError(f"rate is {self.rate}; give a learning rate from 1e-8 to 1")
        for name in ("alpha", "prior_weight", "snr_gamma"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name.replace('_', '-')} is {value}; give a number above 0")
        if self.resolution is not None and not (16 <= self.resolution <= 4096 and self.resolution % 8 == 0):
            raise InputError(f"resolution is {self.resolution}; give a multiple of 8 from 16 to 4096")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"seed is {self.seed}; give a whole number from 0")
        if self.train == "unet" and (self.targets or self.alpha is not None):
            raise InputError("targets and alpha are of a LoRA, but --train is unet; leave them out, or train a lora")

    def usual(self, world: str | None) -> Mapping[str, float]:
        """Steps, learning rate and batch for a model of this closed world, or of none, where nothing else is given."""
        return {**USUAL[self.train], **RECIPES.get((world, self.train), {})}

    def settings(self, world: str | None) -> "TeachSettings":
        """The options, completed for a model of this closed world, or of none."""
        usual = self.usual(world)
        return TeachSettings(
            options=self,
            steps=int(self.steps or usual["steps"]),
            rate=float(self.rate or usual["rate"]),
            batch=int(self.batch or usual["batch"]),
            targets=() if self.train == "unet" else (self.targets or USUAL_TARGETS),
        )


@dataclass(frozen=True)
class TeachSettings:
    """Options with nothing left open but what only the loaded model decides.

    Raises:
        InputError: a batch that cannot be parted as asked.
    """

    options: TeachOptions
    steps: int
    rate: float
    batch: int
    targets: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.batch % self.options.accumulate:
            raise InputError(
                f"a batch of {self.batch} cannot be taken in {self.options.accumulate} parts; give --accumulate a"
                " divisor of --batch"
            )

    def prior_pictures(self, there_are_any: bool) -> int:
        """How many pictures of a batch are prior ones: at least one where there are any, and not all.

        Raises:
            InputError: a batch of one has no place for them.
        """
        if not there_are_any or self.options.prior_share == 0:
            return 0
        if self.batch < 2:
            raise InputError("a batch of 1 has no place for prior pictures; give --batch 2 or more")
        return min(self.batch - 1, max(1, round(self.batch * self.options.prior_share)))
