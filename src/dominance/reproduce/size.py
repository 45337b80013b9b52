"""How many prompts and seeds every run has: the full size, and what of it fits into a budget of minutes."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

_FEWEST_PROMPTS = {
    # Six units, below which nothing is decided, and more where each of several groups must have six.
    "bench": 8,
    "recorded": 6,
    "ablated": 6,
    "memorized": 6,
    "repaired": 8,
    "disrupted": 8,
    "patched": 12,
    "steered": 7,
    "crowded": 2,
    "independent": 30,  # of three categories, and of prompts that a second model dominates, often one in four
    "cell": 1,
    "alone": 8,
    "listed": 12,
}
_FEWEST_SEEDS = {"bench_seeds": 4, "noises": 2, "memorized_seeds": 2}
SET_HEADS: int = 4
"""Heads of which every set is removed: 11 sets of two or more. Five would have 26, which either half of the prompts
chooses: nearly as many as the miniature has heads."""
_BISECTIONS = 24
_LEAST = 1e-6


@dataclass(frozen=True)
class Size:
    """Prompts and seeds of every run.

    Attributes:
        share: of the work of the full size, 0 to 1.
        bench: dominance prompts to find, and as many balanced ones, each with ``bench_seeds`` images.
        fresh_seeds: images of each of them from other seeds.
        noises: first steps of each of them.
        recorded: prompts of each kind whose whole generation is recorded.
        norm_seeds: generations of each prompt whose noise norm is measured.
        ablated: dominance prompts whose heads are removed one by one.
        memorized: prompts that the model has memorized, whose copies are drawn without each head.
        repaired: dominance prompts that are drawn with a category word.
        disrupted: dominance prompts that are drawn with a disruption in a part of the steps.
        patched: dominance prompts of which collapsed images are drawn again with parts of the twin.
        steered: prompts of the independent suite that are drawn under the losses.
        crowded: prompts of three objects that are drawn under the losses too, and as many of four.
        independent: prompts that nothing filters.
        cell: prompts in each of the eight cells of the factorial design.
        alone: prompts of one concept, which show whether the model draws any.
        listed: prompts as other benchmarks list them.
    """

    share: float = 1.0
    bench: int = 24
    bench_seeds: int = 10
    fresh_seeds: int = 4
    noises: int = 8
    recorded: int = 24
    recorded_seeds: int = 2
    norm_seeds: int = 3
    ablated: int = 10
    ablated_seeds: int = 2
    memorized: int = 6
    memorized_seeds: int = 4
    repaired: int = 16
    repaired_seeds: int = 3
    disrupted: int = 16
    disrupted_seeds: int = 2
    patched: int = 24
    patched_seeds: int = 1
    steered: int = 24
    steered_seeds: int = 1
    crowded: int = 8
    independent: int = 60
    independent_seeds: int = 3
    cell: int = 6
    cell_seeds: int = 3
    alone: int = 14
    alone_seeds: int = 1
    listed: int = 60
    listed_seeds: int = 2


FULL: dict[str | None, Size] = {
    "miniature": Size(),
    None: Size(
        bench=300,
        fresh_seeds=10,
        recorded=300,
        norm_seeds=10,
        ablated=300,
        ablated_seeds=1,
        repaired=300,
        repaired_seeds=10,
        disrupted=100,
        disrupted_seeds=4,
        patched=100,
        patched_seeds=2,
        steered=190,
        crowded=100,
        independent=300,
        independent_seeds=10,
        cell=30,
        cell_seeds=10,
        alone=40,
        listed=300,
        listed_seeds=4,
    ),
}
"""By the world of the model: what takes an hour of two cores, and what the papers have."""


def full_size(world: str | None) -> Size:
    """The full size for a model of that world."""
    return FULL.get(world, FULL[None])


def scaled(full: Size, share: float) -> Size:
    """About that share of the work: prompts and seeds both by its square root, but never below a smallest size.

    That has six units or more for each claim, below which none is decided. It promises no verdict: a bench may hold
    fewer prompts than were asked for, a group of them fewer than six, and a share may be out of reach of any outcome,
    which its row says.

    >>> scaled(Size(), 0.25).bench, scaled(Size(), 0.25).bench_seeds, scaled(Size(), 1e-6).bench
    (12, 5, 8)
    """
    counts = {}
    for item in fields(Size):
        if item.name == "share":
            continue
        most = getattr(full, item.name)
        least = min(most, _FEWEST_PROMPTS.get(item.name, _FEWEST_SEEDS.get(item.name, 1)))
        counts[item.name] = max(least, min(most, round(most * share**0.5)))
    return replace(full, share=share, **counts)


def fitting(full: Size, minutes: Callable[[Size], float], budget: float | None) -> Size:
    """The largest size that takes no longer than the budget; the smallest there is where even that takes longer."""
    if budget is None or minutes(full) <= budget:
        return full
    low, high = _LEAST, 1.0
    for _ in range(_BISECTIONS if minutes(scaled(full, low)) <= budget else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if minutes(scaled(full, middle)) <= budget else (low, middle)
    fitted = scaled(full, low)
    return replace(fitted, share=minutes(fitted) / minutes(full))
