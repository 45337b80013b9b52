"""What differs between the denoisers of the miniature world."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float, Int
from torch import Tensor, nn

Latents = Float[Tensor, "image channel row column"]
Timesteps = Int[Tensor, "image"]


@dataclass(frozen=True, eq=False)
class Parts:
    """What reads captions and what denoises."""

    tokenizer: Any
    text_encoder: nn.Module
    network: nn.Module


@runtime_checkable
class Backbone(Protocol):
    """One kind of denoiser; its fields are its size, and stand among the settings of a training."""

    @property
    def part(self) -> str:
        """The network's name in the pipeline."""
        ...

    def new_parts(self, sample_size: int) -> Parts:
        """Parts that have learnt nothing, by torch's own generator, for latents of so many rows and columns."""
        ...

    def read_parts(self, pipeline: Path) -> Parts:
        """The parts of a pipeline folder of this kind, in full precision."""
        ...

    def predict(self, parts: Parts, latents: Latents, timesteps: Timesteps, captions: Sequence[str]) -> Latents:
        """The velocity, shaped like the latents."""
        ...

    def assemble(self, parts: Parts, autoencoder: AutoencoderKL, scheduler: Any) -> DiffusionPipeline:
        """An ordinary pipeline of the parts."""
        ...
