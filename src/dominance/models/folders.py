"""Where a model's files lie, what they are, and what they suggest: bundled name, folder or hub id."""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dominance.errors import ModelError
from dominance.models.complaints import in_one_line

BUNDLED_MODELS: tuple[str, ...] = ("miniature", "miniature-base")
"""The default, and a model that composes entities with objects, from which later training goes on."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?")
_LONGEST_HUB_ID = 200
_WEIGHTED = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3")
_IDENTIFYING = {".safetensors", ".json", ".txt", ".model"}


@dataclass(frozen=True)
class ModelFolder:
    """A model on disk.

    Attributes:
        name: as the user gave it.
        path: the folder.
        identity: hash of the content, or hub id and commit; it changes whenever an image could.
        defaults: what the folder's ``dominance.json`` suggests, for instance ``steps`` and ``guidance``.
    """

    name: str
    path: Path
    identity: str
    defaults: dict[str, object]

    @property
    def scheduler(self) -> str | None:
        """Class of the noise scheduler that the pipeline's folder names."""
        listed = json.loads((self.path / "model_index.json").read_text(encoding="utf-8")).get("scheduler")
        return listed[1] if isinstance(listed, list) and len(listed) == 2 else None


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; a name too long for any file system is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name too long for any file system is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def bundled_folder(*parts: str) -> Path:
    """A folder of weights that ships with the package."""
    return Path(str(resources.files("dominance.miniature"))).joinpath("weights", *parts)


def find_model(name: str) -> ModelFolder:
    """Resolves ``--model``: a bundled name, a folder, or ``owner/name`` or ``owner/name@revision`` of a hub.

    Raises:
        ModelError: nothing by that name; not a diffusers folder; weights missing or not safetensors.
    """
    if name in BUNDLED_MODELS:
        path = bundled_folder(name)
    elif name and is_folder(Path(name)):
        path = Path(name)
    elif len(name) <= _LONGEST_HUB_ID and _HUB_ID.fullmatch(name) and not Path(name).exists():
        return _from_hub(name)
    else:
        raise ModelError(
            f"no model {name[:80]!r}; give a bundled one ({', '.join(BUNDLED_MODELS)}), a diffusers folder, or a hub id"
            " such as owner/name"
        )
    check_pipeline_folder(path)
    return ModelFolder(name, path, content_identity(path), read_defaults(path))


def check_pipeline_folder(path: Path) -> None:
    """Raises a ModelError unless the folder holds a diffusers pipeline with all its weights as safetensors."""
    index = path / "model_index.json"
    if not index.is_file():
        raise ModelError(f"{path} is no diffusers pipeline: it has no model_index.json; give the pipeline's folder")
    try:
        listed = json.loads(index.read_text(encoding="utf-8"))
        present = {name for name, entry in listed.items() if isinstance(entry, list) and entry and entry[0]}
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read ({in_one_line(error)}); save the pipeline again") from None
    for component in _WEIGHTED:
        if component in present and not any((path / component).glob("*.safetensors")):
            raise ModelError(
                f"{path / component} has no .safetensors weights; download them, or save the pipeline again with"
                " safe_serialization=True (other weight formats are not loaded)"
            )


def content_identity(path: Path) -> str:
    """Hash of a folder's weights and settings, file by file; names count, dates do not.

    Raises:
        ModelError: a file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for file in sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in _IDENTIFYING):
            with file.open("rb") as opened:
                digest.update(file.relative_to(path).as_posix().encode())
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError as error:
        place = error.filename or path
        raise ModelError(f"{place} cannot be read ({in_one_line(error)}); mend its permissions or the disk") from None
    return f"sha256:{digest.hexdigest()[:24]}"


def read_defaults(path: Path) -> dict[str, object]:
    """What a model's or judge's ``dominance.json`` says; empty when there is none."""
    file = path / "dominance.json"
    if not file.is_file():
        return {}
    try:
        defaults = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is not JSON ({in_one_line(error)}); mend or delete it") from None
    if not isinstance(defaults, dict):
        raise ModelError(f"{file} holds {type(defaults).__name__}, not an object; mend or delete it")
    return defaults


def _from_hub(name: str) -> ModelFolder:
    from diffusers import DiffusionPipeline

    repository, _, revision = name.partition("@")
    try:
        # Fetches the components that model_index.json names, one precision of each, and nothing else.
        path = Path(DiffusionPipeline.download(repository, revision=revision or None, use_safetensors=True))
    except Exception as error:  # the hub's client raises many kinds; each ends here as one line
        raise ModelError(
            f"cannot fetch the model {name!r} from the hub ({type(error).__name__}: {in_one_line(error, 160)}); check"
            " the id and the connection, or give a folder that holds the pipeline"
        ) from None
    check_pipeline_folder(path)
    return ModelFolder(name, path, f"{repository}@{path.name}", read_defaults(path))
