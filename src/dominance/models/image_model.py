"""A thin face over a diffusers pipeline: prompts and seeds in, images out, one noise generator an image."""

import contextlib
import json
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import transformers
from diffusers import AutoPipelineForText2Image
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import logging
from PIL import Image
from transformers import PreTrainedModel

from dominance.errors import ItemError, ModelError
from dominance.mentions import mention
from dominance.models.complaints import in_one_line
from dominance.models.devices import find_device
from dominance.models.folders import ModelFolder
from dominance.models.settings import GenerationSettings
from dominance.records import Prompt


def load_pipeline(folder: ModelFolder, device: str = "auto", dtype: str = "float32") -> DiffusionPipeline:
    """The folder's own pipeline, from safetensors only, quiet, on the device.

    Raises:
        ModelError: the pipeline cannot be built from the folder's files.
    """
    place = find_device(device)
    try:
        with _without_bars():
            encoders = _transformers_parts(folder.path, dtype)
            pipeline = AutoPipelineForText2Image.from_pretrained(
                folder.path, use_safetensors=True, dtype=getattr(torch, dtype), local_files_only=True, **encoders
            )
        _check_complete(pipeline)
        pipeline.to(place)
    except Exception as error:  # diffusers and transformers raise whatever the broken part raises
        raise ModelError(
            f"cannot load the model {folder.name!r} from {folder.path}: {in_one_line(error)}; save or fetch it again"
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _transformers_parts(path: Path, dtype: str) -> dict[str, PreTrainedModel]:
    """The text encoders: loaded here, because on the way through diffusers missing weights become noise in silence."""
    parts = {}
    for name, entry in json.loads((path / "model_index.json").read_text(encoding="utf-8")).items():
        if not isinstance(entry, list) or entry[:1] != ["transformers"]:
            continue
        kind = getattr(transformers, entry[1])
        if isinstance(kind, type) and issubclass(kind, PreTrainedModel):
            parts[name], report = kind.from_pretrained(
                path / name,
                use_safetensors=True,
                dtype=getattr(torch, dtype),
                local_files_only=True,
                output_loading_info=True,
            )
            _refuse_missing(name, report["missing_keys"])
    return parts


def _check_complete(pipeline: DiffusionPipeline) -> None:
    """Refuses parts that diffusers left without some of their weights."""
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            _refuse_missing(name, [key for key, value in part.state_dict().items() if value.is_meta])


def _refuse_missing(part: str, keys: Collection[str]) -> None:
    """Raises a ModelError when weights of a part are missing from its file."""
    if keys:
        raise ModelError(f"the file of {part} lacks {len(keys)} of its weights, among them {min(keys)}")


@contextlib.contextmanager
def _without_bars() -> Generator[None]:
    """Loading takes a second or two and needs no bar of its own; the user's setting comes back afterwards."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@dataclass(frozen=True)
class PipelineModel:
    """A text-to-image model that is ready to draw."""

    folder: ModelFolder
    pipeline: DiffusionPipeline

    def cut_concepts(self, prompts: Sequence[Prompt]) -> list[tuple[Prompt, str, int]]:
        """Concepts that lie beyond what the text encoder reads: prompt, concept's name, the limit in tokens.

        A concept that the text does not name is nowhere cut off. Pipelines that also have an encoder other than
        CLIP, such as T5, read on where CLIP stops; for them the list is empty.
        """
        listed = [getattr(self.pipeline, name, None) for name in ("tokenizer", "tokenizer_2", "tokenizer_3")]
        tokenizers = [tokenizer for tokenizer in listed if tokenizer is not None]
        if not tokenizers or any("clip" not in type(tokenizer).__name__.lower() for tokenizer in tokenizers):
            return []
        limit = min(int(tokenizer.model_max_length) for tokenizer in tokenizers)
        cut = []
        for prompt in prompts:
            offsets = tokenizers[0](prompt.text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
            if len(offsets) <= limit - 2:
                continue
            read = prompt.text[: offsets[limit - 3][1]]
            names = [concept.name for concept in prompt.concepts if mention(prompt.text, concept.name) is not None]
            cut += [(prompt, name, limit) for name in names if mention(read, name) is None]
        return cut

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings
    ) -> list[Image.Image | ItemError]:
        """One image a prompt, or the reason why there is none.

        Each image's noise comes from its own CPU generator, so that neither the batch it rides in nor the
        device changes what is drawn, beyond the rounding of the kernels (about one grey level on a CPU).
        """
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        sizes = {"height": settings.height, "width": settings.width}
        draw = cast(Callable[..., Any], self.pipeline)  # every text-to-image pipeline has its own signature
        with torch.inference_mode():
            made = draw(
                prompt=list(texts),
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                generator=generators,
                output_type="np",
                **{name: side for name, side in sizes.items() if side is not None},
            )
        withheld = getattr(made, "nsfw_content_detected", None) or [False] * len(texts)
        return [_as_image(pixels, bool(held)) for pixels, held in zip(made.images, withheld, strict=True)]


def _as_image(pixels: np.ndarray, withheld: bool) -> Image.Image | ItemError:
    if withheld:
        return ItemError("the model's safety checker withheld the image")
    if not np.isfinite(pixels).all():
        return ItemError("the model made pixels that are not numbers; try --dtype float32")
    return Image.fromarray(np.rint(np.clip(pixels, 0.0, 1.0) * 255).astype(np.uint8))
