"""Options of an explanation: what to draw, and what to record."""

from dataclasses import dataclass, field
from pathlib import Path

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.written import Numbers

DEFAULT_SEEDS: tuple[int, ...] = (0, 1, 2, 3)
MOST_IMAGES: int = 100
"""Per explanation: all of them are in one page."""


@Parameter(name="*", group=Group("Attention", sort_key=15))
@dataclass(frozen=True)
class ExplainOptions:
    """What to record, and how to draw.

    Raises:
        InputError: too many images.
    """

    layers: Numbers | None = None
    """Attention layers to record, such as 7-10 or 2,9, counted from 1 (default: all)."""
    maps_steps: Numbers | None = None
    """Steps to store maps of, such as 0,5,24, counted from 0 (default: the first, a quarter, half and the last)."""
    maps_layers: Numbers | None = None
    """Layers to average maps over (default: those of a middle resolution)."""
    calibration: Path | None = None
    """A file written by `dominance calibrate`, or none for the paper's rule (default: the model's own, if any)."""
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        self.machine.alone("dominance explain")
        if len(self.seeds) > MOST_IMAGES:
            raise InputError(
                f"there are {len(self.seeds)} seeds, but an explanation shows at most {MOST_IMAGES} images; give fewer"
            )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the images: 0 to 3 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS
