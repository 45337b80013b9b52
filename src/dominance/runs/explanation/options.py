"""How a prompt is explained: what is drawn, and what is looked at meanwhile."""

from dataclasses import dataclass, field

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.written import Numbers

DEFAULT_SEEDS: tuple[int, ...] = (0, 1, 2, 3)
MOST_IMAGES: int = 100
"""Of one explanation: all of them lie in one page."""


@Parameter(name="*", group=Group("Attention", sort_key=15))
@dataclass(frozen=True)
class ExplainOptions:
    """What to look at, and how to draw.

    Raises:
        InputError: too many images.
    """

    layers: Numbers | None = None
    """Attention layers to record, such as 7-10 or 2,9, from 1; all unless given."""
    maps_steps: Numbers | None = None
    """Steps to keep maps of, such as 0,5,24, from 0; the first, a quarter, half and the last unless given."""
    maps_layers: Numbers | None = None
    """Layers that maps are averaged over; those of a middle resolution unless given."""
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        if len(self.seeds) > MOST_IMAGES:
            raise InputError(f"{len(self.seeds)} seeds; an explanation shows at most {MOST_IMAGES} images")

    @property
    def seeds(self) -> tuple[int, ...]:
        """One image from each: four, from 0, unless others are given."""
        return self.drawing.seeds or DEFAULT_SEEDS
