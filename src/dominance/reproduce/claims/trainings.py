"""A model of other training dominates less on the same prompts."""

from statistics import median

from dominance.metrics.measured import of_paired_medians
from dominance.numbers import mean as written
from dominance.reproduce.claims.claim import COLLAPSE_MARK, DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.reproduction.result import Figure, Finding, Group, Plot
from dominance.runs.reproduction.rule import Rule

RULE = Rule(
    "median DvD of the second model less that of the first, on the same unfiltered prompts and noise",
    0.0,
    "below",
    "score difference",
)


def examine(experiments: Experiments) -> Finding:
    """Both medians over the prompts that both models have scores of."""
    second = experiments.other_independent  # which says that there is none before anything is drawn
    first = experiments.independent
    other = {prompt.prompt.id: prompt.dvd_mean for prompt in second.prompts}
    pairs = [
        (prompt.dvd_mean, theirs)
        for prompt in first.prompts
        if prompt.dvd_mean is not None and (theirs := other.get(prompt.prompt.id)) is not None
    ]
    if not pairs:
        raise ImpossibleError("no prompt has a score of both models")
    before, after = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    figures = [
        Figure(f"median DvD, {first.model}", written(median(before)), "64 (SD 1.4)"),
        Figure(f"median DvD, {second.model}", written(median(after)), "40 (SD 2.1)"),
    ]
    groups = (
        Group(first.model, tuple(before), median(before)),
        Group(second.model, tuple(after), median(after)),
    )
    plot = Plot("groups", "mean DvD of a prompt", groups, mark=COLLAPSE_MARK, unit="score")
    return found(of_paired_medians(before, after), RULE, experiments.size.independent_seeds, figures, [plot])


CLAIM = Claim(
    "two-trainings",
    "A model of other training dominates less",
    "SD 2.1, which was trained on other data, dominates as well but less: the median DvD is 40, against 64 in SD 1.4.",
    DVD,
    "64 against 40",
    "The independent suite in two models from the same noise. The second is the one given by --other; for the miniature"
    " its base, in whose training every entity was varied.",
    RULE,
    ("independent", "other"),
    examine,
    otherwise=(
        "The second model's training may leave as many concepts uniform as the first's, or compose worse in other"
        " ways. Compare presence as well as DvD before calling one of them better."
    ),
)
