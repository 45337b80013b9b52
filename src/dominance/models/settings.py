"""How images are to be generated."""

import math
from dataclasses import asdict, dataclass, replace

from dominance.errors import InputError
from dominance.records import Prompt


@dataclass(frozen=True)
class GenerationSettings:
    """Everything but prompt, seed and model that decides what is drawn.

    Attributes:
        steps: denoising steps, 1 to 1000.
        guidance: classifier-free guidance scale, 0 to 100; 1 and below turn guidance off.
        height, width: of the image in pixels, multiples of 8 from 16 to 4096; None leaves them to the model.
        dtype: ``float32``, ``float16`` or ``bfloat16``, the precision that the model runs in.
        scheduler: class of the noise scheduler that replaces the model's own; None for the model's own.
        vae_tiling: images larger than the autoencoder's tiles are decoded tile by tile, with blended seams. Each tile
            is normalised by itself, so that such images differ a little from those decoded whole.
        adapters: name, strength, start and content of each that is added to the model.
        negative_prompt: what guidance steers away from, instead of the empty prompt; None for the empty prompt.

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
    negative_prompt: str | None = None
    adapters: tuple[str, ...] = ()

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

    def of(self, prompt: Prompt) -> "GenerationSettings":
        """The settings of this prompt's images: its own negative prompt comes first."""
        return self if prompt.negative_prompt is None else replace(self, negative_prompt=prompt.negative_prompt)

    def record(self) -> dict[str, object]:
        """The settings as JSON values; what is left to the model is left out, so that older runs keep their items."""
        own = {"scheduler": None, "vae_tiling": False, "negative_prompt": None, "adapters": ()}
        return {name: value for name, value in asdict(self).items() if name not in own or value != own[name]}
