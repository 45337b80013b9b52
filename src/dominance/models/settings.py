"""How images are to be generated."""

import math
from dataclasses import asdict, dataclass

from dominance.errors import InputError


@dataclass(frozen=True)
class GenerationSettings:
    """Everything but prompt, seed and model that decides what is drawn.

    Attributes:
        steps: denoising steps, 1 to 1000.
        guidance: classifier-free guidance scale, 0 to 100; 1 and below turn guidance off.
        height, width: of the image in pixels, multiples of 8 from 16 to 4096; None leaves them to the model.
        dtype: ``float32``, ``float16`` or ``bfloat16``, the precision that the model runs in.
        scheduler: class of the noise scheduler that takes the place of the model's own; None for the model's own.
        vae_tiling: images larger than the autoencoder's tiles are decoded tile by tile, with blended seams. Each tile
            is normalised by itself, so that such images differ a little from those decoded whole.

    Raises:
        InputError: a value out of its range.
    """

    steps: int = 50
    guidance: float = 7.5
    height: int | None = None
    width: int | None = None
    dtype: str = "float32"
    scheduler: str | None = None
    vae_tiling: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or not 1 <= self.steps <= 1000:
            raise InputError(f"steps is {self.steps!r}; give a whole number of denoising steps from 1 to 1000")
        if not math.isfinite(self.guidance) or not 0 <= self.guidance <= 100:
            raise InputError(f"guidance is {self.guidance}; give a guidance scale from 0 to 100")
        for name, side in (("height", self.height), ("width", self.width)):
            if side is not None and (not 16 <= side <= 4096 or side % 8):
                raise InputError(f"{name} is {side}; give a multiple of 8 from 16 to 4096")
        if self.dtype not in ("float32", "float16", "bfloat16"):
            raise InputError(f"dtype is {self.dtype!r}; give float32, float16 or bfloat16")

    def record(self) -> dict[str, object]:
        """The settings as JSON values; the model's own scheduler and way of decoding belong to it and are left out."""
        own = {"scheduler": None, "vae_tiling": False}
        return {name: value for name, value in asdict(self).items() if name not in own or value != own[name]}


OFFLOADS: tuple[str, ...] = ("none", "model", "sequential")


@dataclass(frozen=True)
class Thrift:
    """What is given up to save the device's memory when a model is loaded.

    Attributes:
        offload: ``model`` keeps only the component at work on the device, ``sequential`` only the layer; the rest
            waits in the computer's own memory. No picture changes.
        vae_tiling: as in ``GenerationSettings``.

    Raises:
        InputError: another kind of offload.
    """

    offload: str = "none"
    vae_tiling: bool = False

    def __post_init__(self) -> None:
        if self.offload not in OFFLOADS:
            raise InputError(f"no offload {self.offload[:60]!r}; give one of {', '.join(OFFLOADS)}")
