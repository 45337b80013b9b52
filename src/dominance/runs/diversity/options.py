"""How the diversity of images is measured."""

import math
from dataclasses import dataclass, field

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.models.drawing import Machine
from dominance.seeds import LARGEST_SEED


@Parameter(name="*", group=Group("Measure", sort_key=15))
@dataclass(frozen=True)
class DiversityOptions:
    """How to measure.

    Raises:
        InputError: a value out of its range.
    """

    near_duplicate: float | None = None
    """Cosine similarity from which two images are near duplicates (default: 0.95; 0.99 for the embedder miniature)."""
    token: str | None = None
    """Word or words that captions name the concept by, such as "sks dog"."""
    seed: int = 0
    """Seed for resampling the intervals."""
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        near = self.near_duplicate
        if near is not None and not (math.isfinite(near) and -1 <= near <= 1):
            raise InputError(f"near-duplicate is {near}; give a cosine similarity from -1 to 1")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"seed is {self.seed}; give a whole number from 0")
        self.machine.without_model("dominance diversity")
        self.machine.alone("dominance diversity")
