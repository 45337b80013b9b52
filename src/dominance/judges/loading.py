"""Models that look at pictures, as transformers saves them: what config.json says, the weights, whether all fits."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dominance.errors import InputError, ModelError
from dominance.wording import complaint, remedy_for

Model = TypeVar("Model", bound=PreTrainedModel)
Tokenizer = TypeVar("Tokenizer", bound=PreTrainedTokenizerBase)

SCHEMES: dict[str, str] = {
    "blip": "blip",
    "vilt": "vilt",
    "clip": "clip",
    "siglip": "siglip",
    "qwen2_vl": "qwen",
    "qwen2_5_vl": "qwen",
    "qwen3_vl": "qwen",
}
"""The scheme that takes models of each ``model_type``."""


def read_model_type(what: str, path: Path, scheme: str, such_as: str | None = None) -> str:
    """The ``model_type`` of a folder's config.json, once it is sure that the scheme takes such models.

    Args:
        what: it is to be, as everywhere here, for messages: ``"the judge 'blip:owner/name'"``.
        such_as: a model to give instead, where no other scheme is taken.

    Raises:
        ModelError: no config.json, no safetensors beside it, or a model of another type.
    """
    taken = [model_type for model_type, owner in SCHEMES.items() if owner == scheme]
    if not (path / "config.json").is_file() or not any(path.glob("*.safetensors")):
        raise ModelError(
            f"{what} has no config.json with .safetensors weights in {path}; give {scheme}: and the folder"
            f" or hub id of a model of type {' or '.join(taken)}"
        )
    with one_line(what, path):
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        found = config.get("model_type") if isinstance(config, dict) else None
    if found not in taken:
        other = None if such_as else SCHEMES.get(str(found))
        remedy = f"give {other}: and the same folder or hub id" if other else "give another model"
        remedy = f"give another, such as {such_as}" if such_as else remedy
        raise ModelError(f"{what} in {path} is a {found!r} model, but {scheme}: takes {' or '.join(taken)}; {remedy}")
    return found


@contextmanager
def one_line(what: str, path: Path) -> Generator[None]:
    """Turns whatever a broken part raises into one ModelError that names the model and its folder."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # transformers raises whatever the broken part raises
        raise ModelError(f"cannot load {what} from {path}: {complaint(error)}; {remedy_for(error)}") from error


def load_weights(
    what: str, path: Path, kind: type[Model], device: torch.device, dtype: torch.dtype = torch.float32
) -> Model:
    """The model in evaluation mode on its device, from safetensors alone.

    Raises:
        ModelError: the weights cannot be read, or some are missing or of another shape.
    """
    load = cast(Callable[..., tuple[Model, dict[str, Any]]], kind.from_pretrained)
    with one_line(what, path):
        model, report = load(path, use_safetensors=True, dtype=dtype, local_files_only=True, output_loading_info=True)
    if missing := report["missing_keys"]:  # transformers would fill them with noise
        raise ModelError(
            f"cannot load {what} from {path}: {len(missing)} weights are missing, such as"
            f" {min(missing)}; fetch its weights again, or give a model that has them"
        )
    with one_line(what, path):
        return model.eval().to(cast(Any, device))


def load_tokenizer(path: Path, kind: type[Tokenizer]) -> Tokenizer:
    """The tokenizer of a folder.

    Raises:
        ModelError: its files are not there; transformers would make one without words instead.
    """
    files = dict(kind.vocab_files_names)
    whole = files.pop("tokenizer_file", "tokenizer.json")
    apart = [path / file for file in files.values()]
    if not (path / whole).is_file() and not (apart and all(file.is_file() for file in apart)):
        raise ModelError(f"{path} has no tokenizer ({whole}); fetch this file, or save the tokenizer there")
    return cast(Tokenizer, kind.from_pretrained(path, local_files_only=True))


def check_fits(what: str, path: Path, sizes: Mapping[str, tuple[object, object]]) -> None:
    """Raises a ModelError that names the first size which a processor and its model do not share.

    Args:
        sizes: for each size, what the processor or tokenizer has and what the model has.
    """
    for size, (given, wanted) in sizes.items():
        if given != wanted:
            raise ModelError(
                f"{what} in {path} has parts that do not match: {size} is {given} in its processor but"
                f" {wanted} in its model; take both from the same source"
            )


def check_vocabulary(what: str, path: Path, words: int, rows: int) -> None:
    """Raises a ModelError if the tokenizer has more words than the model has embeddings for."""
    if words > rows:
        raise ModelError(
            f"{what} in {path} has parts that do not match: its tokenizer has {words} words but its"
            f" model embeds {rows}; take both from the same source"
        )


def side(size: Any) -> tuple[Any, ...]:
    """Height and width as a pair, from the one number or the two that a configuration gives.

    >>> side(224), side({"height": 64, "width": 32}), side([8, 8])
    ((224, 224), (64, 32), (8, 8))
    """
    if isinstance(size, int):
        return (size, size)
    if isinstance(size, list | tuple):
        return tuple(size)
    shortest = size.get("shortest_edge")
    return (shortest, shortest) if shortest else (size.get("height"), size.get("width"))


def precision(device: torch.device) -> torch.dtype:
    """What large models are computed in: half precision on an accelerator (bfloat16 where it can), float32 on a CPU."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device.type == "mps" else torch.float32
