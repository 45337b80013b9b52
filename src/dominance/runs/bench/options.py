"""What a bench is to hold and how its images are made."""

from dataclasses import dataclass, field
from typing import cast

from dominance.errors import InputError
from dominance.records import Kind
from dominance.runs.audit.run import AuditOptions
from dominance.suites.pools import CATEGORIES, Pools

MOST_PROMPTS = 30_000


@dataclass(frozen=True)
class BenchOptions:
    """How to build a bench.

    Attributes:
        target: dominance prompts to find, split evenly over the categories; as many balanced ones are looked for.
        categories: some of artist, landmark, character; None takes all that the pools hold.
        cap: how many kept prompts of a category, or of the control set, may share a concept, and how many an object;
            None is twice the even share of each.
        pools: ``default``, ``miniature`` or a YAML file.
        styles: names of caption styles; None takes all of the pools.
        order_seed: of the order in which candidates are tried.
        limit: how many candidates are tried at most; None tries all that the pools give.
        audit: seeds and settings of the images, device, batch and questions.

    Raises:
        InputError: a value out of its range.
    """

    target: int = 300
    categories: tuple[str, ...] | None = None
    cap: int | None = None
    pools: str = "default"
    styles: tuple[str, ...] | None = None
    order_seed: int = 0
    limit: int | None = None
    audit: AuditOptions = field(default_factory=AuditOptions)

    def __post_init__(self) -> None:
        for name, value, most in (("target", self.target, MOST_PROMPTS), ("cap", self.cap, MOST_PROMPTS)):
            if value is not None and not 1 <= value <= most:
                raise InputError(f"{name} is {value}; give a whole number from 1 to {most}")
        if self.limit is not None and not 1 <= self.limit <= 10**6:
            raise InputError(f"limit is {self.limit}; give how many candidates to try at most, from 1 to 1000000")
        if not 0 <= self.order_seed < 2**63:
            raise InputError(f"order-seed is {self.order_seed}; give a whole number from 0 to 2**63-1")


def chosen_categories(options: BenchOptions, pools: Pools) -> tuple[Kind, ...]:
    """The categories of the bench, in their usual order.

    Raises:
        InputError: an unknown category, one that the pools lack or have no caption for, or more than the target.
    """
    for name in options.categories or ():
        if name not in CATEGORIES:
            raise InputError(f"no category {name[:60]!r}; give some of {', '.join(CATEGORIES)}")
        if name not in pools.categories:
            held = ", ".join(pools.categories)
            raise InputError(f"the pools {pools.name!r} hold no {name}; give --categories {held}, or other --pools")
    wanted = pools.categories if options.categories is None else options.categories
    chosen = tuple(kind for kind in CATEGORIES if kind in wanted)
    if not chosen:
        raise InputError(f"no category; give some of {', '.join(pools.categories)}")
    for kind in (*chosen, cast(Kind, "object")):
        if not pools.template_names(kind):
            raise InputError(f"none of the chosen caption styles has a template for the kind {kind}; give more styles")
    if options.target < len(chosen):
        raise InputError(f"target is {options.target} for {len(chosen)} categories; give at least one prompt each")
    return chosen
