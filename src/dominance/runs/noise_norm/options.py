"""How the noise norm is measured."""

from dataclasses import dataclass, field

from cyclopts import Parameter

from dominance.models.drawing import Drawing, Machine
from dominance.runs.audit.options import WHAT, Limit, Words, check_limit

DEFAULT_SEEDS: tuple[int, ...] = (0, 1, 2, 3)


@Parameter(name="*", group=WHAT)
@dataclass(frozen=True)
class NoiseNormOptions:
    """How to denoise.

    Raises:
        InputError: a value out of its range.
    """

    limit: Limit | None = None
    concepts: Words | None = None
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_limit(self.limit)
        self.machine.alone("dominance memorization")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds that each prompt is denoised from: 0 to 3 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS
