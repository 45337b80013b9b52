"""From a model's folder or file to its pipeline: complete, on the device, with the scheduler asked for."""

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import Any, cast

import diffusers
import torch
import transformers
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from transformers import PreTrainedModel
from transformers.utils import is_protobuf_available, is_sentencepiece_available
from transformers.utils import logging as transformers_logging

from dominance.errors import InputError, ModelError
from dominance.models.adapter_loading import fuse_adapter
from dominance.models.checkpoint_loading import from_checkpoint, notes_on_checkpoint
from dominance.models.devices import find_device
from dominance.models.drawing import Machine
from dominance.models.folders import ModelFolder
from dominance.models.memory import is_out_of_memory
from dominance.models.pipeline_classes import class_named, note_on_sibling, read_settings, text_to_image_class
from dominance.models.schedulers import use_scheduler
from dominance.models.settings import GenerationSettings
from dominance.models.variants import variants_in
from dominance.models.whole_weights import refuse_missing
from dominance.wording import complaint


def load_pipeline(
    folder: ModelFolder,
    settings: GenerationSettings,
    machine: Machine,
    prepare: Callable[[DiffusionPipeline], None] | None = None,
) -> DiffusionPipeline:
    """The model's own pipeline, from safetensors only, quiet, on the device, ready to draw with these settings.

    Args:
        prepare: what is done to the pipeline before it is put on the device, such as adding adapters.

    Raises:
        ModelError: the pipeline cannot be built from the folder's files, or does not fit into the memory.
        InputError: no such device, one from which nothing can be offloaded, or a pipeline that cannot be offloaded
            or decode by tiles.
    """
    device = find_device(machine.device)
    if machine.offload != "none" and device.type == "cpu":
        raise InputError(
            f"--offload {machine.offload} moves idle parts from the GPU to the CPU, but the device is the CPU; leave it"
            " out, or give --device cuda"
        )
    _check_tokenizers(folder)
    kind = cast(type[DiffusionPipeline], text_to_image_class(folder.name, folder.path))
    _say(folder, kind)
    read = _from_folder if folder.checkpoint is None else from_checkpoint
    try:
        with without_bars():
            pipeline = read(kind, folder, getattr(torch, settings.dtype))
        _check_complete(pipeline)
        use_scheduler(pipeline, settings.scheduler)
    except Exception as error:  # diffusers and transformers raise whatever the broken part raises
        if is_out_of_memory(error):
            raise _too_large(folder, device) from None
        raise _unloadable(folder, error) from error
    if folder.adapter is not None:
        fuse_adapter(pipeline, folder.adapter.found)
    pipeline.set_progress_bar_config(disable=True)
    if prepare is not None:
        with without_bars():
            prepare(pipeline)
    if settings.vae_tiling:
        _tile(pipeline)
    _put(pipeline, folder, device, machine.offload)
    return pipeline


def outline(folder: ModelFolder) -> DiffusionPipeline:
    """The model's own pipeline without weights: tokenizers, scheduler, and diffusers' networks on the meta device.

    Text encoders are left out.

    Raises:
        ModelError: the pipeline cannot be built from the folder's files.
    """
    _check_tokenizers(folder)
    kind = cast(type[DiffusionPipeline], text_to_image_class(folder.name, folder.path))
    parts: dict[str, torch.nn.Module | None] = {}
    try:
        with without_bars(), torch.device("meta"):
            for name, entry in read_settings(folder.path / "model_index.json").items():
                network = _network(entry)
                if network is not None:
                    own = issubclass(network, ModelMixin)
                    parts[name] = network.from_config(network.load_config(folder.path / name)) if own else None
        with without_bars():
            return kind.from_pretrained(folder.path, local_files_only=True, **parts)
    except Exception as error:  # diffusers raises whatever the broken part raises
        raise _unloadable(folder, error) from error


def _network(entry: object) -> Any:
    """The class of a part that has weights, as the pipeline's index names it; None for others."""
    if not isinstance(entry, list) or entry[:1] not in (["diffusers"], ["transformers"]):
        return None
    kind = getattr(diffusers if entry[0] == "diffusers" else transformers, entry[1], None)
    return kind if isinstance(kind, type) and issubclass(kind, ModelMixin | PreTrainedModel) else None


def _from_folder(kind: type[DiffusionPipeline], folder: ModelFolder, dtype: torch.dtype) -> DiffusionPipeline:
    return kind.from_pretrained(
        folder.path,
        use_safetensors=True,
        dtype=dtype,
        local_files_only=True,
        variant=folder.variant,
        **_transformers_parts(folder, dtype),
    )


