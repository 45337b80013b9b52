"""Whether two heads do the same work: what both mitigate beyond what each does alone, and who belongs together."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from dominance.metrics import bootstrap_mean
from dominance.records import Interval, Rate
from dominance.runs.ablation.outcomes import Judged, grouped, label, rate_document, tally


@dataclass(frozen=True)
class Interaction:
    """Two heads together.

    Attributes:
        heads: labels, the first one first in forward order.
        together: share of the collapsed images that both mitigate.
        value: ``I(a, b) = effect(a, b) − effect(a) − effect(b)``, from -2 to 1; None where nothing is scored.
        interval: bootstrap over prompts; None with fewer than two.
        images: that are scored under all three.
    """

    heads: tuple[str, str]
    together: Rate
    value: float | None
    interval: Interval | None
    images: int


@dataclass(frozen=True)
class Interactions:
    """The strongest heads, in the order of their clusters, and what each two do together.

    Attributes:
        steps: the interval of steps in which the heads are ablated.
        effects: of each head alone.
        clusters: heads that replace one another: merged by average linkage as long as the mean interaction between
            two clusters is below 0.
    """

    steps: str
    effects: dict[str, Rate]
    pairs: tuple[Interaction, ...]
    clusters: tuple[tuple[str, ...], ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """In the order of the clusters."""
        return tuple(head for cluster in self.clusters for head in cluster)

    def between(self, one: str, other: str) -> Interaction | None:
        """The two heads' interaction, in either order."""
        return next((pair for pair in self.pairs if set(pair.heads) == {one, other}), None)

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "steps": self.steps,
            "effects": {head: rate_document(effect) for head, effect in self.effects.items()},
            "pairs": [
                {
                    "heads": list(pair.heads),
                    "together": rate_document(pair.together),
                    "interaction": pair.value,
                    "interval": list(pair.interval) if pair.interval else None,
                    "images": pair.images,
                }
                for pair in self.pairs
            ],
            "clusters": [list(cluster) for cluster in self.clusters],
        }


def strongest(singles: Sequence[Judged], count: int) -> list[str]:
    """Labels of the heads that mitigate most images; of equals, those under which the DvD score falls most.

    Heads that mitigate nothing are not among them.
    """
    tallies = [tally(name, members) for name, members in grouped(singles, label).items()]
    tallies = [one for one in tallies if one.images.mitigated.count]
    tallies.sort(key=lambda one: (one.images.mitigated.share or 0.0, one.fall or 0.0), reverse=True)
    return [one.name for one in tallies[:count]]


def interactions(steps: str, heads: Sequence[str], singles: Sequence[Judged], pairs: Sequence[Judged]) -> Interactions:
    """What each two of the heads do together, beyond what they do alone.

    The effect of heads on an image is 1 where they mitigate it and 0 where not; over images scored under a, under b
    and under both, ``I(a, b)`` is the mean of effect(a, b) − effect(a) − effect(b). Below 0 the two do the same
    work; above 0 each needs the other. It is at most 1 − effect(a) − effect(b).

    Args:
        heads: labels, in forward order; a pair's label joins two of them by " + ".

    Source: the interaction is that of a two-factor design, as in Yates (1937); its use here is ours.
    """
    effect = {(label(one), one.prompt.id, one.seed): one.outcome for one in (*singles, *pairs)}
    alone = grouped(singles, label)
    found = []
    for first, second in itertools.combinations(heads, 2):
        name = f"{first} + {second}"
        members = [one for one in pairs if label(one) == name]
        by_prompt: dict[str, list[float]] = {}
        for one in members:
            three = [effect.get((key, one.prompt.id, one.seed)) for key in (name, first, second)]
            if None not in three:
                both, *each = (float(outcome == "mitigated") for outcome in three)
                by_prompt.setdefault(one.prompt.id, []).append(both - sum(each))
        values = [value for cluster in by_prompt.values() for value in cluster]
        found.append(
            Interaction(
                heads=(first, second),
                together=tally(name, members).images.mitigated,
                value=sum(values) / len(values) if values else None,
                interval=bootstrap_mean(list(by_prompt.values())) if len(by_prompt) > 1 else None,
                images=len(values),
            )
        )
    matrix = np.zeros((len(heads), len(heads)))
    for pair in found:
        one, other = (heads.index(head) for head in pair.heads)
        matrix[one, other] = matrix[other, one] = pair.value or 0.0
    return Interactions(
        steps=steps,
        effects={head: tally(head, alone.get(head, [])).images.mitigated for head in heads},
        pairs=tuple(found),
        clusters=tuple(tuple(heads[place] for place in cluster) for cluster in average_linkage(matrix, below=0.0)),
    )


def average_linkage(distance: Float[np.ndarray, "item item"], below: float) -> list[list[int]]:
    """Clusters of items: the two closest are merged, again and again, while the mean distance between them is below.

    Items keep their order inside a cluster; clusters stand in the order of their first items.

    Source: Sokal & Michener (1958), average linkage.

    >>> average_linkage(np.array([[0.0, 1, -2], [1, 0, 1], [-2, 1, 0]]), below=0.0)
    [[0, 2], [1]]
    """
    clusters = [[place] for place in range(len(distance))]
    while len(clusters) > 1:
        apart, one, other = min(
            (float(distance[np.ix_(clusters[one], clusters[other])].mean()), one, other)
            for one, other in itertools.combinations(range(len(clusters)), 2)
        )
        if apart >= below:
            break
        clusters[one] = sorted(clusters[one] + clusters.pop(other))
    return sorted(clusters)
