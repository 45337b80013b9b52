"""Where a model's files lie, what they are, and what they suggest: bundled name, folder or hub id."""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dominance.errors import ModelError

BUNDLED_MODELS: tuple[str, ...] = ("miniature",)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?")
_KEPT = ("*.safetensors", "*.json", "*.txt", "*.model")
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
    elif Path(name).is_dir():
        path = Path(name)
    elif _HUB_ID.fullmatch(name) and not Path(name).exists():
        return _from_hub(name)
    else:
        raise ModelError(
            f"no model {name!r}; give a bundled one ({', '.join(BUNDLED_MODELS)}), a diffusers folder, or a hub id"
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
        names = {name: entry for name, entry in listed.items() if isinstance(entry, list)}
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read ({error}); save the pipeline again") from None
    for component in ("unet", "transformer", "vae", "text_encoder"):
        if names.get(component, [None])[0] is not None and not any((path / component).glob("*.safetensors")):
            raise ModelError(
                f"{path / component} has no .safetensors weights; download them, or save the pipeline again with"
                " safe_serialization=True (other weight formats are not loaded)"
            )


def content_identity(path: Path) -> str:
    """Hash of a folder's weights and settings, file by file; names count, dates do not."""
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in _IDENTIFYING):
        with file.open("rb") as opened:
            digest.update(file.relative_to(path).as_posix().encode())
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:24]}"


def read_defaults(path: Path) -> dict[str, object]:
    """What a model's or judge's ``dominance.json`` says; empty when there is none."""
    file = path / "dominance.json"
    if not file.is_file():
        return {}
    try:
        defaults = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not JSON ({error}); mend or delete it") from None
    if not isinstance(defaults, dict):
        raise ModelError(f"{file} holds {type(defaults).__name__}, not an object; mend or delete it")
    return defaults


def _from_hub(name: str) -> ModelFolder:
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    try:
        path = Path(snapshot_download(repository, revision=revision or None, allow_patterns=list(_KEPT)))
    except Exception as error:  # the hub's client raises many kinds; each ends here as one line
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"cannot fetch the model {name!r} from the hub ({type(error).__name__}: {reason[:160]}); check the id and"
            " the connection, or give a folder that holds the pipeline"
        ) from None
    check_pipeline_folder(path)
    return ModelFolder(name, path, f"{repository}@{path.name}", read_defaults(path))
