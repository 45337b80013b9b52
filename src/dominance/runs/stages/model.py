"""The model of a run: identified at once, loaded when first needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dominance.errors import ItemError
from dominance.guidance.plan import Conditions
from dominance.guidance.registry import Method
from dominance.models.drawing import Drawing, Machine
from dominance.models.on_demand import OnDemand
from dominance.models.settings import GenerationSettings
from dominance.models.source import ModelSource, find_source
from dominance.progress import say
from dominance.records import Prompt
from dominance.runs.engines.choice import crew_of
from dominance.runs.engines.crew import Crew
from dominance.runs.engines.work import Work, sendable
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.conditions import conditions_of
from dominance.runs.stages.drawing import Alike, Draws, DrawsPlanned, Elsewhere
from dominance.runs.stages.elsewhere import Drawer, DrawingWork
from dominance.runs.stages.localisation import known_layers, layers_of
from dominance.runs.stages.methods import left_open, method_of
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


@dataclass(frozen=True)
class PlainDrawer:
    """Draws as the run's model does, under its method, if any."""

    model: "RunModel"

    def __call__(self) -> DrawsPlanned:
        return Alike(self.model.draws_here())


def _nothing_more(model: "PipelineModel", settings: GenerationSettings) -> None:
    """The usual further check."""


class RunModel:
    """A model with the settings of a run; calling it returns the loaded model.

    Loading refuses settings that the model does not support.

    Attributes:
        source: name, identity and description of the model.
        settings: of the images, unless a prompt has its own.
        crew: the workers that draw and judge; None where this process does.

    Args:
        model: a name, the caller's own pipeline, or the source of either.
        prompts: to draw; those that the text encoder does not read as a whole are in ``texts``.
        check: a further check of the loaded model.
        method: how to steer the drawing; see ``guidance.registry``. What it looks at is left open where that is not
            known, until ``localise``.
        crew: of another model of the same run; by default the machine's own.

    Raises:
        InputError, ModelError: the model does not exist, a setting cannot be used, or the caller's own pipeline
            cannot be sent to workers.
    """

    def __init__(
        self,
        model: "str | DiffusionPipeline | ModelSource",
        drawing: Drawing,
        machine: Machine,
        prompts: Sequence[Prompt] = (),
        check: Callable[["PipelineModel", GenerationSettings], None] = _nothing_more,
        method: str = "none",
        crew: Crew | None = None,
    ) -> None:
        self.source = model if isinstance(model, ModelSource) else find_source(model, drawing)
        self.settings = drawing.settings(self.source)
        self._drawing, self._machine, self._prompts, self._check = drawing, machine, prompts, check
        self._loaded = OnDemand(self._load)
        self._batches: BatchSize | None = None
        self._texts: Texts | None = None
        self.crew = crew or crew_of(machine)
        self._reads_only = False  # whether workers draw, and this process only reads texts
        self._method_name, self.method = method, self.known(method)
        if self.crew is not None and not isinstance(model, str | ModelSource):
            sendable(self, self.source.name)

    def __getstate__(self) -> dict[str, object]:
        """Without weights and workers: whoever is sent it loads the model on a device of its own."""
        unloaded = {
            "_loaded": None,
            "_batches": None,
            "_texts": None,
            "crew": None,
            "_check": _nothing_more,
            "_reads_only": False,
        }
        return {**self.__dict__, **unloaded, "_machine": self._machine.of_worker()}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._loaded = OnDemand(self._load)

    def __call__(self) -> "PipelineModel":
        return self._loaded()

    def another(self, source: ModelSource) -> "RunModel":
        """Another model, drawn with in the same way."""
        return RunModel(source, self._drawing, self._machine, self._prompts, self._check, crew=self.crew)

    def known(self, method: str) -> Method | None:
        """A method for this model as far as that is known: its layers are left open where nothing has found them.

        Raises:
            InputError, ModelError: as ``method_of``.
        """
        return method_of(method, lambda: known_layers(self.source))

    def localise(self, judge: OnDemand) -> bool:
        """Finds the layers that the run's method looks at, where they are not known; whether there was need.

        What a method looks at is part of what its images are known by, so they are planned anew. It is done last:
        it loads the model, draws, and keeps what it found.

        Args:
            judge: makes room.

        Raises:
            InputError: of every prompt, a concept is cut off.
            ModelError: no layer shows where concepts lie.
        """
        if not left_open(self.method):
            return False
        self.make_room(judge)
        self.texts()
        self.method = self.ready(self._method_name)
        return True

    def ready(self, method: str) -> Method | None:
        """A method for this model, which is loaded where its localisation is needed and not known.

        Raises:
            InputError, ModelError: as ``method_of``.
        """
        return method_of(method, self._layers)

    def draws(self) -> Draws | Elsewhere:
        """What draws plain images: the loaded model, steered by the method, if any; or the workers, each with its own.

        It is for ``make_images``.
        """
        return self.draws_here() if self.crew is None else self.by_workers(self.crew, DrawingWork(PlainDrawer(self)))

    def draws_by(self, drawer: Drawer, here: Callable[[], DrawsPlanned] | None = None) -> DrawsPlanned | Elsewhere:
        """The same for images that something else than the model alone draws, for ``make_planned``.

        Args:
            drawer: is sent to workers, if there are any.
            here: gives what draws in this process; the drawer itself by default.
        """
        return (here or drawer)() if self.crew is None else self.by_workers(self.crew, DrawingWork(drawer))

    def by_workers(self, crew: Crew, work: Work) -> Elsewhere:
        """Workers that do this with a model of their own each; on a GPU, this process lets go of its own for them."""
        self.batches()  # read off the model, which then makes room for the workers' own
        on_cpu = self.source.device(self._machine).type == "cpu"
        if not (on_cpu or self._reads_only or self._is_own):
            self._loaded.set_aside()
            self._reads_only = True
        return Elsewhere(crew, work)

    def draws_here(self) -> Draws:
        """The loaded model in this process."""
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
        """Releases the weights until the model is needed again, those of workers, too."""
        self._loaded.set_aside()
        if self.crew is not None:
            self.crew.forget()

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

    @property
    def conditions(self) -> Conditions:
        """What methods meet in its drawing; the model is not loaded for it."""
        return conditions_of(self.source.denoiser, self.settings)

    def manifest(self) -> dict[str, object]:
        """The manifest's entries on model and device."""
        return {"model": self.source.describe(self.settings), "device": str(self.source.device(self._machine))}

    @property
    def _is_own(self) -> bool:
        """Whether the caller has loaded it."""
        from dominance.models.own_pipeline import OwnPipeline

        return isinstance(self.source, OwnPipeline)

    def _layers(self) -> tuple[int, ...]:
        return layers_of(self.source, self.settings, lambda: self().pipeline)

    def _load(self) -> "PipelineModel":
        from dominance.models.image_model import PipelineModel

        if not self._is_own:  # the caller's own is there already
            say(f"loading the model {on_one_line(self.source.name, 120)}")
        machine = replace(self._machine, device="cpu", offload="none") if self._reads_only else self._machine
        model = PipelineModel(self.source.load(self.settings, machine))
        for prompt in self._prompts or [None]:
            model.check(self.settings if prompt is None else self.settings.of(prompt))
        self._check(model, self.settings)
        return model
