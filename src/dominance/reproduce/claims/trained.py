"""The more varied a concept's training pictures, the less it dominates: from models trained for it."""

from pathlib import Path
from statistics import fmean

from dominance.files import is_file
from dominance.laboratory.diversity.arms import ARMS, level_name
from dominance.laboratory.diversity.results import DiversityResult, read_results
from dominance.laboratory.diversity.statistics import levels_of
from dominance.metrics import spearman, spearman_interval
from dominance.numbers import mean as written
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.decision import Measured, Rule
from dominance.reproduce.experiments import Experiments, ImpossibleError
from dominance.reproduce.result import Figure, Finding, Line, Plot

RULE = Rule(
    "rank correlation of the number of designs in training with the DvD towards the concept", 0.0, "below", "effect"
)
DEFAULT = Path("docs/diversity-experiment/results.jsonl")
ARM = "known"


def examine(experiments: Experiments) -> Finding:
    """The correlation over models, a series of levels being a unit, and every level's DvD."""
    given = experiments.options.trained
    file = DEFAULT if given is None else given
    if given is None and experiments.source.world != "miniature":
        raise ImpossibleError(
            "it needs models that were taught for it; give --trained results of `dominance train diversity`"
        )
    if not is_file(file):
        raise ImpossibleError(f"there is no {file}; make it with `dominance train diversity`, or give --trained")
    taught = [result for result in read_results(file) if result.level > 0]
    arm = next((arm.name for arm in ARMS if arm.name == ARM and any(r.arm == ARM for r in taught)), None)
    chosen = [result for result in taught if result.arm == (arm or taught[0].arm)]
    strata = _series(chosen)
    if len(strata) < 2:
        raise ImpossibleError(f"{file} holds no two concepts or training seeds with several levels")
    pairs = [pair for own in strata for pair in own]
    rho = spearman(*zip(*pairs, strict=True))
    interval = spearman_interval(strata)
    if rho is None or interval is None:
        raise ImpossibleError(f"all models in {file} have the same DvD")
    measured = Measured(
        rho,
        lambda confidence: spearman_interval(strata, confidence=confidence) or interval,
        len(strata),
        "concepts and training seeds",
    )
    levels = levels_of(chosen)
    figures = [
        Figure(f"DvD, {level_name(level.level)} designs", written(level.dvd, level.dvd_interval)) for level in levels
    ]
    line = Line("DvD", tuple((place, level.dvd, level.dvd_interval) for place, level in enumerate(levels, start=1)))
    plot = Plot("lines", "mean DvD towards the concept", lines=(line,), axis="level of diversity, from one design on")
    return found(measured, RULE, len({result.seed for result in chosen}), figures, [plot])


def _series(results: list[DiversityResult]) -> list[list[tuple[float, float]]]:
    series: dict[tuple[str, int], dict[int, list[float]]] = {}
    for result in results:
        series.setdefault((result.subject, result.seed), {}).setdefault(result.level, []).append(result.dvd)
    return [
        [(float(level), fmean(scores)) for level, scores in sorted(own.items())]
        for own in series.values()
        if len(own) > 1
    ]


CLAIM = Claim(
    "training-diversity",
    "Varied training pictures lower dominance",
    "Models taught one concept from 1 to 10 kinds of it (D1 to D10) dominate less, the more kinds there were.",
    DVD,
    "falls from D1 to D10",
    "Adapters that teach the miniature base one concept from 1, 2, 4, 6, 8, 10 designs or all different, each model"
    " measured on 50 prompts and more; a concept with a training seed is the unit.",
    RULE,
    (),
    examine,
    otherwise=(
        "Then more designs in training made the concept dominate more, against the paper's cause. Look at whether the"
        " few-design models learnt the concept at all, which the experiment's page shows."
    ),
)
