"""Heads that work together: sets of the strongest, chosen on other prompts than those on which they are tried."""

from collections.abc import Sequence

from dominance.metrics.intervals import alike_rate
from dominance.metrics.measured import of_clusters
from dominance.numbers import rate as written
from dominance.numbers import share_difference
from dominance.reproduce.claims.claim import OURS, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.size import SET_HEADS
from dominance.runs.ablation.cooperation import HeadSets, Rise
from dominance.runs.ablation.variants import head_label, heads_label
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "rise of the lost concept's presence without the set of heads that was best on other prompts, less that without the"
    " head that was best alone on them",
    0.0,
    "above",
    "share difference",
)


def examine(experiments: Experiments) -> Finding:
    """The best set against the best single head, prompt by prompt; sets by size beside it."""
    result = experiments.head_sets
    sets = next((one for one in result.sets if one.by_prompt), None)
    if sets is None:
        raise ImpossibleError("; ".join(result.notes) or "there is no sweep of sets")
    held_out = list(sets.by_prompt.values())
    figures = [
        _figure("the best set", [own.best for own in held_out]),
        _figure("the best single head", [own.single for own in held_out]),
    ]
    for size in sets.sizes[1:]:
        figures += [
            Figure(f"rise without the greedy set of {size.size} heads", _rise(size.greedy)),
            Figure(f"rise without the best set of {size.size} heads", _rise(size.best)),
        ]
    behind = max(size.behind_where_chosen for size in sets.sizes)
    best = [half.best_of_all for half in sets.halves]
    outcomes = {name: [getattr(one.images, name) for one in best] for name in ("mitigated", "corrupted")}
    figures += [
        Figure("greedy sets behind the best of their size, at most, where chosen", share_difference(behind)),
        *(
            Figure(
                f"images without the best set: {name}",
                written(alike_rate(sum(one.count for one in rates), sum(one.n for one in rates), len(held_out))),
            )
            for name, rates in outcomes.items()
        ),
        Figure("heads of the best sets", "; ".join(heads_label(one.heads) for one in best)),
        Figure("heads that add most, by Shapley value", "; ".join(_adds_most(sets))),
    ]
    decides = of_clusters([[own.best - own.single] for own in held_out], most=2)
    return found(decides, RULE, experiments.size.ablated_seeds, figures, [_plot(sets)])


def _figure(name: str, values: Sequence[float]) -> Figure:
    measured = of_clusters([[value] for value in values], most=1)
    return Figure(f"rise without {name}", share_difference(measured.value, measured.interval))


def _rise(rise: Rise) -> str:
    return share_difference(rise.value, rise.interval)


def _adds_most(sets: HeadSets) -> list[str]:
    """Of each half the head with the largest Shapley value on the other, and that value."""
    most = [max(half.shares, key=lambda share: share.shapley.value or 0.0) for half in sets.halves]
    return [f"{head_label(share.head)}: {_rise(share.shapley)}" for share in most]


def _plot(sets: HeadSets) -> Plot:
    lines = tuple(
        Line(
            name,
            tuple(
                (size.size, rise.value or 0.0, rise.interval) for size in sets.sizes for rise in (getattr(size, kind),)
            ),
        )
        for kind, name in (("greedy", "greedy set"), ("best", "best set of its size"))
    )
    quantity = "rise of the lost concept's presence, on prompts that took no part in the choice"
    return Plot("lines", quantity, lines=lines, axis="heads removed together", unit="share difference")


CLAIM = Claim(
    "head-sets",
    "Several heads together bring a lost concept back",
    "Which heads act together is left open: the mitigating heads of a prompt are removed at once, whatever each adds.",
    OURS,
    "open",
    f"The {SET_HEADS} heads whose removal alone raises the lost concept's presence most, by P(yes), on every second"
    " dominance prompt are removed in every set of them. The best set and the best single head there are tried on the"
    " other prompts, and the other way round, so that no prompt has a part in what is chosen for it. The rise of"
    " presence decides, not how many images are mitigated, because single heads hardly mitigate any.",
    RULE,
    ("bench", "ablation", "head sets"),
    examine,
    otherwise=(
        "The best single head brings back more of the lost concept than the set that was best on other prompts. What a"
        " set does there is luck of those prompts, or removing more heads spoils the picture."
    ),
)
