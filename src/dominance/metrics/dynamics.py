"""How a token's lead over the others changes while an image is made."""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from dominance.errors import InputError
from dominance.metrics.focus import check_tokens


def attention_deviation(
    attention: Float[Tensor, "*batch token"], index: int | Sequence[int]
) -> Float[Tensor, "*batch"]:
    """How far a token, or a concept of several, leads: ``Δα_c = α_c − mean_{j∈T, j∉c} α_j``.

    Args:
        attention: attention probabilities of the tokens T of a prompt, raw, at any layers and steps.
        index: index of the token c in T, or the indices of a concept's tokens, whose attention is summed.

    Returns:
        Above 0 where c leads; the sum over single tokens c of T is 0.

    Raises:
        InputError: an index out of range, or no token besides c.

    Source: Jeong & Lee (2025), attention dynamics; the mean over the others is our choice. There is no entropy in it:
    tokens that matter to no concept would leak in.

    >>> round(attention_deviation(torch.tensor([0.01, 0.05, 0.03]), 1).item(), 3)
    0.03
    """
    own = [index] if isinstance(index, int) else list(index)
    count = attention.shape[-1]
    check_tokens([own], count)
    others = [other for other in range(count) if other not in set(own)]
    if not others:
        raise InputError(f"all {count} token(s) belong to the concept; give attention to other tokens too")
    return attention[..., own].sum(-1) - attention[..., others].mean(-1)


def interval_edges(steps: int, intervals: int = 5) -> tuple[int, ...]:
    """Steps that part a generation into intervals as equal as whole steps allow, the last step closing the last one.

    Source: Jeong & Lee (2025) part 50 steps at every tenth: 50–40, 40–30, … counted down.

    Raises:
        InputError: fewer than two steps, or no interval.

    >>> interval_edges(50), interval_edges(3)
    ((0, 10, 20, 30, 40, 49), (0, 1, 2))
    """
    if steps < 2 or intervals < 1:
        raise InputError(f"{steps} steps in {intervals} intervals; give 2 steps or more and 1 interval or more")
    edges = {round(steps * part / intervals) for part in range(intervals)} | {steps - 1}
    return tuple(sorted(edge for edge in edges if edge < steps))


def deviation_change(deviation: Float[Tensor, "*batch step"], edges: Sequence[int]) -> Float[Tensor, "*batch interval"]:
    """Change of the deviation over each interval of steps: ``Δα(end) − Δα(start)``.

    Args:
        deviation: ``attention_deviation`` at consecutive steps, the first step first.
        edges: indices of the steps between which changes are taken, rising; ``interval_edges`` makes them.

    Raises:
        InputError: fewer than two edges, edges that do not rise, or a step that is not there.
    """
    count = deviation.shape[-1]
    rising = all(early < late for early, late in itertools.pairwise(edges))
    if len(edges) < 2 or not rising or edges[0] < 0 or edges[-1] >= count:
        raise InputError(f"edges {list(edges)} of {count} steps; give two or more, rising, from 0 to {count - 1}")
    return torch.diff(deviation[..., list(edges)], dim=-1)
