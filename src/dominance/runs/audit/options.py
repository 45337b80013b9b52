"""How an audit is run: what is drawn, on what, and who judges it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dominance.errors import InputError
from dominance.models.settings import Thrift
from dominance.records import Gate, Prompt
from dominance.runs.audit.presets import find_preset
from dominance.runs.stages.batches import MOST_AT_ONCE
from dominance.seeds import DEFAULT_SEEDS, check_seeds

ENGINES: tuple[str, ...] = ("local",)
METHODS: tuple[str, ...] = ("none",)
JUDGE_MODES: tuple[str, ...] = ("fast", "official")
_PRESET = ("steps", "guidance", "height", "width", "scheduler")
_UNSET: tuple[int, ...] = (-1,)
"""Stands for seeds that nobody gave, told apart by its identity."""


@dataclass(frozen=True)
class AuditOptions:
    """How to audit; what is None is left to the preset, if one is named, else to the model's own defaults.

    Attributes:
        seeds: one image a prompt is made from each; 0 to 9 unless given.
        scheduler: in the place of the model's own, such as ``ddim``, ``dpm++`` or a diffusers class.
        limit: only the suite's first so many prompts.
        batch: images generated at once; None starts from what suits the size of the latents and grows on a GPU with
            room. Whatever it is, it is halved when memory runs out.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        offload: as in ``models.settings.Thrift``.
        vae_tiling: as in ``GenerationSettings``.
        revision: branch, tag or commit of the model's hub id.
        preset: ``paper-sd14`` or ``paper-sd21``; fills in the seeds and settings that are not given.
        judge_mode: ``fast``, or ``official`` for the release's protocol, one call a question.
        gate: replaces the suite's own.
        questions: a YAML file that replaces the project's questions.
    """

    seeds: tuple[int, ...] = _UNSET
    steps: int | None = None
    guidance: float | None = None
    height: int | None = None
    width: int | None = None
    dtype: str = "float32"
    limit: int | None = None
    batch: int | None = None
    device: str = "auto"
    engine: str = "local"
    method: str = "none"
    gate: Gate | None = None
    questions: Path | None = None
    scheduler: str | None = None
    offload: str = "none"
    vae_tiling: bool = False
    revision: str | None = None
    preset: str | None = None
    judge_mode: str = "fast"

    def __post_init__(self) -> None:
        preset = None if self.preset is None else find_preset(self.preset)
        if self.seeds is _UNSET:
            object.__setattr__(self, "seeds", DEFAULT_SEEDS if preset is None else preset.seeds)
        for name in _PRESET if preset is not None else ():
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(preset, name))
        check_seeds(self.seeds)
        for name, value, most in (("limit", self.limit, 10**6), ("batch", self.batch, MOST_AT_ONCE)):
            if value is not None and not 1 <= value <= most:
                raise InputError(f"{name} is {value}; give a whole number from 1 to {most}")
        for name, value, known in (
            ("engine", self.engine, ENGINES),
            ("method", self.method, METHODS),
            ("judge mode", self.judge_mode, JUDGE_MODES),
        ):
            if value not in known:
                raise InputError(f"no {name} {value[:60]!r}; give one of {', '.join(known)}")
        self.thrift()

    def thrift(self) -> Thrift:
        """What is given up in speed to save memory, checked."""
        return Thrift(self.offload, self.vae_tiling)


def check_gate(gate: Gate, prompts: Sequence[Prompt] = ()) -> None:
    """Raises an InputError unless every limit is a share from 0 to 1, and one of them says what an image must show.

    Args:
        prompts: that the gate is for; where all of them name one concept, a limit on collapse says nothing.
    """
    for name, share in asdict(gate).items():
        if share is not None and not 0 <= share <= 1:
            raise InputError(f"the gate's {name.replace('_', '-')} is {share}; give a share from 0 to 1")
    if gate.max_collapse is None and gate.min_presence is None:
        raise InputError(
            "the gate limits only unscored images, so any picture would pass; give max-collapse or min-presence"
        )
    if prompts and gate.min_presence is None and all(len(prompt.concepts) == 1 for prompt in prompts):
        raise InputError(
            "the gate's max-collapse alone lets any picture pass here: every prompt names one concept, and one concept"
            " cannot collapse; give min-presence"
        )
