"""Options of audits and scores: what is drawn and judged, and the gate."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.measuring import Measuring
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.records import Gate, Prompt, Suite
from dominance.seeds import DEFAULT_SEEDS

MOST_PROMPTS: int = 10**6
WHAT = Group("What", sort_key=10)


def check_limit(limit: int | None) -> None:
    """Raises an InputError unless the limit, if there is one, is a number of prompts."""
    if limit is not None and not 1 <= limit <= MOST_PROMPTS:
        raise InputError(f"limit is {limit}; give a whole number from 1 to {MOST_PROMPTS}")


Limit = Annotated[int, Parameter(group=WHAT, help="Use only this many prompts, from the start of the suite.")]
Words = Annotated[
    str,
    Parameter(
        group=WHAT,
        help="Find concepts in prompts that name none: a word list, such as coco (`dominance list words`), several"
        " separated by commas, or a file with one name or name:kind per line. Prompts without any are left out and"
        " named.",
    ),
]
Beside = Annotated[
    Path,
    Parameter(
        group=WHAT,
        help="Run folder of another audit of the same prompts, with another model, adapter or repair and the same"
        " judge: the report begins with what this run loses and that one keeps.",
    ),
]


@Parameter(name="*", group=Group("Gate", sort_key=40))
@dataclass(frozen=True)
class Limits:
    """Limits of the gate; a given limit overrides the suite's own."""

    max_collapse: float | None = None
    """Largest share of a prompt's images that may collapse, 0 to 1."""
    min_presence: float | None = None
    """Smallest share of a prompt's images that must show each concept, 0 to 1."""
    max_unscored: float | None = None
    """Largest share of images that may stay unscored (default: 0). Unscored images still exit with status 3."""
    allow_unfit_judge: bool = False
    """Let the gate pass although the judge was not made for these pictures, or gives one answer to everything."""
    baseline: Path | None = None
    """Run folder of an earlier audit, such as the main branch's: only new losses fail. Without limits, a concept
    fails that most images lack and did not there, or that shows in clearly fewer images of the same seeds."""

    def over(self, gate: Gate | None) -> Gate | None:
        """The suite's gate, overridden by these limits; None if there are neither.

        Raises:
            InputError: an unfit judge is allowed, but there is no gate that it could fail.
        """
        limits = {item.name: getattr(self, item.name) for item in fields(Gate)}
        given = {name: share for name, share in limits.items() if share is not None}
        if self.allow_unfit_judge and not given and gate is None and self.baseline is None:
            raise InputError(
                "allow-unfit-judge lets a gate pass, but there is no gate; give max-collapse and min-presence, or leave"
                " it out"
            )
        return replace(gate or Gate(), **given) if given else gate


@Parameter(name="*", group=Group("Taught concept", sort_key=35))
@dataclass(frozen=True)
class TaughtConcept:
    """A concept that the model was taught by fine-tuning or an adapter, and its pictures."""

    taught: str | None = None
    """Concept that the model was taught, as the prompts name it; default: the adapter's trigger word, if they do.
    If no prompt names it, give NAME:KIND: audit, score and mitigate then measure only its leakage."""
    references: Path | None = None
    """Its pictures, such as those that it was taught from: similarity and copies are measured against them."""


@Parameter(name="*", group=Group("Taught concept", sort_key=35))
@dataclass(frozen=True)
class Taught(TaughtConcept):
    """The same, and what compares pictures with it."""

    embedder: str | None = None
    """What compares pictures: miniature, or a folder or hub id of a CLIP, SigLIP, DINOv2 or BLIP model."""


@Parameter(name="*", group=WHAT)
@dataclass(frozen=True)
class ScoreOptions:
    """How images made elsewhere are judged.

    Raises:
        InputError: a value out of its range.
    """

    limit: Limit | None = None
    concepts: Words | None = None
    asking: Asking = field(default_factory=Asking)
    limits: Limits = field(default_factory=Limits)
    taught: Taught = field(default_factory=Taught)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)
    beside: Beside | None = None

    def __post_init__(self) -> None:
        check_limit(self.limit)
        self.machine.without_model("dominance score")


@Parameter(name="*", group=WHAT)
@dataclass(frozen=True)
class AuditOptions:
    """How to audit.

    Raises:
        InputError: a value out of its range.
    """

    limit: Limit | None = None
    concepts: Words | None = None
    method: str = "none"
    """How to steer the drawing: none, or a method such as regions; see `dominance list methods`."""
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    limits: Limits = field(default_factory=Limits)
    taught: Taught = field(default_factory=Taught)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)
    beside: Beside | None = None

    def __post_init__(self) -> None:
        check_limit(self.limit)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every prompt's images: 0 to 9 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS


def limited(suite: Suite, limit: int | None, limits: Limits) -> Suite:
    """The suite's prompts up to the limit, with its gate and these limits.

    Raises:
        InputError: the gate could not fail.
    """
    gate, prompts = limits.over(suite.gate), suite.prompts[:limit]
    if gate is not None:
        check_gate(gate, prompts, alone=limits.baseline is None)
    return replace(suite, prompts=prompts, gate=gate)


def check_gate(gate: Gate, prompts: Sequence[Prompt] = (), *, alone: bool = True) -> None:
    """Raises an InputError unless every limit is a share from 0 to 1, and one of them concerns what images show.

    Args:
        prompts: of the suite; if all of them name a single concept, a limit on collapse cannot fail.
        alone: whether there is no baseline, which needs no limit.
    """
    for name, share in asdict(gate).items():
        if share is not None and not 0 <= share <= 1:
            raise InputError(f"the gate's {name.replace('_', '-')} is {share}; give a share from 0 to 1")
    if alone and gate.max_collapse is None and gate.min_presence is None:
        raise InputError(
            "the gate limits only unscored images, so any image would pass; give max-collapse or min-presence"
        )
    if (
        prompts
        and gate.max_collapse is not None
        and gate.min_presence is None
        and all(len(prompt.concepts) == 1 for prompt in prompts)
    ):
        raise InputError(
            "the gate's max-collapse alone lets any image pass: every prompt names a single concept, which cannot"
            " collapse; give min-presence"
        )
