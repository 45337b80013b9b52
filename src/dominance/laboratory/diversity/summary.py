"""What the experiment has measured so far, as one document: every arm with its levels and its rank correlations."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.laboratory.diversity.arms import ARMS, Arm
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import Level, Trend, levels_of, trend


@dataclass(frozen=True)
class ArmSummary:
    """The models of one arm on one base.

    Attributes:
        asks: the question that the arm answers.
        base: identity of the model that was taught.
        judges: identities of those that looked.
        by_designs: DvD against the number of designs; None of an arm that does not vary it, or of fewer than 2 models.
        by_diversity: DvD against the measured diversity of the set; None likewise.
    """

    arm: str
    asks: str
    base: str
    judges: tuple[str, ...]
    models: int
    levels: tuple[Level, ...]
    by_designs: Trend | None
    by_diversity: Trend | None


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
    arms: tuple[ArmSummary, ...]


def arms_of(results: Sequence[DiversityResult]) -> tuple[ArmSummary, ...]:
    """Every arm of which something is measured, by base and in the order of the page."""
    bases = dict.fromkeys(result.base for result in results)
    parts = ((arm, base, [r for r in results if (r.arm, r.base) == (arm.name, base)]) for base in bases for arm in ARMS)
    return tuple(_summed(arm, base, own) for arm, base, own in parts if own)


def _summed(arm: Arm, base: str, own: Sequence[DiversityResult]) -> ArmSummary:
    return ArmSummary(
        arm=arm.name,
        asks=arm.asks,
        base=base,
        judges=tuple(dict.fromkeys(result.judge for result in own)),
        models=len(own),
        levels=tuple(levels_of(own)),
        by_designs=trend(own, lambda result: result.level) if arm.is_dose else None,
        by_diversity=trend(own, lambda result: result.diversity) if arm.is_dose else None,
    )