def _say(folder: ModelFolder, kind: type) -> None:
    """Says on standard error what of the folder is used otherwise than one would expect."""
    used = f"it has only the variant {folder.variant} of its weights, which is used"
    notes = [used] if folder.variant is not None and folder.chosen else []
    notes += [note] if (note := note_on_sibling(class_named(folder.path), kind)) else []
    notes += [] if folder.checkpoint is None else notes_on_checkpoint(folder, folder.checkpoint)
    for note in notes:
        sys.stderr.write(f"note on the model {folder.name!r}: {note}\n")


def _unloadable(folder: ModelFolder, error: Exception) -> ModelError:
    """What is wrong with a folder that could not be loaded, and what helps against that."""
    told = complaint(error)
    if isinstance(error, ImportError):
        remedy = "install what is missing"
    elif "size mismatch" in told or "shape" in told:
        remedy = "its config.json and its weights do not belong together: fetch or save both from one model"
        if folder.checkpoint is not None:
            remedy = "give --model-config and the folder of the model that the file was made from"
    elif isinstance(error, ModelError):  # of a part that lacks weights
        remedy = "fetch or save that part again" if folder.checkpoint is None else "give a whole checkpoint"
    else:
        remedy = f"diffusers {diffusers.__version__} cannot build it from these files; see which version saved them"
    place = folder.path if folder.checkpoint is None else f"its file with the configuration of {folder.path}"
    return ModelError(f"cannot load the model {folder.name!r} from {place}: {told}; {remedy}")


def _check_tokenizers(folder: ModelFolder) -> None:
    """Raises a ModelError for a tokenizer of a format whose reader is not installed."""
    if is_sentencepiece_available() and is_protobuf_available():
        return
    for file in sorted(folder.path.glob("tokenizer*/*.model")):
        if not (file.parent / "tokenizer.json").is_file():
            raise ModelError(
                f"the model {folder.name!r} needs sentencepiece for its tokenizer"
                f" ({file.parent.name}/{file.name}); install it: pip install sentencepiece protobuf"
            )


def _tile(pipeline: DiffusionPipeline) -> None:
    """Raises an InputError where nothing decodes by tiles; some autoencoders have the method, but cannot."""
    try:
        pipeline.vae.enable_tiling()
    except (AttributeError, NotImplementedError):
        raise InputError(
            f"{type(pipeline).__name__} has no autoencoder that decodes by tiles; leave out --vae-tiling"
        ) from None


def _put(pipeline: DiffusionPipeline, folder: ModelFolder, device: torch.device, offload: str) -> None:
    try:
        if offload == "model":
            pipeline.enable_model_cpu_offload(device=device)
        elif offload == "sequential":
            pipeline.enable_sequential_cpu_offload(device=device)
        else:
            pipeline.to(device)
    except Exception as error:  # of the pipeline, of accelerate or of the device
        if is_out_of_memory(error):
            raise _too_large(folder, device) from None
        if offload == "none":
            raise ModelError(
                f"cannot move the model {folder.name!r} to {device} ({complaint(error)}); give another --device"
            ) from error
        raise InputError(
            f"{type(pipeline).__name__} cannot do --offload {offload} ({complaint(error)}); leave it out, or give"
            f" --offload {'sequential' if offload == 'model' else 'model'}"
        ) from error


def _too_large(folder: ModelFolder, device: torch.device) -> ModelError:
    thrifty = "--dtype float16" if device.type == "cpu" else "--dtype float16, --offload model or --offload sequential"
    return ModelError(f"the model {folder.name!r} does not fit in the memory of {device}; try {thrifty}")


def _transformers_parts(folder: ModelFolder, dtype: torch.dtype) -> dict[str, PreTrainedModel]:
    """The text encoders: loaded here, because on the way through diffusers missing weights become noise in silence."""
    parts = {}
    for name, entry in read_settings(folder.path / "model_index.json").items():
        if not isinstance(entry, list) or entry[:1] != ["transformers"]:
            continue
        kind = getattr(transformers, entry[1], None)  # a name from before a renaming is no text encoder's
        if isinstance(kind, type) and issubclass(kind, PreTrainedModel):
            parts[name], report = kind.from_pretrained(
                folder.path / name,
                use_safetensors=True,
                variant=folder.variant if folder.variant in variants_in(folder.path / name) else None,
                dtype=dtype,
                local_files_only=True,
                output_loading_info=True,
            )
            refuse_missing(name, report["missing_keys"])
    return parts


def _check_complete(pipeline: DiffusionPipeline) -> None:
    """Refuses parts that diffusers left without some of their weights."""
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            refuse_missing(name, [key for key, value in part.state_dict().items() if value.is_meta])


@contextlib.contextmanager
def without_bars() -> Generator[None]:
    """Loading and saving take seconds and need no bar of their own; the user's setting comes back afterwards."""
    shown = [bars for bars in (diffusers_logging, transformers_logging) if bars.is_progress_bar_enabled()]
    for bars in shown:
        bars.disable_progress_bar()
    try:
        yield
    finally:
        for bars in shown:
            bars.enable_progress_bar()
