"""Options of a reproduction: how long it may take, what it may bring along, and how images are drawn."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.measuring import Measuring
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine

MOST_MINUTES: float = 100_000.0
"""Ten weeks."""


@Parameter(name="*", group=Group("Reproduction", sort_key=15))
@dataclass(frozen=True)
class ReproduceOptions:
    """How claims are examined.

    Raises:
        InputError: a value out of its range, or seeds, of which every claim has its own.
    """

    budget: float | None = None
    """Minutes for the whole run: it uses as many prompts and seeds as fit, but never fewer than a smallest size, which
    leaves many claims undecided (default: the full size)."""
    other: str | None = None
    """A model trained differently, for the claims that compare two; default: the miniature's bundled twin and base."""
    memorized: str | None = None
    """Suite or file of prompts that the model has memorized, for memorized-norm; without it, that claim is possible for
    the bundled miniature alone. For memorized-heads no file helps: only that model's memorized pictures are known."""
    listed: str | None = None
    """Prompts of another benchmark, for the claims about such: a suite, or a file as `dominance audit` reads it, in
    which COCO's objects are found where it marks no concepts (default: pairs of objects in the templates of GenEval and
    T2I-CompBench)."""
    trained: Path | None = None
    """Results of `dominance train diversity`; default: docs/diversity-experiment/results.jsonl, if there."""
    pictures: Path | None = None
    """Training pictures by category and concept, for the order of categories: folders or a CSV as `dominance diversity`
    reads them, with the categories landmark, character, artist and object."""
    embedder: str | None = None
    """What measures --pictures, as in `dominance diversity` (default: the paper's, openai/clip-vit-large-patch14)."""
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        if self.budget is not None and not (math.isfinite(self.budget) and 0 < self.budget <= MOST_MINUTES):
            raise InputError(f"the budget is {self.budget:g}; give minutes above 0 and up to {MOST_MINUTES:g}")
        if self.embedder is not None and self.pictures is None:
            raise InputError("the embedder is of training pictures; give --pictures with it, or leave out --embedder")
        if self.drawing.seeds is not None and self.drawing.preset is None:
            raise InputError(
                "every claim has as many seeds as it needs, so --seeds cannot be used; leave it out, and give --budget"
                " for a smaller reproduction"
            )
