"""Dominance prompts move the predicted noise more than balanced ones."""

from collections.abc import Mapping, Sequence

from dominance.metrics.measured import of_clusters, of_difference
from dominance.numbers import measure
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.memorized import MEMORIZED
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.noise_norm.result import MemorizationResult
from dominance.runs.reproduction.result import Figure, Finding, Group, Line, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "mean norm at step 1 of what the prompt adds to the predicted noise, dominance less balanced prompts",
    0.0,
    "above",
    "measure",
)


def first_norms(result: MemorizationResult, *needed: str) -> dict[str, list[float]]:
    """By group, each prompt's norm at step 1; a group may have none.

    Raises:
        ImpossibleError: a needed group has none.
    """
    norms: dict[str, list[float]] = {MEMORIZED: [], DOMINANCE: [], BALANCED: []}
    for prompt in result.prompts:
        if (value := prompt.mean("first")) is not None:
            norms[prompt.group].append(value)
    if not all(norms[group] for group in needed):
        raise ImpossibleError("no norm of one of the groups could be measured")
    return norms


def examine(experiments: Experiments) -> Finding:
    """Both groups at step 1 and over the steps."""
    for part in (DOMINANCE, BALANCED):
        experiments.entries(part)
    result = experiments.norms
    norms = first_norms(result, DOMINANCE, BALANCED)
    figures, plots = shown(result, norms)
    return found(of_difference(norms[BALANCED], norms[DOMINANCE]), RULE, experiments.size.norm_seeds, figures, plots)


def shown(result: MemorizationResult, norms: Mapping[str, Sequence[float]]) -> tuple[list[Figure], list[Plot]]:
    """The groups at step 1 and over the steps; a group without norms is not shown."""
    means = {part: of_clusters([[value] for value in values]) for part, values in norms.items() if values}
    figures = [
        Figure(f"{one.n} {part} prompts", measure(one.value, one.interval if one.n > 1 else None))
        for part, one in means.items()
    ]
    groups = tuple(Group(part, tuple(norms[part]), one.value) for part, one in means.items())
    lines = tuple(
        Line(group.name, tuple((step, *found_here) for step, found_here in enumerate(group.course, start=1)))
        for group in result.groups
    )
    plots = [
        Plot("groups", "noise norm at step 1", groups),
        Plot("lines", "mean noise norm", lines=lines, axis="denoising step"),
    ]
    return figures, plots


CLAIM = Claim(
    "noise-norm",
    "Dominance prompts move the predicted noise more than balanced ones",
    "The text-conditional noise norm at step 1 is higher for dominance prompts than for balanced ones.",
    DVD,
    "dominance > balanced",
    "The norm is measured for every prompt of the bench. The paper's third group, memorized prompts, comes in with the"
    " claim memorized-norm, which is about the order of all three.",
    RULE,
    ("bench", "norms"),
    examine,
    otherwise=(
        "The norm grows with everything that a prompt pins down, not only with what it has memorized, and two clearly"
        " drawn objects pin down more than one. The course over the steps shows whether the order is one of the first"
        " step alone."
    ),
)
