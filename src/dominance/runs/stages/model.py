"""The model of a run: identified at once, loaded when first needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dominance.errors import ItemError
from dominance.guidance.registry import Method
from dominance.models.drawing import Drawing, Machine
from dominance.models.on_demand import OnDemand
from dominance.models.settings import GenerationSettings
from dominance.models.source import ModelSource, find_source
from dominance.progress import say
from dominance.records import Prompt
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import Draws
from dominance.runs.stages.localisation import layers_of
from dominance.runs.stages.methods import method_of
from dominance.runs.stages.texts import Texts, read_texts
from dominance.wording import on_one_line

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
        self,
        texts: Sequence[str],
        seeds: Sequence[int],
        settings: GenerationSettings,
        watch: Callable[..., dict[str, Any]] | None = None,
    ) -> "list[Image.Image | ItemError]":
        """As ``PipelineModel.generate``."""
        with self.method.steer(self.model.pipeline, [self.prompts[text] for text in texts]):
            return self.model.generate(texts, seeds, settings, **({} if watch is None else {"watch": watch}))


class RunModel:
    """A model with the settings of a run; calling it returns the loaded model.

    Loading refuses settings that the model does not support.

    Attributes:
        source: name, identity and description of the model.
        settings: of the images, unless a prompt has its own.

    Args:
        model: a name, the caller's own pipeline, or the source of either.
        prompts: to draw; those that the text encoder does not read as a whole are in ``texts``.
        check: a further check of the loaded model.
        method: how to steer the drawing; see ``guidance.registry``.

    Raises:
        InputError, ModelError: the model does not exist, or a setting cannot be used.
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
        self.source = model if isinstance(model, ModelSource) else find_source(model, drawing)
        self.settings = drawing.settings(self.source)
        self._drawing, self._machine, self._prompts, self._check = drawing, machine, prompts, check
        self._loaded = OnDemand(self._load)
        self._batches: BatchSize | None = None
        self._texts: Texts | None = None
        # Decided at once: what a method looks at is part of what its images are known by.
        self.method = self.ready(method)

    def __call__(self) -> "PipelineModel":
        return self._loaded()

    def another(self, source: ModelSource) -> "RunModel":
        """Another model, drawn with in the same way."""
        return RunModel(source, self._drawing, self._machine, self._prompts, self._check)

    def ready(self, method: str) -> Method | None:
        """A method for this model, which is loaded where its localisation is needed and not known.

        Raises:
            InputError, ModelError: as ``method_of``.
        """
        return method_of(method, self._layers)

    def draws(self) -> Draws:
        """The loaded model, steered by the method, if any."""
        if self.method is None:
            return self()
        return Steered(self(), self.method, {prompt.text: prompt for prompt in self._prompts})

    def texts(self, prompts: Sequence[Prompt] | None = None) -> Texts:
        """What the model reads of the prompts, by default of all that it was given; loads it.

        Raises:
            InputError: of every prompt, a concept is cut off.
        """
        if prompts is not None:
            return read_texts(self(), self.source, prompts)
        if self._texts is None:
            self._texts = read_texts(self(), self.source, self._prompts)
            self._texts.refuse_if_none(self.source.name)
        return self._texts

    def set_aside(self) -> None:
        """Releases the weights until the model is needed again."""
        self._loaded.set_aside()

    def make_room(self, judge: OnDemand) -> None:
        """Releases the judge if the model is to be loaded onto the GPU."""
        if self.source.device(self._machine).type == "cuda":
            judge.set_aside()

    def batches(self) -> BatchSize:
        """The batch size: as given, else by the size of the latents, growing while the GPU has room."""
        if self._batches is None:
            from dominance.models.memory import GpuRoom

            batch = self._machine.batch
            room = GpuRoom(self.source.device(self._machine))
            self._batches = BatchSize(batch) if batch else BatchSize(self().fitting_batch(self.settings), room)
        return self._batches

    @property
    def machine(self) -> Machine:
        """Where it draws, as it was asked for."""
        return self._machine

    @property
    def device(self) -> str:
        """The device that was asked for."""
        return self._machine.device

    def manifest(self) -> dict[str, object]:
        """The manifest's entries on model and device."""
        return {"model": self.source.describe(self.settings), "device": str(self.source.device(self._machine))}

    def _layers(self) -> tuple[int, ...]:
        return layers_of(self.source, self.settings, lambda: self().pipeline)

    def _load(self) -> "PipelineModel":
        from dominance.models.image_model import PipelineModel
        from dominance.models.own_pipeline import OwnPipeline

        if not isinstance(self.source, OwnPipeline):  # the caller's own is there already
            say(f"loading the model {on_one_line(self.source.name, 120)}")
        model = PipelineModel(self.source.load(self.settings, self._machine))
        for prompt in self._prompts or [None]:
            model.check(self.settings if prompt is None else self.settings.of(prompt))
        self._check(model, self.settings)
        return model
