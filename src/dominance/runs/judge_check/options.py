"""How a judge is checked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.options import JUDGE, Asking, check_mode
from dominance.models.drawing import Machine
from dominance.runs.audit.options import Words

Halves = Literal["dev", "kept", "both"]


@Parameter(name="*", group=Group("Check", sort_key=15))
@dataclass(frozen=True)
class JudgeCheckOptions:
    """How a judge is checked.

    Raises:
        InputError: a value out of its range.
    """

    each: int = 48
    """Control images of each kind."""
    half: Halves = "kept"
    """Which of the labelled pictures, where no images are given: dev, kept or both. Choose the settings of a judge by
    dev, and test it by kept. The bundled judge has learned from dev: only kept tests it."""
    limit: int | None = None
    """At most this many unaltered images, spread over the prompts; default: 120, or all of the labelled pictures, or 24
    of these for a judge that was not made for them, as each is asked about 14 concepts."""
    seed: int = 0
    """Seed for choosing images, drawing controls, and assigning questions."""
    concepts: Words | None = None
    against_mode: Annotated[str | None, Parameter(group=JUDGE)] = None
    """Mode of the second judge (default: fast). Without --against, the first judge is compared with itself in this
    mode."""
    labels: Path | None = None
    """CSV or JSONL with the truth: prompt_id, image, concept, present; same format as answers:FILE."""
    asking: Asking = field(default_factory=Asking)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_mode(self.against_mode or "fast")
        self.machine.without_model("dominance judge check")
        self.machine.alone("dominance judge check")
        for name, value, least, most in (
            ("each", self.each, 1, 10_000), ("limit", self.limit, 1, 100_000), ("seed", self.seed, 0, 2**31),
        ):  # fmt: skip
            if value is not None and not least <= value <= most:
                raise InputError(f"{name} is {value}; give a whole number from {least} to {most}")
