"""The model of a run: known at once, and loaded when something is first missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dominance.errors import InputError, ItemError
from dominance.guidance.registry import Method, find_method
from dominance.models.drawing import Drawing, Machine
from dominance.models.on_demand import OnDemand
from dominance.models.settings import GenerationSettings
from dominance.models.source import ModelSource, find_source
from dominance.records import Prompt
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import Draws

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from PIL import Image

    from dominance.models.image_model import PipelineModel


@dataclass(frozen=True)
class Steered:
    """A model that draws under a method.

    Attributes:
        prompts: by their texts.
    """

    model: "PipelineModel"
    method: Method
    prompts: Mapping[str, Prompt]

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings
    ) -> "list[Image.Image | ItemError]":
        """As ``PipelineModel.generate``."""
        with self.method.steer(self.model.pipeline, [self.prompts[text] for text in texts]):
            return self.model.generate(texts, seeds, settings)


class RunModel:
    """A model under the settings of a run; called, gives the loaded model.

    Loading refuses settings and prompts that the model cannot follow.

    Attributes:
        source: name, identity and description of the model.
        settings: of the images, as far as prompts do not bring their own.

    Args:
        model: a name, the caller's own pipeline, or the source of either.
        prompts: whose concepts the text encoder must read whole.
        check: a further check of the loaded model.
        method: that steers the drawing; see ``guidance.registry``.

    Raises:
        InputError, ModelError: no such model, or a setting that cannot be used.
    """

    def __init__(
        self,
        model: "str | DiffusionPipeline | ModelSource",
        drawing: Drawing,
        machine: Machine,
        prompts: Sequence[Prompt] = (),
        check: Callable[["PipelineModel", GenerationSettings], None] = lambda *_: None,
        method: str = "none",
    ) -> None:
        self.source = model if isinstance(model, ModelSource) else find_source(model, drawing.revision)
        self.settings = drawing.settings(self.source)
        self.method = find_method(method)
        self._machine, self._prompts, self._check = machine, prompts, check
        self._loaded = OnDemand(self._load)
        self._batches: BatchSize | None = None

    def __call__(self) -> "PipelineModel":
        return self._loaded()

    def draws(self) -> Draws:
        """The loaded model, steered where a method is asked for."""
        if self.method is None:
            return self()
        return Steered(self(), self.method, {prompt.text: prompt for prompt in self._prompts})

    def set_aside(self) -> None:
        """Lets go of the weights until the model is asked for again."""
        self._loaded.set_aside()

    def make_room(self, judge: OnDemand) -> None:
        """Lets go of the judge where it would take memory of the GPU that the model is to be loaded onto."""
        if self.source.device(self._machine).type == "cuda":
            judge.set_aside()

    def batches(self) -> BatchSize:
        """How many images at once: as asked, else what suits the latents, growing while the GPU has room."""
        if self._batches is None:
            from dominance.models.memory import GpuRoom

            batch = self._machine.batch
            room = GpuRoom(self.source.device(self._machine))
            self._batches = BatchSize(batch) if batch else BatchSize(self().fitting_batch(self.settings), room)
        return self._batches

    def manifest(self) -> dict[str, object]:
        """What the manifest says of the model and the device."""
        return {"model": self.source.describe(self.settings), "device": str(self.source.device(self._machine))}

    def _load(self) -> "PipelineModel":
        from dominance.models.image_model import PipelineModel

        model = PipelineModel(self.source.load(self.settings, self._machine))
        for prompt in self._prompts or [None]:
            model.check(self.settings if prompt is None else self.settings.of(prompt))
        for prompt, concept, limit in model.cut_concepts(self._prompts):
            raise InputError(
                f"prompt {prompt.id!r} is longer than the {limit} tokens that {self.source.name!r} reads, and its"
                f" concept {concept!r} lies beyond them; shorten the prompt"
            )
        self._check(model, self.settings)
        return model
