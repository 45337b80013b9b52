"""Options of an ablation: what to remove, at which steps, and how to draw."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Literal, cast, get_args

from cyclopts import Group, Parameter, Token

from dominance.errors import InputError
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.numbers import plural
from dominance.probes.choices import EDITS, SCALE, Branches, EditKind, Mode, check_edit
from dominance.runs.audit.options import Limit, Words, check_limit
from dominance.seeds import DEFAULT_SEEDS
from dominance.written import WRITTEN, Numbers, check_listed

Sweep = Literal["heads", "multi", "controls", "feed-forward", "residual", "interactions", "sets"]
SWEEPS: tuple[Sweep, ...] = get_args(Sweep)
_ABLATING = ("sweep", "layers", "scale", "mode", "branches", "strongest", "set_heads", "min_collapsed")
"""Options on what to remove, and how; the edit ``rebalance`` does not use them."""

FEWEST_HEADS, MOST_HEADS = 2, 8
"""Heads of which every set is tried: 3 to 255 sets."""
_SET_HEADS = 5

Span = tuple[int, int]
"""First and last denoising step, counted from 0."""


def _read_sweeps(_type: object, tokens: Sequence[Token]) -> tuple[Sweep, ...]:
    listed = tuple(part.strip() for part in tokens[-1].value.split(",") if part.strip())
    if "all" in listed:
        return SWEEPS
    check_listed("sweep", listed, SWEEPS, "all")
    return cast(tuple[Sweep, ...], listed)


def _read_span(_type: object, tokens: Sequence[Token]) -> Span:
    """Steps as on the command line: ``3`` or ``0-4``."""
    text = tokens[-1].value
    first, dash, last = text.strip().partition("-")
    ends = (first.strip(), last.strip() if dash else first.strip())
    if not all(end.isdecimal() and len(end) < 6 for end in ends):
        raise InputError(f"--edit-steps is {text[:60]!r}; give the steps of the edit, such as 0 or 0-4, counted from 0")
    return int(ends[0]), int(ends[1])


@dataclass(frozen=True)
class Window:
    """An interval of denoising steps, counted from 0; ``last`` is included, and None means all steps."""

    first: int
    last: int | None

    @property
    def name(self) -> str:
        """Such as ``5–9``, ``3`` or ``all``."""
        if self.last is None:
            return "all"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    @property
    def steps(self) -> tuple[int, ...] | None:
        """Its steps; None for all."""
        return None if self.last is None else tuple(range(self.first, self.last + 1))


def windows_of(total: int, width: int) -> tuple[Window, ...]:
    """Consecutive intervals of ``width`` steps, the last possibly shorter, and all steps together.

    >>> [window.name for window in windows_of(12, 5)]
    ['0–4', '5–9', '10–11', 'all']
    """
    parts = [Window(first, min(first + width, total) - 1) for first in range(0, total, width)]
    return (*parts, Window(0, None))


@dataclass(frozen=True)
class How:
    """How parts are removed, whichever they are."""

    window: Window = Window(0, 0)
    scale: float = SCALE
    mode: Mode = "scale"
    branches: Branches = "both"


@Parameter(name="*", group=Group("Edit", sort_key=15))
@dataclass(frozen=True)
class AblationOptions:
    """What to remove, when, and how to draw.

    Raises:
        InputError: a value out of its range, or two options that exclude each other.
    """

    edit: EditKind = "ablate"
    """ablate, or rebalance: equal attention to all concepts of the prompt."""
    sweep: Annotated[tuple[Sweep, ...], Parameter(converter=_read_sweeps, n_tokens=1, metavar="NAMES")] = ("heads",)
    """heads, multi, controls, feed-forward, residual, interactions, sets, several of them, or all. The sweeps multi,
    controls, interactions and sets build on single heads, and try those first."""
    layers: Numbers | None = None
    """Attention layers, or residual branches, such as 9,10 or 1-16 (default: all). Controls are in layer 1."""
    edit_steps: Annotated[Span, Parameter(converter=_read_span, n_tokens=1, metavar="N|N-M")] | None = field(
        default=None, metadata={WRITTEN: lambda span: "-".join(map(str, span))}
    )
    """Steps in which to edit, such as 0-4 or 0, counted from 0 (default: 0 for ablate, all for rebalance)."""
    intervals: int | None = None
    """Try consecutive intervals of this many steps, and all steps together."""
    scale: float = SCALE
    """Factor for a head's logits, or another part's output."""
    mode: Mode = "scale"
    """scale, or zero to replace the output by zeros."""
    branches: Branches = "both"
    """Branches of the guidance to edit: both, or the conditional one."""
    strongest: int = 8
    """Number of heads to compute interactions for."""
    set_heads: int | None = None
    """Number of heads of which sets tries every set, 2 to 8: 5 have 31 (default: 5, or all where there are fewer)."""
    min_collapsed: int = 1
    """Edit only prompts with at least this many collapsed images."""
    limit: Limit | None = None
    concepts: Words | None = None
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_limit(self.limit)
        if self.edit not in EDITS:
            raise InputError(f"the edit {self.edit[:60]!r} does not exist; give one of {', '.join(EDITS)}")
        check_listed("sweep", self.sweep, SWEEPS, "all")
        check_edit(self.scale, self.mode, self.branches)
        if self.edit_steps is not None and self.intervals is not None:
            raise InputError("edit-steps and intervals both say when to edit; give only one of them")
        if self.edit_steps is not None and not 0 <= self.edit_steps[0] <= self.edit_steps[1]:
            first, last = self.edit_steps
            raise InputError(
                f"the edit's steps are {first} to {last}; give the first and the last step, counted from 0"
            )
        for name, value, least in (
            ("intervals", self.intervals, 1),
            ("strongest", self.strongest, 2),
            ("min-collapsed", self.min_collapsed, 1),
        ):
            if value is not None and value < least:
                raise InputError(f"{name} is {value}; give a whole number from {least}")
        if self.set_heads is not None and not FEWEST_HEADS <= self.set_heads <= MOST_HEADS:
            many = f", of which there are {2**self.set_heads - 1} sets" if MOST_HEADS < self.set_heads <= 64 else ""
            raise InputError(
                f"set-heads is {self.set_heads}{many}; give a whole number from {FEWEST_HEADS} to {MOST_HEADS}"
            )
        if self.edit == "rebalance":
            self._refuse_ablating()

    def _refuse_ablating(self) -> None:
        for option in fields(self):
            if option.name in _ABLATING and getattr(self, option.name) != option.default:
                raise InputError(
                    f"rebalance makes attention to all concepts equal in all layers and does not use"
                    f" {option.name.replace('_', '-')}; leave it out, or give the edit ablate"
                )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every prompt's images: 0 to 9 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS

    def heads_in_sets(self, heads: int) -> int:
        """Of so many heads, the number of which every set is tried.

        Raises:
            InputError: there are fewer than were asked for, or fewer than two.
        """
        wanted = min(_SET_HEADS, heads) if self.set_heads is None else self.set_heads
        if heads < max(wanted, FEWEST_HEADS):
            raise InputError(
                f"set-heads is {wanted}, but the layers have {plural(heads, 'head')}; give more --layers"
                f"{', or fewer heads' if wanted > FEWEST_HEADS and heads >= FEWEST_HEADS else ''}"
            )
        return wanted

    def how(self, window: Window) -> How:
        """How parts are removed in an interval of steps."""
        return How(window, self.scale, self.mode, self.branches)

    def record(self) -> dict[str, object]:
        """The manifest's entries on the edit."""
        record: dict[str, object] = {"edit": self.edit, "edit_steps": self.edit_steps, "intervals": self.intervals}
        if self.edit == "rebalance":
            return record
        record |= {"scale": self.scale, "mode": self.mode, "branches": self.branches}
        record |= {"sweeps": list(self.sweep), "layers": self.layers}
        record |= {"strongest": self.strongest, "min_collapsed": self.min_collapsed}
        return record | ({"set_heads": self.set_heads} if "sets" in self.sweep else {})

    def windows(self, total: int) -> tuple[Window, ...]:
        """The intervals of steps to try.

        Args:
            total: steps of the generation.

        Raises:
            InputError: the intervals lie beyond the generation.
        """
        if self.intervals is not None:
            return windows_of(total, self.intervals)
        if self.edit_steps is None:
            return (Window(0, None if self.edit == "rebalance" else 0),)
        if self.edit_steps[1] >= total:
            last = self.edit_steps[1]
            raise InputError(
                f"the edit lasts until step {last}, but there are only {total} steps; give steps from 0 to {total - 1}"
            )
        return (Window(*self.edit_steps),)
