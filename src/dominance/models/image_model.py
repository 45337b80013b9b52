"""A thin face over a diffusers pipeline: prompts and seeds in, images out, one noise generator an image."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image

from dominance.errors import ItemError, ModelError
from dominance.models.calls import call_of, check_settings, latent_sides
from dominance.models.settings import GenerationSettings
from dominance.models.tokens import Reading, reading_of
from dominance.progress import tell_within
from dominance.records import Prompt


@dataclass(frozen=True)
class PipelineModel:
    """A text-to-image model that is ready to draw."""

    pipeline: DiffusionPipeline

    def reading(self, prompt: Prompt) -> Reading | None:
        """What the text encoder makes of the prompt's concepts; None where that cannot be known."""
        return reading_of(self.pipeline, prompt)

    def check(self, settings: GenerationSettings) -> None:
        """Raises an InputError or ModelError for settings that the pipeline would ignore, round off or refuse."""
        check_settings(self.pipeline, settings)

    def fitting_batch(self, settings: GenerationSettings) -> int:
        """Images at once: 32 at small latents, fewer as they grow; 512² pictures at 8 pixels a latent ride by 16."""
        rows, columns = latent_sides(self.pipeline, settings)
        return max(1, min(32, 2**16 // (rows * columns)))

    def generate(
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        settings: GenerationSettings,
        watch: Callable[..., dict[str, Any]] | None = None,
    ) -> list[Image.Image | ItemError]:
        """One image per prompt, or why there is none.

        Each image's noise comes from its own CPU generator, so that neither the batch it rides in nor the
        device changes what is drawn, beyond the rounding of the kernels (about one grey level on a CPU).

        Args:
            watch: called by the pipeline after each step, as its ``callback_on_step_end``; it ends the call by raising.

        Raises:
            InputError: a setting that this pipeline does not take.
            ModelError: not a text-to-image pipeline, or one that draws another size than asked.
        """
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        draw = cast(Callable[..., Any], self.pipeline)  # every text-to-image pipeline has its own signature
        arguments = call_of(draw).arguments(texts, settings, generators)
        if watch is not None:
            arguments["callback_on_step_end"] = watch
        try:
            with torch.inference_mode(), _telling_steps(self.pipeline):
                made = draw(**arguments)
        except Exception:
            _let_go(draw)
            raise
        held = getattr(made, "nsfw_content_detected", None) or getattr(made, "nsfw_detected", None)
        drawn = [
            as_image(pixels, bool(withheld))
            for pixels, withheld in zip(made.images, held or [False] * len(texts), strict=True)
        ]
        _check_size(drawn, settings)
        return drawn


class _Steps:
    """Stands in for a pipeline's own bar, and tells the run's progress which denoising step it is."""

    def __init__(self, iterable: Iterable[Any] | None = None, total: int | None = None) -> None:
        self._iterable, self._total, self._done = iterable, total, 0
        if total is None and isinstance(iterable, Sized):
            self._total = len(iterable)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        for step in self._iterable or ():
            yield step
            self.update()

    def update(self, count: int = 1) -> None:
        self._done += count
        of = "" if self._total is None else f" of {self._total}"
        tell_within(f"step {self._done}{of}")

    def set_postfix(self, *_: object, **__: object) -> None:
        """Nothing more is shown."""


@contextlib.contextmanager
def _telling_steps(pipeline: Any) -> Generator[None]:
    """The pipeline's bar is replaced, which changes no image; its own comes back."""
    if not hasattr(pipeline, "progress_bar"):
        yield
        return
    held = vars(pipeline).get("progress_bar")
    pipeline.progress_bar = _Steps
    try:
        yield
    finally:
        if held is None:
            del pipeline.progress_bar
        else:
            pipeline.progress_bar = held


def _let_go(draw: Any) -> None:
    """Takes offloaded parts off the device, where a call that broke off left them in the way of the next."""
    free = getattr(draw, "maybe_free_model_hooks", None)
    if free is not None:
        free()


def as_image(pixels: np.ndarray, withheld: bool = False) -> Image.Image | ItemError:
    """Pixels from 0 to 1 as an image, or why there is none."""
    if withheld:
        return ItemError("the model's safety checker withheld the image")
    if not np.isfinite(pixels).all():
        return ItemError("the model produced pixels that are not numbers; try --dtype float32")
    return Image.fromarray(np.rint(np.clip(pixels, 0.0, 1.0) * 255).astype(np.uint8))


def _check_size(drawn: Sequence[Image.Image | ItemError], settings: GenerationSettings) -> None:
    """Raises a ModelError where the pipeline drew another size than asked, which would be wrong for every image."""
    for image in drawn:
        if isinstance(image, ItemError):
            continue
        for what, asked, side in (("height", settings.height, image.height), ("width", settings.width, image.width)):
            if asked not in (None, side):
                raise ModelError(f"the model drew images of {what} {side} instead of {asked}; leave out --{what}")
