"""Where a model's files are, what they are, and what they suggest: bundled name, folder or hub id."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dominance.errors import ModelError
from dominance.files import is_file, is_folder
from dominance.miniature.bundled import BUNDLED_MODELS, MINIATURE, bundled_folder
from dominance.models import hub
from dominance.models.adapters import Adapter, FoundAdapter, find_adapter
from dominance.models.drawing import Machine
from dominance.models.not_models import refuse_file, refuse_folder
from dominance.models.pipeline_classes import check_class, read_denoiser
from dominance.models.quantised import check_quantised
from dominance.models.settings import GenerationSettings
from dominance.models.variants import choose_variant
from dominance.models.whole_weights import check_weights
from dominance.wording import complaint, described, remedy_for

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

_WEIGHTED = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3")
_OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".h5")
_IDENTIFYING = {".safetensors", ".json", ".txt", ".model", ".jinja"}


@dataclass(frozen=True)
class Checkpoint:
    """A single file that has all weights of a model.

    Attributes:
        file: safetensors.
        identity: hash of the file.
        config: where its configuration is from: a folder as the user gave it, or a repository and its commit.
        config_identity: hash of the configuration.
    """

    file: Path
    identity: str
    config: str
    config_identity: str

    def describe(self) -> dict[str, object]:
        """For the manifest."""
        return {**asdict(self), "file": self.file.name}


@dataclass(frozen=True)
class OwnAdapter:
    """A LoRA that is part of a model: it is added into the weights of another model, its base.

    Attributes:
        base: the name of the model in whose folder all other weights are.
        base_identity: hash of that folder.
        found: the adapter's file.
    """

    base: str
    base_identity: str
    found: FoundAdapter

    def describe(self) -> dict[str, object]:
        """For the manifest."""
        return {"base": self.base, "base_identity": self.base_identity, "own_adapter": self.found.identity}


@dataclass(frozen=True)
class ModelFolder:
    """A model on disk.

    Attributes:
        name: as the user gave it.
        path: the folder.
        identity: hash of the content, or hub id and commit; it changes whenever an image could.
        defaults: what the folder's ``dominance.json`` suggests, for instance ``steps`` and ``guidance``.
        revision: branch, tag or commit of a hub id, as the user gave it.
        variant: of the weights that are used, such as ``fp16``; None for the plain ones.
        chosen: whether that variant was taken because there is no other, and not asked for.
        checkpoint: the single file that its weights are in; the folder has only their configuration.
        adapter: what makes the model of the folder's, which is then its base; it is fused when the model is loaded.
    """

    name: str
    path: Path
    identity: str
    defaults: dict[str, object]
    revision: str | None = None
    variant: str | None = None
    chosen: bool = False
    checkpoint: "Checkpoint | None" = None
    adapter: OwnAdapter | None = None

    @property
    def whole(self) -> Path:
        """The folder, where all of the model's weights are in it.

        Raises:
            ModelError: some of them are in an adapter.
        """
        if self.adapter is not None:
            raise ModelError(
                f"the model {self.name!r} is {self.adapter.base} with an adapter and has no folder of its own, which is"
                f" needed here; give {self.adapter.base}"
            )
        return self.path

    @property
    def scheduler(self) -> str | None:
        """Class of the noise scheduler that the pipeline's folder names."""
        listed = json.loads((self.path / "model_index.json").read_text(encoding="utf-8")).get("scheduler")
        return listed[1] if isinstance(listed, list) and len(listed) == 2 else None

    @property
    def world(self) -> str | None:
        """The closed world of pictures that the model was trained on, as its folder says; None for none."""
        return world_of(self.defaults)

    @property
    def added(self) -> tuple[str, ...]:
        """None: this is the model alone."""
        return ()

    @property
    def denoiser(self) -> dict[str, Any]:
        """Settings of the UNet or transformer, the class as ``_class_name``."""
        return read_denoiser(self.path)

    def suggested_settings(self) -> dict[str, object]:
        """Steps and guidance that the pipeline's own call has for defaults; guidance 1 where it takes none."""
        from dominance.models.calls import suggested_settings

        return suggested_settings(self)

    def device(self, machine: Machine) -> "torch.device":
        """The device that is asked for.

        Raises:
            InputError: there is none.
        """
        from dominance.models.devices import find_device

        return find_device(machine.device)

    def load(
        self,
        settings: GenerationSettings,
        machine: Machine,
        prepare: "Callable[[DiffusionPipeline], None] | None" = None,
    ) -> "DiffusionPipeline":
        """The folder's pipeline: see ``loading.load_pipeline``."""
        from dominance.models.loading import load_pipeline

        return load_pipeline(self, settings, machine, prepare)

    def describe(self, settings: GenerationSettings) -> dict[str, object]:
        """For the manifest: name, content, and the noise schedule in use."""
        from dominance.models.schedulers import describe_scheduler

        return {
            "name": self.name,
            "identity": self.identity,
            "revision": self.revision,
            **({} if self.variant is None else {"variant": self.variant}),
            **({} if self.checkpoint is None else {"single_file": self.checkpoint.describe()}),
            **({} if self.adapter is None else self.adapter.describe()),
            "scheduler": settings.scheduler or self.scheduler,
            "scheduler_settings": describe_scheduler(self, settings.scheduler),
        }


