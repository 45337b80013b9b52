"""How a suite is ablated: what is taken away, at which steps, and how the pictures are drawn."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from dominance.errors import InputError
from dominance.probes.ablation import SCALE, Ablation, Branches, Mode
from dominance.runs.ablation.variants import SWEEPS, How, Sweep, Window, windows_of
from dominance.runs.audit.run import AuditOptions
from dominance.seeds import DEFAULT_SEEDS

EditKind = Literal["ablate", "rebalance"]
EDITS: tuple[EditKind, ...] = ("ablate", "rebalance")
_ABLATING = ("sweeps", "layers", "scale", "mode", "branches", "strongest", "min_collapsed")
"""Options that say what is taken away, and how; the edit ``rebalance`` has no use for them."""


@dataclass(frozen=True)
class AblationOptions:
    """What to take away, when, and how to draw; what is None is left to the model's own defaults.

    Attributes:
        edit: ``ablate``, or ``rebalance`` to equalise the concepts' attention instead.
        sweeps: of the ablation; ``multi``, ``controls`` and ``interactions`` try single heads first, because they
            build on what those do.
        layers: attention layers whose heads and feed-forward networks are swept, and numbers of residual branches;
            None for all. Controls are taken from layer 1 whatever is given.
        steps: first and last step in which the edit is in force, counted from 0; None for the first step of an
            ablation and all steps of a rebalancing.
        intervals: try intervals of so many steps one after another, and all steps together, instead of ``steps``.
        scale, mode, branches: as in ``probes.ablation.Ablation``.
        strongest: how many heads interactions are computed among.
        min_collapsed: only prompts with so many collapsed images are edited.
        seeds, guidance, height, width, dtype, limit, batch, device, offload, questions: as in ``AuditOptions``.
        denoising_steps: of the whole generation.
    """

    edit: EditKind = "ablate"
    sweeps: tuple[Sweep, ...] = ("heads",)
    layers: tuple[int, ...] | None = None
    steps: tuple[int, int] | None = None
    intervals: int | None = None
    scale: float = SCALE
    mode: Mode = "scale"
    branches: Branches = "both"
    strongest: int = 8
    min_collapsed: int = 1
    seeds: tuple[int, ...] = DEFAULT_SEEDS
    denoising_steps: int | None = None
    guidance: float | None = None
    height: int | None = None
    width: int | None = None
    dtype: str = "float32"
    limit: int | None = None
    batch: int | None = None
    device: str = "auto"
    offload: str = "none"
    questions: Path | None = None
    audit: AuditOptions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.edit not in EDITS:
            raise InputError(f"no edit {self.edit[:60]!r}; give one of {', '.join(EDITS)}")
        for sweep in self.sweeps:
            if sweep not in SWEEPS:
                raise InputError(f"no sweep {sweep[:60]!r}; give one of {', '.join(SWEEPS)}, or all")
        if not self.sweeps:
            raise InputError(f"no sweep is given; give some of {', '.join(SWEEPS)}")
        if self.steps is not None and self.intervals is not None:
            raise InputError("steps and intervals both say when the edit is in force; give one of them")
        if self.steps is not None and not 0 <= self.steps[0] <= self.steps[1]:
            raise InputError(f"the steps are {self.steps[0]} to {self.steps[1]}; give a first and a last one, from 0")
        for name, value, least in (
            ("intervals", self.intervals, 1),
            ("strongest", self.strongest, 2),
            ("min_collapsed", self.min_collapsed, 1),
        ):
            if value is not None and value < least:
                raise InputError(f"{name} is {value}; give a whole number from {least}")
        if self.edit == "rebalance":
            for option in fields(self):
                if option.name in _ABLATING and getattr(self, option.name) != option.default:
                    raise InputError(
                        f"rebalance makes the attention of all concepts equal in all layers and takes no {option.name};"
                        " leave it away, or give the edit ablate"
                    )
        Ablation(scale=self.scale, mode=self.mode, branches=self.branches)
        drawn = AuditOptions(
            seeds=self.seeds,
            steps=self.denoising_steps,
            guidance=self.guidance,
            height=self.height,
            width=self.width,
            dtype=self.dtype,
            limit=self.limit,
            batch=self.batch,
            device=self.device,
            offload=self.offload,
            questions=self.questions,
        )
        object.__setattr__(self, "audit", drawn)

    def how(self, window: Window) -> How:
        """How parts are taken away in an interval of steps."""
        return How(window, self.scale, self.mode, self.branches)

    def record(self) -> dict[str, object]:
        """How the model is edited, as the manifest shows it."""
        record: dict[str, object] = {"edit": self.edit, "edit_steps": self.steps, "intervals": self.intervals}
        if self.edit == "rebalance":
            return record
        record |= {"scale": self.scale, "mode": self.mode, "branches": self.branches}
        record |= {"sweeps": list(self.sweeps), "layers": self.layers}
        return record | {"strongest": self.strongest, "min_collapsed": self.min_collapsed}

    def windows(self, total: int) -> tuple[Window, ...]:
        """The intervals of steps to try.

        Args:
            total: steps of the whole generation.

        Raises:
            InputError: they lie beyond the generation.
        """
        if self.intervals is not None:
            return windows_of(total, self.intervals)
        if self.steps is None:
            return (Window(0, None if self.edit == "rebalance" else 0),)
        if self.steps[1] >= total:
            raise InputError(f"the edit is to last to step {self.steps[1]}, but there are {total}: 0 to {total - 1}")
        return (Window(*self.steps),)
