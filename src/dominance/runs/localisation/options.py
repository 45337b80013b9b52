"""Options of localising."""

from dataclasses import dataclass, field

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.models.drawing import Drawing, Machine
from dominance.seeds import LARGEST_SEED


@Parameter(name="*", group=Group("Localising", sort_key=15))
@dataclass(frozen=True)
class LocaliseOptions:
    """How to find the layers.

    Raises:
        InputError: a value out of its range.
    """

    seed: int = 0
    """Seed of the model's own pictures and of the noise on them."""
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        self.machine.alone("dominance localise")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"seed is {self.seed}; give a whole number from 0")
        if self.drawing.seeds is not None:
            raise InputError("localising draws one picture of each of its own nouns; give --seed in place of --seeds")
        unused = {name: getattr(self.drawing, name) for name in ("height", "width", "negative_prompt")}
        if given := [f"--{name.replace('_', '-')}" for name, value in unused.items() if value is not None]:
            raise InputError(
                f"localising draws pictures of its own, of the model's own size; leave out {' and '.join(given)}"
            )