def find_model(name: str, revision: str | None = None, variant: str | None = None) -> ModelFolder:
    """Resolves ``--model``: a bundled name, a folder, or ``owner/name`` or ``owner/name@revision`` of a hub.

    Args:
        revision: branch, tag or commit of a hub id, if the name does not include it.
        variant: of the weights; None for the plain ones, else for the only one that there is.

    Raises:
        ModelError: nothing by that name; not a diffusers folder; weights missing, cut off or not safetensors; a
            revision of something that has none; no such variant.
    """
    if name in BUNDLED_MODELS:
        hub.refuse_revision(name, revision)
        return _bundled(name, variant)
    if name and is_folder(Path(name)):
        hub.refuse_revision(name, revision)
        return _in_folder(name, Path(name), variant)
    hub_id = _hub_id(name, revision)
    if hub_id is None:
        raise _no_model(name)
    path = _fetch(hub_id, variant)
    return _in_folder(name, path, variant, f"{hub_id.repository}@{path.name}", revision)


def _bundled(name: str, variant: str | None) -> ModelFolder:
    """A model that ships: a whole folder, or an adapter beside a ``dominance.json`` that names its base."""
    own = bundled_folder(name)
    suggested = read_defaults(own)
    base = suggested.pop("base", None)
    if not isinstance(base, str):
        return _in_folder(name, own, variant)
    found = _in_folder(base, bundled_folder(base), variant)
    adapter = OwnAdapter(base, found.identity, find_adapter(Adapter(str(own))))
    both = hashlib.sha256(f"{found.identity} {content_identity(own)}".encode()).hexdigest()
    return replace(found, name=name, identity=f"sha256:{both[:24]}", defaults=suggested, adapter=adapter)


def _in_folder(
    name: str, path: Path, variant: str | None, identity: str | None = None, revision: str | None = None
) -> ModelFolder:
    """A whole pipeline's folder, known by its content where nothing else identifies it."""
    used = check_pipeline_folder(name, path, variant)
    identity = identity or content_identity(path)
    identity = identity if used is None else f"{identity}:{used}"
    return ModelFolder(name, path, identity, read_defaults(path), revision, used, used != variant)


def _fetch(hub_id: hub.HubId, variant: str | None) -> Path:
    """The pipeline's folder, in the only variant that the hub has where there are no plain weights."""
    try:
        return hub.fetch_pipeline(hub_id, variant)
    except ModelError as error:
        listed = [] if variant is not None else hub.variants_at(hub_id)
        if not listed:
            raise
        if len(listed) > 1:
            raise ModelError(f"{error}; its variants are {', '.join(listed)}: choose one with --variant") from None
        return hub.fetch_pipeline(hub_id, listed[0])


def _no_model(name: str) -> ModelError:
    if name and is_file(Path(name)):
        return refuse_file(Path(name))
    return ModelError(
        f"no model {name[:80]!r}; give a bundled one ({', '.join(BUNDLED_MODELS)}), a diffusers folder, or a hub id"
        " such as owner/name"
    )


