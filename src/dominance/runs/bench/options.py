"""Options of a bench: what it holds, and how its images are made."""

from dataclasses import dataclass, field
from typing import cast

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.judges.measuring import Measuring
from dominance.judges.options import Asking
from dominance.models.drawing import Drawing, Machine
from dominance.records import Kind
from dominance.seeds import DEFAULT_SEEDS
from dominance.suites.pools import CATEGORIES, Pools
from dominance.written import Names

MOST_PROMPTS = 30_000


@Parameter(name="*", group=Group("Bench", sort_key=10))
@dataclass(frozen=True)
class BenchOptions:
    """How to build a bench.

    Raises:
        InputError: a value out of its range.
    """

    target: int = 300
    """Dominance prompts to find, split evenly over the categories, and as many balanced prompts."""
    pools: str | None = None
    """default, miniature or a YAML file (default: what suits the model)."""
    categories: Names | None = None
    """Some of artist,landmark,character (default: all in the pools)."""
    styles: Names | None = None
    """Caption styles of the pools, separated by commas (default: all)."""
    cap: int | None = None
    """Most prompts kept per concept, and per object (default: twice the even share)."""
    limit: int | None = None
    """Try at most this many candidates."""
    order_seed: int = 0
    """Seed for the order of candidates."""
    drawing: Drawing = field(default_factory=Drawing)
    asking: Asking = field(default_factory=Asking)
    measuring: Measuring = field(default_factory=Measuring)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        for name, value, most in (("target", self.target, MOST_PROMPTS), ("cap", self.cap, MOST_PROMPTS)):
            if value is not None and not 1 <= value <= most:
                raise InputError(f"{name} is {value}; give a whole number from 1 to {most}")
        if self.limit is not None and not 1 <= self.limit <= 10**6:
            raise InputError(f"limit is {self.limit}; give a number of candidates from 1 to 1000000")
        if not 0 <= self.order_seed < 2**63:
            raise InputError(f"order-seed is {self.order_seed}; give a whole number from 0 to 2**63-1")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of every candidate's images: 0 to 9 by default."""
        return self.drawing.seeds or DEFAULT_SEEDS


def chosen_categories(options: BenchOptions, pools: Pools) -> tuple[Kind, ...]:
    """The categories of the bench, in the usual order.

    Raises:
        InputError: a category is unknown, not in the pools or without a caption, or the target is too small.
    """
    for name in options.categories or ():
        if name not in CATEGORIES:
            raise InputError(f"the category {name[:60]!r} does not exist; give some of {', '.join(CATEGORIES)}")
        if name not in pools.categories:
            held = ", ".join(pools.categories)
            raise InputError(f"the pools {pools.name!r} have no {name}; give --categories {held}, or other --pools")
    wanted = pools.categories if options.categories is None else options.categories
    chosen = tuple(kind for kind in CATEGORIES if kind in wanted)
    if not chosen:
        raise InputError(f"there is no category; give some of {', '.join(pools.categories)}")
    for kind in (*chosen, cast(Kind, "object")):
        if not pools.template_names(kind):
            raise InputError(f"no chosen caption style has a template for the kind {kind}; give more --styles")
    if options.target < len(chosen):
        raise InputError(
            f"target is {options.target} for {len(chosen)} categories; give at least one prompt per category"
        )
    return chosen
