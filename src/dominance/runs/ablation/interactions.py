"""Whether two heads do the same work: their joint effect beyond the single effects, and clusters of heads."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from dominance.documents import Counted
from dominance.metrics import bootstrap_mean
from dominance.records import Interval
from dominance.runs.ablation.outcomes import Judged, grouped, heads_of, tally
from dominance.runs.ablation.variants import Head, head_label


@dataclass(frozen=True)
class Interaction:
    """Two heads together.

    Attributes:
        heads: in forward order.
        together: share of the collapsed images that both mitigate.
        value: ``I(a, b) = effect(a, b) − effect(a) − effect(b)``, from -2 to 1; None if nothing is scored.
        interval: bootstrap over prompts; None with fewer than two.
        images: number scored under all three.
    """

    heads: tuple[Head, Head]
    together: Counted
    value: Annotated[float | None, Field(alias="interaction")]
    interval: Interval | None
    images: int


@dataclass(frozen=True)
class Interactions:
    """The strongest heads, ordered by cluster, and the interaction of every two.

    Attributes:
        steps: the interval in which the heads are ablated.
        effects: of each head alone.
        clusters: interchangeable heads, merged by average linkage while the mean interaction between two clusters is
            below 0.
    """

    steps: str
    effects: dict[Head, Counted]
    pairs: tuple[Interaction, ...]
    clusters: tuple[tuple[Head, ...], ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """Ordered by cluster."""
        return tuple(head for cluster in self.clusters for head in cluster)

    def between(self, first: Head, second: Head) -> Interaction | None:
        """The two heads' interaction, in either order."""
        return next((pair for pair in self.pairs if set(pair.heads) == {first, second}), None)


def strongest(singles: Sequence[Judged], count: int) -> list[Head]:
    """The heads that mitigate the most images; in a tie, those with the larger fall of the DvD score.

    Heads that mitigate nothing are left out.
    """
    tallies = [(head, tally(head_label(head), members)) for (head,), members in grouped(singles, heads_of).items()]
    helping = [(head, found) for head, found in tallies if found.images.mitigated.count]
    helping.sort(key=lambda pair: (pair[1].images.mitigated.share or 0.0, pair[1].fall or 0.0), reverse=True)
    return [head for head, _ in helping[:count]]


def interactions(steps: str, heads: Sequence[Head], singles: Sequence[Judged], pairs: Sequence[Judged]) -> Interactions:
    """The interaction of every two heads.

    The effect of heads on an image is 1 if they mitigate it, else 0; ``I(a, b)`` is the mean of
    effect(a, b) − effect(a) − effect(b) over images scored under a, b and both. Below 0, the two do the same work;
    above 0, each needs the other. It is at most 1 − effect(a) − effect(b).

    Args:
        heads: in forward order.

    Source: the interaction of a two-factor design, as in Yates (1937); its use here is ours.
    """
    effect = {(heads_of(trial), trial.prompt.id, trial.seed): trial.outcome for trial in (*singles, *pairs)}
    alone, together = grouped(singles, heads_of), grouped(pairs, heads_of)
    found = []
    for first, second in itertools.combinations(heads, 2):
        both = tuple(sorted((first, second)))
        members = together.get(both, [])
        by_prompt: dict[str, list[float]] = {}
        for trial in members:
            three = [effect.get((key, trial.prompt.id, trial.seed)) for key in (both, (first,), (second,))]
            if None not in three:
                joint, *each = (float(outcome == "mitigated") for outcome in three)
                by_prompt.setdefault(trial.prompt.id, []).append(joint - sum(each))
        values = [value for cluster in by_prompt.values() for value in cluster]
        found.append(
            Interaction(
                heads=(first, second),
                together=tally("both", members).images.mitigated,
                value=sum(values) / len(values) if values else None,
                interval=bootstrap_mean(list(by_prompt.values())) if len(by_prompt) > 1 else None,
                images=len(values),
            )
        )
    matrix = np.zeros((len(heads), len(heads)))
    for pair in found:
        row, column = (heads.index(head) for head in pair.heads)
        matrix[row, column] = matrix[column, row] = pair.value or 0.0
    return Interactions(
        steps=steps,
        effects={head: tally(head_label(head), alone.get((head,), [])).images.mitigated for head in heads},
        pairs=tuple(found),
        clusters=tuple(tuple(heads[index] for index in cluster) for cluster in average_linkage(matrix, below=0.0)),
    )


def average_linkage(distance: Float[np.ndarray, "item item"], below: float) -> list[list[int]]:
    """Clusters of items: merges the two closest while their mean distance is below ``below``.

    Items keep their order in a cluster; clusters are ordered by their first items.

    Source: Sokal & Michener (1958), average linkage.

    >>> average_linkage(np.array([[0.0, 1, -2], [1, 0, 1], [-2, 1, 0]]), below=0.0)
    [[0, 2], [1]]
    """
    clusters = [[item] for item in range(len(distance))]
    while len(clusters) > 1:
        apart, first, second = min(
            (float(distance[np.ix_(clusters[first], clusters[second])].mean()), first, second)
            for first, second in itertools.combinations(range(len(clusters)), 2)
        )
        if apart >= below:
            break
        clusters[first] = sorted(clusters[first] + clusters.pop(second))
    return sorted(clusters)
