"""What a run must know of a model before its weights are loaded: a folder, a single file, or the caller's pipeline."""

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dominance.errors import InputError
from dominance.models.adapted import AdaptedModel
from dominance.models.adapters import find_adapters
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import ModelFolder, find_model
from dominance.models.settings import GenerationSettings
from dominance.models.single_files import find_checkpoint, is_checkpoint

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@runtime_checkable
class ModelSource(Protocol):
    """A model that can be loaded.

    Attributes:
        name: as the user gave it, or what a pipeline of the user's own is called.
        identity: changes whenever an image could.
        defaults: settings that the model suggests, for instance ``steps`` and ``guidance``.
        scheduler: class of its noise scheduler; None where it has none.
        added: the adapters that are added to it, as the settings of a run record them.
        world: name of a closed world of pictures that it was trained on, such as ``miniature``; None for the world.
    """

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def defaults(self) -> dict[str, object]: ...

    @property
    def scheduler(self) -> str | None: ...

    @property
    def world(self) -> str | None: ...

    @property
    def added(self) -> tuple[str, ...]: ...

    @property
    def denoiser(self) -> dict[str, Any]:
        """Settings of its UNet or transformer, the class as ``_class_name``."""
        ...

    def suggested_settings(self) -> dict[str, object]:
        """Steps and guidance that its pipeline's own call has for defaults."""
        ...

    def device(self, machine: Machine) -> "torch.device":
        """Where it draws."""
        ...

    def load(self, settings: GenerationSettings, machine: Machine) -> "DiffusionPipeline":
        """The pipeline, ready to draw with these settings."""
        ...

    def describe(self, settings: GenerationSettings) -> dict[str, object]:
        """For the manifest: all that identifies the model and its noise schedule."""
        ...


def find_base(name: str, drawing: Drawing) -> ModelFolder:
    """The model of that name without adapters: a folder, or a single file with its configuration.

    Raises:
        ModelError: see ``find_model`` and ``find_checkpoint``.
        InputError: a configuration for a model that has its own.
    """
    if is_checkpoint(name):
        return find_checkpoint(name, drawing.model_config, drawing.revision, drawing.variant)
    found = find_model(name, drawing.revision, drawing.variant)
    if drawing.model_config is not None:
        raise InputError(
            f"--model-config is {drawing.model_config[:80]!r}, but the model {name[:80]!r} is no single file and has"
            " its own configuration; leave it out"
        )
    return found


def find_source(model: "str | DiffusionPipeline", drawing: Drawing | None = None) -> ModelSource:
    """The model of that name, or the pipeline itself, in the revision and variant that the options name.

    Raises:
        ModelError: nothing by that name, or weights that cannot be identified.
        InputError: a revision or variant of a pipeline that is already loaded.
    """
    drawing = drawing or Drawing()
    if isinstance(model, str):
        base = find_base(model, drawing)
        return AdaptedModel(base, find_adapters(drawing.adapters)) if drawing.adapters else base
    from dominance.models.own_pipeline import OwnPipeline

    asked = {
        "revision": drawing.revision,
        "variant": drawing.variant,
        "model config": drawing.model_config,
        "adapter": ", ".join(drawing.adapters) or None,
    }
    for option, given in asked.items():
        if given is not None:
            raise InputError(f"{option} is {given[:60]!r}, but your pipeline is already loaded; leave it out")
    return OwnPipeline(model)


def triggers_of(source: ModelSource) -> tuple[str, ...] | None:
    """The trigger words that the files of a model's adapters note; None for a model without adapters."""
    if not isinstance(source, AdaptedModel):
        return None
    noted = (adapter.token or adapter.notes.get("trigger_phrase") for adapter in source.adapters)
    return tuple(str(word) for word in noted if word)
