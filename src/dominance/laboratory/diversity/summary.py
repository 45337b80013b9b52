"""What the experiment has measured so far, as one document: every arm with its levels and its rank correlations."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.laboratory.diversity.arms import ARMS, MAIN, Arm
from dominance.laboratory.diversity.forecast import Forecast, VerdictForecast, forecasts, verdict_forecasts
from dominance.laboratory.diversity.results import DiversityResult, by_conditions
from dominance.laboratory.diversity.statistics import Level, Trend, levels_of, trend, untaught_beside
from dominance.laboratory.diversity.wanted import Criterion, criteria


@dataclass(frozen=True)
class ArmSummary:
    """The models of one arm on one base.

    Attributes:
        asks: the question that the arm answers.
        base: identity of the model that was taught.
        images: a prompt; models measured with another number of them stand by themselves.
        judges: identities of those that looked.
        by_designs: DvD against the number of designs; None of an arm that does not vary it, or of fewer than 2 models.
        by_diversity: DvD against the measured diversity of the set; None likewise.
    """

    arm: str
    asks: str
    base: str
    images: int
    judges: tuple[str, ...]
    models: int
    levels: tuple[Level, ...]
    by_designs: Trend | None
    by_diversity: Trend | None


@dataclass(frozen=True)
class BaseSummary:
    """The models of all arms on one base, measured with one number of images a prompt.

    Attributes:
        criteria: what was wanted of the main arm, and what was found; empty where it was not measured.
        forecasts: how well the measured diversity of the sets tells the DvD.
        verdicts: the DvD by what ``dominance diversity`` would say of the sets.
    """

    base: str
    images: int
    criteria: tuple[Criterion, ...]
    forecasts: tuple[Forecast, ...]
    verdicts: tuple[VerdictForecast, ...]


@dataclass(frozen=True)
class ExperimentSummary:
    """All that is measured.

    Attributes:
        results: the file that it stands in, a line a model.
        page: the page that was written.
    """

    results: str
    page: str
    models: int
    bases: tuple[BaseSummary, ...]
    arms: tuple[ArmSummary, ...]


def summary_of(results: Sequence[DiversityResult], file: str, page: str) -> ExperimentSummary:
    """Everything, by base and images a prompt, in the order of the page."""
    groups = by_conditions(results).items()
    return ExperimentSummary(
        results=file,
        page=page,
        models=len(results),
        bases=tuple(_of_base(*conditions, own) for conditions, own in groups),
        arms=tuple(
            _of_arm(arm, [result for result in own if result.arm == arm.name])
            for _, own in groups
            for arm in ARMS
            if any(result.arm == arm.name for result in own)
        ),
    )


def _of_base(base: str, images: int, own: Sequence[DiversityResult]) -> BaseSummary:
    known = [result for result in own if result.arm == MAIN.name]
    return BaseSummary(
        base=base,
        images=images,
        criteria=criteria(known, untaught_beside(known, own)) if known else (),
        forecasts=forecasts(own),
        verdicts=verdict_forecasts(own),
    )


def _of_arm(arm: Arm, own: Sequence[DiversityResult]) -> ArmSummary:
    return ArmSummary(
        arm=arm.name,
        asks=arm.asks,
        base=own[0].base,
        images=own[0].images,
        judges=tuple(dict.fromkeys(result.judge for result in own)),
        models=len(own),
        levels=tuple(levels_of(own)),
        by_designs=trend(own, lambda result: result.level) if arm.is_dose else None,
        by_diversity=trend(own, lambda result: result.diversity) if arm.is_dose else None,
    )