def find_weights(name: str, what: str, revision: str | None = None) -> ModelFolder:
    """Resolves one model of transformers, such as a judge: a folder, or ``owner/name[@revision]`` of a hub.

    Args:
        name: folder or hub id, without the judge's scheme.
        what: what it is to be, for messages: ``"the judge 'blip:owner/name'"``.
        revision: branch, tag or commit of a hub id, if the name does not include it.

    Raises:
        ModelError: nothing by that name; weights missing, cut off or not safetensors.
    """
    if name and is_folder(Path(name)):
        hub.refuse_revision(name, revision)
        path = Path(name)
        check_weights(path)
        return ModelFolder(name, path, content_identity(path), read_defaults(path))
    hub_id = _hub_id(name, revision)
    if hub_id is None:
        raise ModelError(f"no weights of {what} at {name[:80]!r}; give a folder, or a hub id such as owner/name")
    path = hub.fetch_weights(hub_id, what)
    check_weights(path)
    return ModelFolder(name, path, f"{hub_id.repository}@{path.name}", read_defaults(path))


def _hub_id(name: str, revision: str | None) -> hub.HubId | None:
    """The hub id that a name is, unless something of that name is on disk."""
    hub_id = hub.read_hub_id(name, revision)
    return None if hub_id is None or Path(name).exists() else hub_id


def check_pipeline_folder(name: str, path: Path, variant: str | None = None) -> str | None:
    """The variant of the weights to load from a folder; None for the plain ones.

    Args:
        name: of the model, for messages.
        variant: that is asked for.

    Raises:
        ModelError: the folder holds no diffusers pipeline that draws from text, or not all its weights as safetensors.
    """
    present = components(path)
    check_class(name, path)
    parts = [path / component for component in present if _has_weights(path / component)]
    used = choose_variant(name, parts, variant)
    for part in parts:
        check_weights(part, used)
    check_quantised(name, parts)
    return used


def _has_weights(part: Path) -> bool:
    # What was saved with a config.json is a network; tokenizers and schedulers name theirs otherwise.
    network = (part / "config.json").is_file() and not (part / "tokenizer_config.json").is_file()
    other = any(file.suffix in _OTHER_WEIGHTS for file in part.glob("*"))
    return part.name in _WEIGHTED or network or other


def components(path: Path) -> dict[str, str]:
    """The pipeline's components and the libraries that their classes come from."""
    index = path / "model_index.json"
    if not index.is_file():
        raise refuse_folder(path)
    try:
        listed = json.loads(index.read_text(encoding="utf-8"))
        present = {
            name: str(entry[0])
            for name, entry in listed.items()
            if not name.startswith("_") and isinstance(entry, list) and entry and entry[0]
        }
    except AttributeError:
        raise ModelError(f"{index} is no index of a pipeline; fetch this file again, or correct it") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{index} cannot be read ({complaint(error)}); {remedy_for(error)}") from None
    own = [f"{name}/{library}.py" for name, library in present.items() if (path / name / f"{library}.py").is_file()]
    if own or not isinstance(listed.get("_class_name", ""), str):
        code = own[0] if own else "its own pipeline class"
        raise ModelError(f"{path} contains custom code ({code}), which is never executed; give another model")
    return present


def content_identity(path: Path, suffixes: Collection[str] = _IDENTIFYING) -> str:
    """Hash of a folder's weights and settings, file by file; file names count, dates do not.

    Args:
        suffixes: of the files that count.

    Raises:
        ModelError: a file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for file in sorted(p for p in path.rglob("*") if p.is_file() and p.suffix in suffixes):
            with file.open("rb") as opened:
                digest.update(file.relative_to(path).as_posix().encode())
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError as error:
        file = error.filename or path
        raise ModelError(f"{file} cannot be read ({complaint(error)}); fix its permissions or the disk") from None
    return f"sha256:{digest.hexdigest()[:24]}"


def world_of(defaults: Mapping[str, object]) -> str | None:
    """The closed world of pictures that a model was trained on, by what its folder suggests."""
    world = defaults.get("world", MINIATURE if "concepts" in defaults else None)
    return world if isinstance(world, str) else None


def read_defaults(path: Path) -> dict[str, object]:
    """What a model's or judge's ``dominance.json`` says; empty when there is none."""
    file = path / "dominance.json"
    if not file.is_file():
        return {}
    try:
        defaults = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is not JSON ({complaint(error)}); fix or delete it") from None
    if not isinstance(defaults, dict):
        raise ModelError(f"{file} contains {described(defaults)}, not an object; fix or delete it")
    return defaults
