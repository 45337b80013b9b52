"""From a single file to its pipeline, by diffusers' own conversion."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

import diffusers
import torch
import transformers
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES, FromOriginalModelMixin
from diffusers.loaders.single_file_utils import is_clip_model_in_single_file, is_t5_in_single_file
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from transformers import PreTrainedModel

from dominance.errors import ModelError
from dominance.models.folders import Checkpoint, ModelFolder
from dominance.models.pipeline_classes import read_settings
from dominance.models.single_files import LEFT_OUT
from dominance.models.weight_headers import read_header
from dominance.models.whole_weights import refuse_missing

_LARGE_ENCODER = ("text_encoder_3", "tokenizer_3")
"""What Stable Diffusion 3 draws without, as it was trained to."""


def from_checkpoint(kind: type[DiffusionPipeline], folder: ModelFolder, dtype: torch.dtype) -> DiffusionPipeline:
    """The pipeline of a single file, with its folder's configuration; nothing is read from anywhere else.

    Raises:
        ModelError: a pipeline that diffusers does not read from one file, or a part that the file does not have.
    """
    if folder.checkpoint is None or not hasattr(kind, "from_single_file"):
        raise ModelError(f"diffusers {diffusers.__version__} reads no {kind.__name__} from a single file")
    absent = _absent(folder, folder.checkpoint)
    dropped = _dropped(absent)
    for part, name in absent.items():
        if part not in dropped:
            raise ModelError(f"the file has no {part} ({name})")
    given: dict[str, Any] = dict.fromkeys(dropped)
    if "requires_safety_checker" in inspect.signature(kind.__init__).parameters:
        given["requires_safety_checker"] = False
    try:
        return cast(Any, kind).from_single_file(
            str(folder.checkpoint.file), config=str(folder.path), dtype=dtype, local_files_only=True, **given
        )
    except NotImplementedError:  # of torch, which is to move weights that have no data
        _refuse_incomplete(folder, folder.checkpoint)
        raise


def _refuse_incomplete(folder: ModelFolder, checkpoint: Checkpoint) -> None:
    """Raises a ModelError that names the weights which the file lacks, found by diffusers' conversion of its names."""
    shapes = {name: torch.empty(shape, device="meta") for name, shape in read_header(checkpoint.file).shapes.items()}
    for part, kind in _networks(folder).items():
        converts = cast(Any, SINGLE_FILE_LOADABLE_CLASSES).get(kind.__name__, {}).get("checkpoint_mapping_fn")
        if converts is not None:
            config = read_settings(folder.path / part / "config.json")
            with torch.device("meta"):
                wanted = cast(Any, kind).from_config(config).state_dict().keys()
            refuse_missing(part, wanted - converts(checkpoint=dict(shapes), config=config).keys())


def notes_on_checkpoint(folder: ModelFolder, checkpoint: Checkpoint) -> list[str]:
    """What is said of a single file before it is loaded."""
    parts = read_settings(folder.path / "model_index.json")
    notes = [f"a single file, with the configuration of {checkpoint.config}"]
    left_out = [part.replace("_", " ") for part in LEFT_OUT if _class(parts, part)]
    notes += [f"drawn without its {part}, which single files do not have" for part in left_out]
    if _dropped(_absent(folder, checkpoint)):
        notes.append("the file has no T5, so its other text encoders alone read the prompts")
    return notes


def _absent(folder: ModelFolder, checkpoint: Checkpoint) -> dict[str, str]:
    """The networks that the configuration names and the file lacks, by their classes; they would be read elsewhere."""
    keys = read_header(checkpoint.file).shapes
    return {part: kind.__name__ for part, kind in _networks(folder).items() if not _is_in(kind, keys)}


def _networks(folder: ModelFolder) -> dict[str, type]:
    """The parts that the configuration names and that have weights, by their classes."""
    parts = read_settings(folder.path / "model_index.json")
    found = {}
    for part in parts:
        name = _class(parts, part)
        if name is not None and part not in LEFT_OUT:
            kind = getattr(transformers if parts[part][0] == "transformers" else diffusers, name, None)
            if isinstance(kind, type) and issubclass(kind, torch.nn.Module):
                found[part] = kind
    return found


def _class(parts: Mapping[str, Any], part: str) -> str | None:
    entry = parts.get(part)
    return str(entry[1]) if isinstance(entry, list) and len(entry) == 2 and entry[1] else None


def _is_in(kind: type, keys: Mapping[str, object]) -> bool:
    """Whether the file has a network of this class."""
    if issubclass(kind, PreTrainedModel):
        if kind.__name__.startswith("CLIP"):
            return bool(is_clip_model_in_single_file(kind, keys))
        return kind.__name__.startswith("T5") and bool(is_t5_in_single_file(keys))
    return issubclass(kind, FromOriginalModelMixin)


def _dropped(absent: Mapping[str, str]) -> tuple[str, ...]:
    return _LARGE_ENCODER if _LARGE_ENCODER[0] in absent else ()
