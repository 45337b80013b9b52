"""How images are drawn and on what: the options that every command shares, written once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter, Token

from dominance.errors import InputError, ModelError
from dominance.models.adapters import read_adapter
from dominance.models.presets import find_preset
from dominance.models.settings import GenerationSettings
from dominance.prompt_syntax import foreign_syntax
from dominance.seeds import check_seeds, parse_seeds, written_seeds
from dominance.written import NAMED, WRITTEN

if TYPE_CHECKING:
    from dominance.models.source import ModelSource

OFFLOADS: tuple[str, ...] = ("none", "model", "sequential")
ENGINES: dict[str, str] = {"local": "processes on this machine", "ray": "a Ray cluster, or Ray on this machine"}
"""Engines, and where each runs."""
STORAGES: tuple[str, ...] = ("sent", "shared")
WORKER_MINUTES: float = 60.0
MOST_AT_ONCE: int = 1024
_PRESET = ("seeds", "steps", "guidance", "height", "width", "scheduler")


def _read_seeds(_type: object, tokens: Sequence[Token]) -> tuple[int, ...]:
    return parse_seeds(tokens[-1].value)


def _read_batch(_type: object, tokens: Sequence[Token]) -> int | None:
    text = tokens[-1].value.strip().lower()
    if text == "auto":
        return None
    if not text.lstrip("-").isdecimal():
        raise InputError(f"--batch is {text[:60]!r}; give a whole number, or auto")
    return int(text)


Seeds = Annotated[tuple[int, ...], Parameter(converter=_read_seeds, n_tokens=1, metavar="N|LIST")]
Adapters = Annotated[tuple[str, ...], Parameter(name="--adapter", metavar="NAME_OR_FILE[:STRENGTH][@START]")]
Batch = Annotated[int, Parameter(converter=_read_batch, n_tokens=1, metavar="N|auto")]
Revision = Annotated[str, Parameter(help="Branch, tag or commit of the model's hub id.")]
Variant = Annotated[
    str,
    Parameter(help="Variant of the model's weights, such as fp16; default: the plain weights, else the only variant."),
]
ModelConfig = Annotated[
    str,
    Parameter(
        help="Diffusers folder whose configuration a single-file model takes; default: its family's, from the hub's"
        " cache."
    ),
]


@Parameter(name="*", group=Group("Drawing", sort_key=20))
@dataclass(frozen=True)
class Drawing:
    """How images are drawn; what is None is left to the preset, if one is named, else to the model's own defaults.

    Raises:
        InputError: no such preset, seeds that cannot be used, or a negative prompt in another program's
            syntax; other values are checked with the model.
    """

    seeds: Seeds | None = field(default=None, metadata={WRITTEN: lambda seeds: written_seeds(tuple(seeds))})
    """Images per prompt (10 means seeds 0 to 9), or a list of seeds: 7,8,9. A prompt's own seeds override it."""
    steps: int | None = None
    """Denoising steps; default: the model's own."""
    guidance: float | None = None
    """Guidance scale; default: the model's own."""
    height: int | None = None
    """Image height in pixels; default: the model's own."""
    width: int | None = None
    """Image width in pixels; default: the model's own."""
    negative_prompt: str | None = None
    """What images should not show. A prompt's own negative prompt overrides it."""
    scheduler: str | None = None
    """Noise scheduler: ddim, euler, a diffusers class, or a sampler of A1111 or ComfyUI; default: the model's own."""
    dtype: str = "float32"
    """Precision: float32, float16 or bfloat16."""
    vae_tiling: bool = False
    """Decode large images tile by tile, in less memory."""
    revision: Revision | None = None
    variant: Variant | None = None
    model_config: ModelConfig | None = None
    adapters: Adapters = field(default=(), metadata={NAMED: "adapter", WRITTEN: lambda listed: list(listed) or None})
    """Repeatable LoRA or embedding: a bundled name, which comes first, a file, folder or hub id; its strength, and the
    share of steps before it acts."""
    preset: str | None = None
    """Settings and seeds of the paper: paper-sd14 or paper-sd21; explicit options override the preset."""

    def __post_init__(self) -> None:
        if self.preset is not None:
            preset = find_preset(self.preset)
            for name in _PRESET:
                if getattr(self, name) is None:
                    object.__setattr__(self, name, getattr(preset, name))
        if self.seeds is not None:
            check_seeds(self.seeds)
        for text in self.adapters:
            read_adapter(text)
        if self.negative_prompt and (foreign := foreign_syntax(self.negative_prompt)):
            raise InputError(f"the negative prompt: {foreign}")

    def settings(self, source: "ModelSource") -> GenerationSettings:
        """The options, completed by what the model suggests, else by its pipeline's defaults.

        Raises:
            ModelError: the model suggests something that is not a number, or is not a text-to-image pipeline.
            InputError: a setting out of range, or a scheduler that the model cannot use.
        """
        asked = {"steps": self.steps, "guidance": self.guidance}
        chosen = {**source.defaults, **{name: value for name, value in asked.items() if value is not None}}
        if not asked.keys() <= chosen.keys():
            chosen = {"steps": 50, "guidance": 7.5, **source.suggested_settings(), **chosen}
        steps, guidance = chosen["steps"], chosen["guidance"]
        if not isinstance(steps, int) or not isinstance(guidance, int | float):
            raise ModelError(
                f"the dominance.json of the model {source.name!r} gives steps {steps!r} and guidance {guidance!r}, not"
                " two numbers; fix it, or give --steps and --guidance"
            )
        scheduler = None
        if self.scheduler is not None:
            from dominance.models.schedulers import find_scheduler

            scheduler = find_scheduler(self.scheduler, source)
        return GenerationSettings(
            steps=steps,
            guidance=float(guidance),
            height=self.height,
            width=self.width,
            negative_prompt=self.negative_prompt,
            dtype=self.dtype,
            scheduler=scheduler,
            vae_tiling=self.vae_tiling,
            adapters=source.added,
        )


