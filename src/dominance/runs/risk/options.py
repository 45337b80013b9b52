"""How risk is predicted from the first step, and how a rule for it is fitted."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.models.drawing import Drawing, Machine
from dominance.probes.choices import TOKEN_SETS, TokenSet
from dominance.runs.audit.options import Limit, Words, check_limit
from dominance.written import Numbers

Label = Literal["prompt", "image"]
LABELS: tuple[Label, ...] = get_args(Label)
HoldOut = Literal["prompt", "concept"]
HOLD_OUTS: tuple[HoldOut, ...] = get_args(HoldOut)
DEFAULT_SEEDS: tuple[int, ...] = tuple(range(8))
"""The noises that a prompt's first step is looked at with; see docs/decisions/018-eight-noises.md."""
FALSE_ABORTS: float = 0.05
"""Share of the usable images that an early look may give up."""
RULE = Group("Rule", sort_key=15)


def _check_known(*given: tuple[str, str | None, tuple[str, ...]]) -> None:
    for name, value, known in given:
        if value is not None and value not in known:
            raise InputError(f"the {name} {value[:60]!r} does not exist; give one of {', '.join(known)}")


@Parameter(name="*", group=RULE)
@dataclass(frozen=True)
class PreflightOptions:
    """How to predict. Every prompt uses the seeds given here, not its own.

    Raises:
        InputError: a value out of its range, or two options that exclude each other.
    """

    layers: Numbers | None = None
    """Average the focus score over these attention layers, such as 9,10 or 1-16, instead of using a calibration."""
    threshold: float | None = None
    """The risk is high from this score on (default: the rule's own)."""
    tokens: TokenSet | None = None
    """Tokens to compare: content (default), content+end, or all; the last two only without a calibration."""
    calibration: Path | None = None
    """A file written by `dominance calibrate`, or none for the paper's rule (default: the model's own, if any; without
    one the risk is uncalibrated)."""
    limit: Limit | None = None
    concepts: Words | None = None
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        self.machine.alone("dominance preflight")
        check_limit(self.limit)
        _check_known(("token set", self.tokens, TOKEN_SETS))
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise InputError(f"the threshold is {self.threshold}; give a finite number")
        if self.calibration is not None and not self.by_paper and (self.layers is not None or self.tokens is not None):
            raise InputError(
                "a calibration has its own layers and tokens; give either the calibration, or layers and tokens"
            )

    @property
    def by_paper(self) -> bool:
        """Whether ``none`` was given."""
        return str(self.calibration) == "none"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Noise seeds; scores and attention are averaged over them. Eight by default."""
        return self.drawing.seeds or DEFAULT_SEEDS


@Parameter(name="*", group=RULE)
@dataclass(frozen=True)
class CalibrationOptions:
    """How to calibrate.

    Raises:
        InputError: a value out of its range.
    """

    label: Label = "prompt"
    """What to predict; prompt: that its verdict is dominance; image: that the image collapses."""
    hold_out: HoldOut = "prompt"
    """How to validate; prompt: ten folds, prompts with the same text in one fold; concept: each prompt is scored by a
    rule fitted only on prompts that share none of its concepts."""
    layers: Numbers | None = None
    """Attention layers to use, such as 9,10 or 1-16 (default: all)."""
    tokens: TokenSet = "content"
    """Tokens to compare: content, content+end, or all."""
    early: bool = False
    """Fit, instead of the rule of preflight, the threshold of `dominance generate`: below which score of the picture
    predicted at 40% of the steps an image is given up. The run's judge is asked again."""
    false_aborts: float = FALSE_ABORTS
    """With --early: share of the usable images that may be given up, 0 to 1."""
    seed: int = 0
    """Seed for folds and resampling."""
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        self.machine.alone("dominance calibrate")
        _check_known(
            ("label", self.label, LABELS),
            ("hold-out", self.hold_out, HOLD_OUTS),
            ("token set", self.tokens, TOKEN_SETS),
        )
        if not 0 <= self.false_aborts <= 1:
            raise InputError(f"false-aborts is {self.false_aborts}; give a share from 0 to 1")
        own = (self.label, self.hold_out, self.layers, self.tokens, self.drawing.seeds)
        if self.early and own != ("prompt", "prompt", None, "content", None):
            raise InputError(
                "label, hold-out, layers, tokens and seeds are of the rule of preflight; leave them out with --early"
            )
        if not self.early and self.false_aborts != FALSE_ABORTS:
            raise InputError("false-aborts is of the threshold of giving up; give --early too, or leave it out")
        if self.label == "image" and self.drawing.seeds is not None:
            raise InputError(
                "with the label image, every image has its own seed; leave out --seeds, or give --label prompt"
            )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Noise seeds for prompts, eight by default; images have their own."""
        return self.drawing.seeds or DEFAULT_SEEDS
