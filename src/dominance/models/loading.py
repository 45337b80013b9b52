"""From a model's folder to its pipeline: complete, on the device, with the scheduler that is asked."""

import contextlib
import json
from collections.abc import Collection, Generator
from pathlib import Path

import torch
import transformers
from diffusers import AutoPipelineForText2Image
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import logging
from transformers import PreTrainedModel

from dominance.errors import InputError, ModelError
from dominance.models.complaints import in_one_line
from dominance.models.devices import find_device
from dominance.models.folders import ModelFolder
from dominance.models.schedulers import use_scheduler
from dominance.models.settings import Thrift


def load_pipeline(
    folder: ModelFolder,
    device: str = "auto",
    dtype: str = "float32",
    scheduler: str | None = None,
    thrift: Thrift | None = None,
) -> DiffusionPipeline:
    """The folder's own pipeline, from safetensors only, quiet, on the device.

    Args:
        scheduler: a diffusers class, see ``schedulers.find_scheduler``; None for the model's own.

    Raises:
        ModelError: the pipeline cannot be built from the folder's files, or has no autoencoder that tiles.
        InputError: no such device, or one from which nothing can be offloaded.
    """
    thrift = thrift or Thrift()
    place = find_device(device)
    if thrift.offload != "none" and place.type == "cpu":
        raise InputError(
            f"--offload {thrift.offload} moves what is not in use from a GPU to the CPU, and the device is the CPU;"
            " leave it out, or give --device cuda"
        )
    try:
        with _without_bars():
            encoders = _transformers_parts(folder.path, dtype)
            pipeline = AutoPipelineForText2Image.from_pretrained(
                folder.path, use_safetensors=True, dtype=getattr(torch, dtype), local_files_only=True, **encoders
            )
        _check_complete(pipeline)
        use_scheduler(pipeline, scheduler)
        if thrift.vae_tiling:
            _tile(pipeline)
        _put(pipeline, place, thrift.offload)
    except Exception as error:  # diffusers and transformers raise whatever the broken part raises
        raise ModelError(
            f"cannot load the model {folder.name!r} from {folder.path}: {in_one_line(error)}; save or fetch it again"
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _tile(pipeline: DiffusionPipeline) -> None:
    enable = getattr(getattr(pipeline, "vae", None), "enable_tiling", None)
    if enable is None:
        raise ModelError("its pipeline has no autoencoder that decodes by tiles, so leave --vae-tiling out")
    enable()


def _put(pipeline: DiffusionPipeline, place: torch.device, offload: str) -> None:
    if offload == "model":
        pipeline.enable_model_cpu_offload(device=place)
    elif offload == "sequential":
        pipeline.enable_sequential_cpu_offload(device=place)
    else:
        pipeline.to(place)


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