@Parameter(name="*", group=Group("Machine", sort_key=50))
@dataclass(frozen=True)
class Machine:
    """Where a command runs, and in what batches. No image depends on it.

    Raises:
        InputError: a value out of its range.
    """

    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    batch: Batch | None = None
    """Images per batch: a number, or auto to fit the model and the memory."""
    offload: str = "none"
    """Move idle parts off the GPU: none, model (by component) or sequential (by layer)."""
    engine: str = "local"
    """Where to run: local, or ray (needs the extra dominance[ray])."""
    workers: int | None = None
    """Processes that draw and judge: one a GPU, or a few on the CPU, which divide its threads; default: the command's
    own process alone, with ray as many as the cluster has room for."""
    address: str | None = None
    """HOST:PORT of a running Ray cluster that this machine belongs to, or auto; default: Ray starts on this machine."""
    storage: str = "sent"
    """How a cluster gets models and gives back images: sent, or shared where every node sees them at the same paths."""
    worker_minutes: float = WORKER_MINUTES
    """Minutes in which a worker must load, or finish a batch; else it is ended, and another does the batch."""

    def __post_init__(self) -> None:
        if not 0 < self.worker_minutes < math.inf:
            raise InputError(f"worker-minutes is {self.worker_minutes:g}; give a number of minutes above 0")
        if self.batch is not None and not 1 <= self.batch <= MOST_AT_ONCE:
            raise InputError(f"batch is {self.batch}; give a whole number from 1 to {MOST_AT_ONCE}")
        if self.workers is not None and not 1 <= self.workers <= MOST_AT_ONCE:
            raise InputError(f"workers is {self.workers}; give a whole number from 1 to {MOST_AT_ONCE}")
        chosen = (
            ("offload", self.offload, OFFLOADS),
            ("engine", self.engine, ENGINES),
            ("storage", self.storage, STORAGES),
        )
        for name, value, known in chosen:
            if value not in known:
                raise InputError(f"no {name} {value[:60]!r}; give one of {', '.join(known)}")
        for name, given in (("address", self.address is not None), ("storage", self.storage != "sent")):
            if given and self.engine != "ray":
                raise InputError(f"{name} is for a cluster; give --engine ray with it, or leave it out")
        if self.worker_minutes != WORKER_MINUTES and not self.shares:
            raise InputError("worker-minutes is for workers; give --workers 2 or more with it, or leave it out")

    @property
    def shares(self) -> bool:
        """Whether other processes than the command's own draw and judge."""
        return self.engine != "local" or (self.workers or 1) > 1

    def by_itself(self) -> "Machine":
        """The same without workers."""
        return replace(self, engine="local", workers=None, address=None, storage="sent", worker_minutes=WORKER_MINUTES)

    def of_worker(self) -> "Machine":
        """The machine as one worker sees it, which has one device of its kind."""
        return replace(self.by_itself(), device=self.device.partition(":")[0])

    def alone(self, command: str) -> "Machine":
        """The machine of a command that does all its work in its own process.

        Raises:
            InputError: there should be workers.
        """
        if self.shares:
            raise InputError(f"{command} works in one process; leave out --workers and --engine")
        return self

    def without_model(self, command: str) -> "Machine":
        """The machine of a command that draws nothing.

        Raises:
            InputError: a model is to be offloaded.
        """
        if self.offload != "none":
            raise InputError(f"{command} draws no images, so there is nothing to offload; leave out --offload")
        return self
