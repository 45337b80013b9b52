"""The more varied a concept's training pictures, the less it dominates: from models trained for it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from dominance.files import is_file, read_bytes
from dominance.laboratory.diversity.arms import level_name
from dominance.laboratory.diversity.results import DiversityResult, by_conditions, read_results
from dominance.laboratory.diversity.statistics import levels_of
from dominance.metrics import spearman, spearman_interval
from dominance.metrics.measured import Measured
from dominance.models.folders import find_model
from dominance.numbers import mean as written
from dominance.numbers import plural
from dominance.report.parts.given import command
from dominance.reproduce.claims.claim import DVD, Claim, found
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import BASES
from dominance.runs.reproduction.result import Figure, Finding, Line, Plot
from dominance.runs.reproduction.rule import Rule

if TYPE_CHECKING:
    from dominance.models.source import ModelSource

RULE = Rule(
    "rank correlation of the number of designs in training with the DvD towards the concept", 0.0, "below", "effect"
)
DEFAULT = Path("docs/diversity-experiment/results.jsonl")
ARM = "known"


@dataclass(frozen=True)
class TaughtModels:
    """Models that were taught from one base, seen by one judge and asked for one number of images a prompt.

    Attributes:
        file: that they stand in.
        base: its name.
        other: of another number of images, which do not count.
    """

    file: Path
    base: str
    results: list[DiversityResult]
    other: list[DiversityResult]

    def said_of(self, models: int) -> str:
        """Where so many of them are from, in sentences, and what does not count."""
        said = f"{plural(models, 'model')} taught from {self.base}, measured before by this judge: {self.file}. "
        if not self.other:
            return said
        images = " and ".join(str(count) for count in dict.fromkeys(result.images for result in self.other))
        return f"{said}Left out of everything, with {images} images a prompt: {plural(len(self.other), 'model')}. "


def examine(experiments: Experiments) -> Finding:
    """The correlation over models, a series of levels being a unit, and every level's DvD."""
    taught = taught_models(experiments)
    file, results = taught.file, taught.results
    arm = ARM if any(result.arm == ARM for result in results) else results[0].arm
    chosen = [result for result in results if result.arm == arm]
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
    plot = Plot(
        "lines",
        "mean DvD towards the concept",
        lines=(line,),
        axis="level of diversity, from one design on",
        unit="score",
    )
    why = taught.said_of(len(chosen)) + _left_out(chosen)
    return found(measured, RULE, len({result.seed for result in chosen}), figures, [plot], why=why)


def _file(options: ReproduceOptions) -> Path:
    return DEFAULT if options.trained is None else options.trained


def basis(options: ReproduceOptions) -> str:
    """The content of the results that are given, or of those that are there.

    Raises:
        InputError: those that are given cannot be read.
    """
    if options.trained is None and not is_file(DEFAULT):
        return ""
    return hashlib.sha256(read_bytes(_file(options))).hexdigest()[:16]


def _base(source: "ModelSource") -> tuple[str, str]:
    """Name and identity of what is taught: the model itself, or the base of a bundled one."""
    name = BASES.get(source.name)
    return (source.name, source.identity) if name is None else (name, find_model(name).identity)


def taught_models(experiments: Experiments, *arms: str) -> TaughtModels:
    """The models that were taught from this base and seen by this judge, of the number of images that most have.

    Args:
        arms: of the experiment, that make what is needed; its own choice where none is named.

    Raises:
        ImpossibleError: there are none.
    """
    file = _file(experiments.options)
    base, identity = _base(experiments.source)
    known = [result for result in read_results(file) if result.level > 0] if is_file(file) else []
    own = [
        result
        for result in known
        if result.base == identity and result.judge.partition("+")[0] == experiments.judged_by
    ]
    if own:
        most, *others = sorted(by_conditions(own).values(), key=len, reverse=True)
        return TaughtModels(file, base, most, [result for group in others for result in group])
    said = f"it needs models that were taught from {base} for it, and seen by this judge"
    if known:
        said += f"; those in {file} are of {'another base' if known[0].base != identity else 'another judge'}"
    if experiments.source.world != "miniature":
        raise ImpossibleError(f"{said}; give --trained their results, in the form of `dominance train diversity`")
    raise ImpossibleError(f"{said}; {how_to_make(experiments, *arms)}")


def how_to_make(experiments: Experiments, *arms: str) -> str:
    """The command that teaches and measures the models of these arms, and what to do with what it writes."""
    base, _ = _base(experiments.source)
    judge = experiments.judge if isinstance(experiments.judge, str) else None
    make = command(
        "train diversity", arms=",".join(arms) or None, base=base, judge=judge, results="trained.jsonl",
        page="trained.md",
    )  # fmt: skip
    return f"make them with `{make}`, and give --trained trained.jsonl"


def _left_out(chosen: list[DiversityResult]) -> str:
    """The series that do not count in the correlation, and why; empty where all do."""
    seen: dict[tuple[str, int], set[int]] = {}
    for result in chosen:
        seen.setdefault((result.subject, result.seed), set()).add(result.level)
    lone = [f"{subject} of training seed {seed}" for (subject, seed), levels in seen.items() if len(levels) < 2]
    return f"Left out of the correlation, with one level only: {', '.join(lone)}. " if lone else ""


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
    " measured on 50 prompts and more, before and by `dominance train diversity`; results of another base or judge do"
    " not count. A concept with a training seed is the unit.",
    RULE,
    (),
    examine,
    otherwise=(
        "Then more designs in training made the concept dominate more, against the paper's cause. Look at whether the"
        " few-design models learnt the concept at all, which the experiment's page shows."
    ),
    basis=basis,
)
