"""The dominated token leads early, and loses its lead while the picture is made."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import torch

from dominance.metrics import deviation_change
from dominance.metrics.measured import of_clusters
from dominance.numbers import measure
from dominance.reproduce.attention import Recorded
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "change of the dominated concept's attention deviation over the first fifth of the steps, layer 7",
    0.0,
    "below",
    "measure",
)


def examine(experiments: Experiments) -> Finding:
    """The first interval decides; all intervals, both roles and the balanced prompts stand beside it."""
    recorded = [one for one in experiments.recorded if len(one.edges) > 2]
    dominance = [one for one in recorded if one.part == DOMINANCE and one.dominated in one.trailing]
    if not dominance:
        raise ImpossibleError("a generation has too few steps to part it, or no prompt leaves its concepts apart")
    fallen = [changes(one.trailing[one.dominated or ""], one.edges) for one in dominance]
    risen = [
        changes(one.leading[one.dominating or ""], one.edges) for one in dominance if one.dominating in one.leading
    ]
    both = [_mean_changes(one) for one in recorded if one.part == BALANCED and one.trailing]
    named = {"dominated, layer 7": fallen, "dominating, layers 8 to 10": risen, "balanced, layer 7": both}
    return found(
        of_clusters([[row[0]] for row in fallen]),
        RULE,
        experiments.size.recorded_seeds,
        *courses(named),
        why=experiments.layers.note,
    )


def courses(named: Mapping[str, Sequence[Sequence[float]]]) -> tuple[list[Figure], list[Plot]]:
    """How roles' attention deviations change: a figure each of the first fifth, and the plot of all.

    Args:
        named: by role, the changes in each prompt, which is the unit; see ``changes``.
    """
    lines = tuple(_course_line(name, rows) for name, rows in named.items() if rows)
    figures = [
        Figure(f"{line.name}: change over the first fifth", measure(line.values[0][1], line.values[0][2]))
        for line in lines
    ]
    axis = "fifth of the generation"
    return figures, [Plot("lines", "change of the attention deviation", lines=lines, axis=axis, mark=(0.0, "0"))]


def changes(course: Sequence[float], edges: Sequence[int]) -> list[float]:
    """Of an attention deviation, over each of the paper's intervals."""
    return deviation_change(torch.tensor(course), edges).tolist()


def _mean_changes(one: Recorded) -> list[float]:
    """The mean over a prompt's concepts, which are drawn in the same images and so are not independent."""
    rows = [changes(course, one.edges) for course in one.trailing.values()]
    return [fmean(column) for column in zip(*rows, strict=True)]


def _course_line(name: str, rows: Sequence[Sequence[float]]) -> Line:
    """The mean change over each interval, a prompt a row."""
    values = []
    for place, column in enumerate(zip(*rows, strict=True), start=1):
        mean = of_clusters([[value] for value in column])
        values.append((place, mean.value, mean.interval if mean.n > 1 else None))
    return Line(name, tuple(values))


CLAIM = Claim(
    "dynamics",
    "The dominated token declines from the start",
    "The dominated token peaks early in layer 7 and then declines, most in the first interval of steps (50 to 40); the"
    " dominating one holds its lead in layers 8 to 10.",
    DVD,
    "declines, interval 50–40 first",
    "Whole generations of the bench's prompts are recorded; the attention deviation is followed over five intervals.",
    RULE,
    ("bench", "recorded"),
    examine,
    otherwise=(
        "A model of fewer steps and another schedule decides earlier, so that the first fifth may already lie past"
        " the decline. The other intervals and roles in the plot show where the dominated concept loses its lead, if"
        " it ever has it."
    ),
)
