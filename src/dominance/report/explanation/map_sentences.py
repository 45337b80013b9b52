"""Where in the image each concept gets its attention, in words."""

from collections import Counter

import torch
from jaxtyping import Float
from torch import Tensor

from dominance.report.explanation.sentences import EVEN, SAME, capital, of_seeds, step_name, times
from dominance.report.parts.sentences import listed
from dominance.runs.explanation.result import Explanation


def concept_totals(explanation: Explanation, image: int, step: int) -> Float[Tensor, "concept row column"]:
    """Attention of all tokens of each concept together, where maps hold their mean."""
    counts = torch.tensor([len(places) for places in explanation.places.values()])
    return explanation.maps.values[image, step] * counts[:, None, None]


def map_sentence(explanation: Explanation, image: int, step: int) -> str:
    """Where each concept gets its attention in one image at one step, and how much.

    Args:
        image, step: places in the axes of the maps.
    """
    maps = concept_totals(explanation, image, step)
    parts = [f"{name}: {_where(heat)}" for name, heat in zip(explanation.concepts, maps, strict=True)]
    amounts = maps.mean(dim=(-1, -2))
    most, least = int(amounts.argmax()), int(amounts.argmin())
    ratio = float(amounts[most] / amounts[least].clamp(min=1e-12))
    if len(parts) == 1:
        return f"{capital(parts[0])}."
    if ratio < SAME:
        return f"{capital('; '.join(parts))}. They get about the same attention."
    much = f"{explanation.concepts[most]} gets {times(ratio)} the attention of {explanation.concepts[least]}"
    return f"{capital('; '.join(parts))}. {capital(much)}."


def _where(values: Float[Tensor, "row column"]) -> str:
    place = place_of(values)
    return "spread almost evenly" if place is None else f"strongest {place}"


def place_of(values: Float[Tensor, "row column"]) -> str | None:
    """The part of the image, of three by three, where a map is highest; None if it is almost even.

    >>> import torch
    >>> place_of(torch.eye(6)[:1].T @ torch.eye(6)[:1]), place_of(torch.ones(4, 4))
    ('at the upper left', None)
    """
    mean, high = float(values.mean()), float(values.max())
    if high < EVEN * mean or high <= 0:
        return None
    row, column = divmod(int(values.flatten().argmax()), values.shape[1])
    vertical = ("upper", "", "lower")[min(2, 3 * (2 * row + 1) // (2 * values.shape[0]))]
    sideways = ("left", "", "right")[min(2, 3 * (2 * column + 1) // (2 * values.shape[1]))]
    if vertical and sideways:
        return f"at the {vertical} {sideways}"
    if not vertical and not sideways:
        return "in the centre"
    return f"at the {'top' if vertical == 'upper' else 'bottom'}" if vertical else f"at the {sideways}"


def maps_sentence(explanation: Explanation) -> str:
    """Whether the concepts get their attention in the same part of the image at the last step shown."""
    maps = explanation.maps
    when = step_name(maps.steps[-1], explanation.steps)
    placed = [[place_of(heat) for heat in image[-1]] for image in maps.values]
    total = len(placed)
    if len(explanation.concepts) == 1:
        found = Counter(places[0] for places in placed).most_common(1)[0]
        place = "spread almost evenly" if found[0] is None else f"strongest {found[0]}"
        return f"At {when}, the attention to {explanation.concepts[0]} is {place} {of_seeds(found[1], explanation)}."
    same = sum(None not in places and len(set(places)) == 1 for places in placed)
    even = sum(None in places for places in placed)
    names = listed(explanation.concepts)
    apart = total - same - even
    parts = [
        f"{what} {of_seeds(count, explanation)}"
        for count, what in (
            (same, "get most attention in the same part of the image"),
            (apart, "in different parts" if same else "get most attention in different parts of the image"),
        )
        if count
    ]
    if even:
        parts.append(
            f"cannot be told apart {of_seeds(even, explanation)}, where attention to one is spread almost evenly"
        )
    return f"At {when}, {names} {listed(parts)}."
