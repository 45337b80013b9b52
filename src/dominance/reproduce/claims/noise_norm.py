"""Dominance prompts move the predicted noise more than balanced ones, and memorized ones most."""

from dominance.metrics import bootstrap_mean
from dominance.metrics.measured import of_difference
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
    known = {part: values for part, values in norms.items() if values}
    figures = []
    for part, values in known.items():
        interval = bootstrap_mean([[value] for value in values]) if len(values) > 1 else None
        figures.append(Figure(f"{len(values)} {part} prompts", measure(sum(values) / len(values), interval)))
    groups = tuple(Group(part, tuple(values), sum(values) / len(values)) for part, values in known.items())
    lines = tuple(
        Line(group.name, tuple((step, *found_here) for step, found_here in enumerate(group.course, start=1)))
        for group in result.groups
    )
    plots = [
        Plot("groups", "noise norm at step 1", groups),
        Plot("lines", "mean noise norm", lines=lines, axis="denoising step"),
    ]
    return found(of_difference(norms[BALANCED], norms[DOMINANCE]), RULE, experiments.size.norm_seeds, figures, plots)


CLAIM = Claim(
    "noise-norm",
    "Dominance prompts move the predicted noise more than balanced ones",
    "The text-conditional noise norm at step 1 is highest for memorized prompts, then dominance, then balanced ones.",
    DVD,
    "memorized > dominance > balanced",
    "The norm is measured for every prompt of the bench. The third group, memorized prompts, has a claim of its own,"
    " memorized-norm; the verdict here is about the other two.",
    RULE,
    ("bench", "norms"),
    examine,
    otherwise=(
        "The norm grows with everything that a prompt pins down, not only with what it has memorized, and two clearly"
        " drawn objects pin down more than one. The course over the steps shows whether the order is one of the first"
        " step alone."
    ),
)
