"""In which direction the images of a prompt collapse."""

from collections import Counter
from dataclasses import dataclass

from dominance.records import PromptResult


@dataclass(frozen=True)
class Direction:
    """In how many images ``dominating`` took over from ``dominated``."""

    dominating: str
    dominated: str
    images: int


def directions(result: PromptResult) -> tuple[Direction, ...]:
    """The directions in which the prompt's images collapse, the most frequent first."""
    counts = Counter(pair for image in result.images for pair in image.collapses)
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return tuple(Direction(dominating, dominated, images) for (dominating, dominated), images in ordered)


def top_share(result: PromptResult) -> float:
    """Share of the scored images that collapse in the most frequent direction, 0 to 1."""
    found = directions(result)
    return found[0].images / result.scored if found and result.scored else 0.0
