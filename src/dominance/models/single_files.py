"""A model in a single file: what family it is, and where its configuration is from, which the file does not have."""

import hashlib
from pathlib import Path
from typing import NoReturn

from dominance.errors import ModelError
from dominance.files import is_file, is_folder
from dominance.models.adapted import family_of
from dominance.models.contents import CHECKPOINT, Contents, recognised
from dominance.models.folders import Checkpoint, ModelFolder, components, content_identity
from dominance.models.pipeline_classes import check_class, class_named, read_settings
from dominance.models.weight_headers import Header, file_identity, read_header
from dominance.wording import on_one_line

_SETTINGS = (".json", ".txt", ".model", ".jinja")
_INCLUDED = ("*.json", "*.txt", "*.model")
_FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"
_BESIDE_NOISE = {8: "a picture", 9: "a picture and its mask"}
"""By the channels that a UNet reads: what it reads beside the noise."""
_REFINER = "conditioner.embedders.0.model."
LEFT_OUT = ("safety_checker",)
"""Parts that single files do not have, and that no picture needs."""


def is_checkpoint(name: str) -> bool:
    """Whether a model's name is that of a file with all weights of a model.

    Raises:
        ModelError: a safetensors file that is not whole.
    """
    file = Path(name)
    if file.suffix.lower() != ".safetensors" or not is_file(file):
        return False
    return recognised(read_header(file)).kind == CHECKPOINT


def find_checkpoint(
    name: str, config: str | None = None, revision: str | None = None, variant: str | None = None
) -> ModelFolder:
    """A checkpoint with its configuration: the folder given, else its base model's in the hub's cache.

    Args:
        name: the file.
        config: a diffusers folder of the same family.
        revision, variant: what a file has not.

    Raises:
        ModelError: a checkpoint that does not draw from text alone; a configuration that is missing, not whole, or
            another family's; a revision or a variant.
    """
    shown, file = on_one_line(name, 120), Path(name)
    for option, given in (("revision", revision), ("variant", variant)):
        if given is not None:
            raise ModelError(f"{shown} is a single file, so it has no {option} {given[:60]!r}; leave out --{option}")
    header = read_header(file)
    _check_draws_from_text(shown, header)
    path, source = _cached_config(shown, header) if config is None else (_given_config(config), config)
    check_class(name, path)
    found = recognised(header)
    _check_family(shown, found, path)
    settings = content_identity(path, _SETTINGS)
    whole = file_identity(file)
    identity = hashlib.sha256(f"{whole} {settings}".encode()).hexdigest()[:24]
    checkpoint = Checkpoint(file, whole, on_one_line(source), settings)
    return ModelFolder(name, path, f"sha256:{identity}", {}, checkpoint=checkpoint)


def _check_draws_from_text(shown: str, header: Header) -> None:
    first = header.shapes.get(_FIRST_LAYER, ())
    beside = _BESIDE_NOISE.get(first[1]) if len(first) == 4 else None
    if beside is not None:
        raise ModelError(
            f"{shown} is a checkpoint whose UNet reads {first[1]} channels, 4 of noise and {beside} beside it, so it"
            " cannot draw from text alone; give a text-to-image model"
        )
    if any(key.startswith(_REFINER) for key in header.shapes):
        raise ModelError(
            f"{shown} is a refiner of Stable Diffusion XL, which starts from a picture, so dominance cannot drive it;"
            " give a text-to-image model"
        )


def _given_config(config: str) -> Path:
    path, shown = Path(config), on_one_line(config, 120)
    if not config or not is_folder(path):
        raise ModelError(f"no folder {shown!r} for --model-config; give a diffusers folder of the model's family")
    absent = _absent(path)
    if absent:
        raise ModelError(
            f"--model-config is {shown}, which lacks {', '.join(absent)}; give a diffusers folder, with or without its"
            " weights"
        )
    return path


def _cached_config(shown: str, header: Header) -> tuple[Path, str]:
    """The configuration of the checkpoint's base model in the cache, and the repository and commit that it is from."""
    from huggingface_hub import snapshot_download

    repository = _base(header)
    try:
        path = Path(snapshot_download(repository, local_files_only=True))
    except Exception:  # the hub's client raises many kinds for what is not in its cache
        _refuse(shown, repository, "is not in the hub's cache")
    absent = _absent(path)
    if absent:
        _refuse(shown, repository, f"is in the hub's cache without {', '.join(absent)}")
    return path, f"{repository}@{path.name}"


def _refuse(shown: str, repository: str, found: str) -> NoReturn:
    included = " ".join(f'--include "{pattern}"' for pattern in _INCLUDED)
    raise ModelError(
        f"{shown} is a single-file checkpoint, which has weights but no configuration; that of {repository}, by the"
        f" names of its weights, {found}: fetch it (hf download {repository} {included}), or give --model-config and a"
        " diffusers folder of the same family, with or without its weights"
    )


def _base(header: Header) -> str:
    """The repository whose configuration diffusers gives to a checkpoint with these weights."""
    import torch
    from diffusers.loaders.single_file_utils import fetch_diffusers_config

    shapes = {name: torch.empty(shape, device="meta") for name, shape in header.shapes.items()}
    return str(fetch_diffusers_config(shapes)["pretrained_model_name_or_path"])


def _absent(path: Path) -> list[str]:
    """Files that a configuration needs and that the folder lacks, such as ``unet/config.json``."""
    if not (path / "model_index.json").is_file():
        return ["model_index.json"]
    listed = read_settings(path / "model_index.json")
    absent = []
    for name in components(path):
        if name not in LEFT_OUT:
            choices = _files_of(str(listed[name][1]))
            if not any((path / name / file).is_file() for file in choices):
                absent.append(f"{name}/{choices[0]}")
    return absent


def _files_of(kind: str) -> tuple[str, ...]:
    """Files of which a component of this class needs one, the usual first."""
    if "Tokenizer" in kind:
        return "tokenizer.json", "vocab.json", "spiece.model"
    if "Scheduler" in kind:
        return ("scheduler_config.json",)
    if "Processor" in kind or "FeatureExtractor" in kind:
        return "preprocessor_config.json", "processor_config.json"
    return ("config.json",)


def _check_family(shown: str, found: Contents, path: Path) -> None:
    """Raises a ModelError for the configuration of another family."""
    family, width = family_of(path)
    if found.family is not None and (found.family != family or (found.width or width) != (width or found.width)):
        own = f" with a text width of {found.width}" if found.family == family else ""
        other = f" with one of {width}" if own else ""
        raise ModelError(
            f"{shown} is a checkpoint of {found.family}{own}, and --model-config {path} is {family}{other}"
            f" ({class_named(path)}); give a folder of the same family"
        )
