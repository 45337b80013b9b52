"""Options of a sweep: the cells of the grid, what a cell must hold, and how to draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter, Token

from dominance.errors import InputError
from dominance.judges.measuring import Measuring
from dominance.judges.options import Asking
from dominance.models.adapters import read_adapter
from dominance.models.drawing import Drawing, Machine
from dominance.runs.audit.options import Limit, Taught, Words, check_limit
from dominance.seeds import DEFAULT_SEEDS
from dominance.written import WRITTEN

_STRONGEST = 10.0
_MOST_VALUES = 100
_USUAL = tuple(tenth / 10 for tenth in range(0, 13, 2))
_OF_TWO = (0.0, 0.5, 1.0)
_OF_CHECKPOINTS = (0.0, 1.0)


def parse_values(option: str, text: str) -> tuple[float, ...]:
    """Numbers and inclusive ranges FIRST:LAST:STEP, each number once, in the order given.

    Raises:
        InputError: something else, or a range without a number in it.

    >>> parse_values("--strengths", "0:0.6:0.2,1")
    (0.0, 0.2, 0.4, 0.6, 1.0)
    """
    values: list[float] = []
    for part in text.strip().removesuffix(",").split(","):
        numbers = [_number(option, text, piece) for piece in part.split(":")]
        if len(numbers) == 1:
            values += numbers
        elif len(numbers) == 3:
            values += _range(option, *numbers)
        else:
            raise InputError(f"{option} is {text[:60]!r}; write numbers such as 0,0.5,1 or a range such as 0:1.2:0.2")
    found = tuple(dict.fromkeys(values))
    if len(found) > _MOST_VALUES:
        raise InputError(f"{option} gives {len(found)} values; give at most {_MOST_VALUES}")
    return found


def _number(option: str, text: str, piece: str) -> float:
    try:
        value = float(piece)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{option} is {text[:60]!r}; write numbers such as 0,0.5,1 or a range such as 0:1.2:0.2")
    return value


def _range(option: str, first: float, last: float, step: float) -> list[float]:
    """From first to last, both included; of a last that no step reaches, up to it."""
    shown = f"{first:g}:{last:g}:{step:g}"
    if step <= 0:
        raise InputError(f"{option} has the range {shown}, whose step is not above 0; write FIRST:LAST:STEP")
    if last < first:
        raise InputError(f"{option} has the range {shown}, which is empty; write FIRST:LAST:STEP, the smaller first")
    count = math.floor((last - first) / step + 1e-6) + 1
    if count > _MOST_VALUES:
        raise InputError(f"{option} has the range {shown} of {count} values; give at most {_MOST_VALUES}")
    return [round(first + index * step, 9) for index in range(count)]


def _read_values(_type: object, tokens: Sequence[Token]) -> tuple[float, ...]:
    return parse_values(tokens[-1].keyword or "the list", tokens[-1].value)


def _written(values: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in values)


Values = Annotated[tuple[float, ...], Parameter(converter=_read_values, n_tokens=1, metavar="LIST|RANGE")]


@Parameter(name="*", group=Group("Sweep", sort_key=15))
@dataclass(frozen=True)
class SweepOptions:
    """The cells of a sweep, what a recommended one must hold, and how to draw.

    Raises:
        InputError: a value out of its range, or options that exclude each other.
    """

    strengths: Values | None = field(default=None, metadata={WRITTEN: _written})
    """Strengths of the adapter: a list, or a range with both ends, such as 0:1.2:0.2 (default: that; of checkpoints
    0,1; of each of two adapters 0,0.5,1). 0 is the model without it."""
    starts: Values = field(default=(0.0,), metadata={WRITTEN: _written})
    """Shares of the denoising steps after which the adapter starts to act, such as 0,0.2,0.4."""
    checkpoints: Path | None = None
    """Folder of checkpoints, in place of --adapter: each a .safetensors file, a folder with one, or a whole model's
    folder, which has neither strength nor start."""
    min_presence: float | None = None
    """Smallest share of the images of a recommended cell that show every concept beside the taught one, 0 to 1."""
    min_identity: float | None = None
    """Smallest share of the images of a recommended cell that show the taught concept where it is named, 0 to 1."""
    limit: Limit | None = None
    concepts: Words | None = None
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    taught: Taught = field(default_factory=Taught)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_limit(self.limit)
        for name, values, low, high in (
            ("strengths", self.strengths, -_STRONGEST, _STRONGEST),
            ("starts", self.starts, 0.0, 1.0),
        ):
            if values == ():
                raise InputError(f"{name} is empty; give numbers from {low:g} to {high:g}")
            outside = [value for value in values or () if not low <= value <= high]
            if outside:
                raise InputError(f"{name} has {outside[0]:g}; give numbers from {low:g} to {high:g}")
        for name, floor in (("min-presence", self.min_presence), ("min-identity", self.min_identity)):
            if floor is not None and not 0 <= floor <= 1:
                raise InputError(f"{name} is {floor:g}; give a share from 0 to 1")

    def check_adapters(self) -> None:
        """Refuses adapters that no grid can be made of.

        Raises:
            InputError: none or too many of them, or strengths that are given twice.
        """
        adapters = self.drawing.adapters
        if self.checkpoints is not None and adapters:
            raise InputError("--checkpoints and --adapter both name what to sweep; leave one of them out")
        if self.checkpoints is None and not adapters:
            raise InputError("there is no adapter to sweep; give --adapter NAME_OR_FILE, or --checkpoints FOLDER")
        if len(adapters) > 2:
            raise InputError(
                f"--adapter is given {len(adapters)} times; a sweep takes one adapter, or two in one prompt"
            )
        for text in adapters:
            if numbers := read_adapter(text).numbers:
                raise InputError(
                    f"the adapter {text[:80]!r} has the numbers {numbers}; give them as --strengths and --starts"
                )

    @property
    def values(self) -> tuple[float, ...]:
        """The strengths, as given or as usual."""
        if self.strengths is not None:
            return self.strengths
        return (
            _OF_CHECKPOINTS if self.checkpoints is not None else _OF_TWO if len(self.drawing.adapters) > 1 else _USUAL
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every prompt's images: 0 to 9 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS
