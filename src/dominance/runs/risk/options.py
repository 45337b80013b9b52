"""How risk is told from the first step, and how a rule for it is fitted."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.models.drawing import Drawing, Machine
from dominance.probes.choices import TOKEN_SETS, TokenSet
from dominance.runs.audit.options import Limit, check_limit
from dominance.written import Numbers

Label = Literal["prompt", "image"]
LABELS: tuple[Label, ...] = get_args(Label)
HoldOut = Literal["prompt", "concept"]
HOLD_OUTS: tuple[HoldOut, ...] = get_args(HoldOut)
DEFAULT_SEEDS: tuple[int, ...] = (0,)
RULE = Group("Rule", sort_key=15)


def _check_known(*given: tuple[str, str | None, tuple[str, ...]]) -> None:
    for name, value, known in given:
        if value is not None and value not in known:
            raise InputError(f"no {name} {value[:60]!r}; give one of {', '.join(known)}")


@Parameter(name="*", group=RULE)
@dataclass(frozen=True)
class PreflightOptions:
    """How to look. A prompt's own seeds are those of its images; the noises to look at are the run's.

    Raises:
        InputError: a value out of its range, or two options that exclude each other.
    """

    layers: Numbers | None = None
    """Attention layers, such as 9,10 or 1-16, over which the focus score is averaged, in place of a calibration."""
    threshold: float | None = None
    """Score from which the risk is high; the rule's own unless given."""
    tokens: TokenSet | None = None
    """What is compared: content (the default), content+end, or all; other than content only without a calibration."""
    calibration: Path | None = None
    """File that `dominance calibrate` wrote, or none for the paper's rule; the model's own if it has one."""
    limit: Limit | None = None
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        check_limit(self.limit)
        _check_known(("token set", self.tokens, TOKEN_SETS))
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise InputError(f"the threshold is {self.threshold}; give a finite number")
        if self.calibration is not None and not self.by_paper and (self.layers is not None or self.tokens is not None):
            raise InputError("a calibration has its own layers and tokens; give it, or layers and token set, not both")

    @property
    def by_paper(self) -> bool:
        """Whether the paper's rule is asked for by name."""
        return str(self.calibration) == "none"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Noises to look at each prompt with, over which scores and attention are averaged: one, unless given."""
        return self.drawing.seeds or DEFAULT_SEEDS


@Parameter(name="*", group=RULE)
@dataclass(frozen=True)
class CalibrationOptions:
    """How to calibrate.

    Raises:
        InputError: a value out of its range.
    """

    label: Label = "prompt"
    """What is predicted; prompt: that its verdict is dominance; image: that the image collapses."""
    hold_out: HoldOut = "prompt"
    """What validation keeps apart; prompt: ten folds, prompts with the same text in one; concept: each prompt is
    scored by a rule fitted on those prompts that share none of its concepts."""
    layers: Numbers | None = None
    """Attention layers whose features are used, such as 9,10 or 1-16; all unless given."""
    tokens: TokenSet = "content"
    """What is compared: content, content+end, or all."""
    seed: int = 0
    """Of folds and resamples."""
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        _check_known(
            ("label", self.label, LABELS),
            ("hold-out", self.hold_out, HOLD_OUTS),
            ("token set", self.tokens, TOKEN_SETS),
        )
        if self.label == "image" and self.drawing.seeds is not None:
            raise InputError(
                "label image looks at each image with its own seed; leave out --seeds, or give --label prompt"
            )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Noises to look at each prompt with; images bring their own."""
        return self.drawing.seeds or DEFAULT_SEEDS
