"""Options of generating usable images: how many, by which methods, and what it may take."""

from dataclasses import dataclass, field
from pathlib import Path

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.measuring import Measuring
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.runs.audit.options import Limit, Words, check_limit
from dominance.runs.stages.method_names import PLAIN, Methods
from dominance.written import NAMED, WRITTEN

DEFAULT_METHODS: tuple[str, ...] = ("regions", "regions+overlap", "overlap")
TIMES_PLAIN: int = 10
"""Budget of a prompt by default: so many plain images for each usable one."""
_MOST_USABLE = 10_000


@Parameter(name="*", group=Group("Usable images", sort_key=15))
@dataclass(frozen=True)
class GenerateOptions:
    """How many images are wanted, and what may be done for them.

    Raises:
        InputError: a value out of its range.
    """

    usable: int = 4
    """Images wanted of each prompt in which the judge sees every concept."""
    budget: int | None = None
    """Most network evaluations for each prompt: samples that the denoiser runs on, two a step under guidance;
    default: what ten plain images take, for each usable one."""
    methods: Methods = field(default=DEFAULT_METHODS, metadata={NAMED: "method", WRITTEN: ",".join})
    """Methods of repair, separated by commas, in the order in which they are tried; none for plain drawing alone; see
    `dominance list methods`."""
    calibration: Path | None = None
    """Rule of preflight by `dominance calibrate`, or none to begin every prompt plain (default: the model's own)."""
    early: Path | None = None
    """Threshold by `dominance calibrate --early`, or none to give up no image (default: the model's own)."""
    check: bool = False
    """Also draw plain images until as many are usable, and finish the images given up, to measure what was saved; this
    work is not counted."""
    limit: Limit | None = None
    concepts: Words | None = None
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_limit(self.limit)
        if not 1 <= self.usable <= _MOST_USABLE:
            raise InputError(f"usable is {self.usable}; give a whole number of images from 1 to {_MOST_USABLE}")
        if self.budget is not None and self.budget < 1:
            raise InputError(f"budget is {self.budget}; give a whole number of network evaluations from 1 on")
        if PLAIN in self.methods:
            raise InputError(f"no method {PLAIN!r}; give one that `dominance list methods` names")
        if self.machine.batch not in (None, 1):
            raise InputError(
                f"batch is {self.machine.batch}, but usable images are drawn one by one, so that each can be given up"
                " by itself; leave out --batch"
            )

    @property
    def named(self) -> tuple[str, ...]:
        """The methods without ``none``."""
        return tuple(name for name in self.methods if name != "none")
