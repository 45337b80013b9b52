"""What the experiment was wanted to show of entities that the base knows, and whether it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dominance import numbers
from dominance.laboratory.diversity.arms import level_name
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import Level, levels_of, summed, trend
from dominance.metrics.differences import difference_of_intervals

ONE_DESIGN: float = 65.0
"""Mean DvD of one design, at least."""
TEN_DESIGNS: float = 25.0
"""Mean DvD of ten, at most."""
FALL: float = -0.9
"""Spearman's ρ of the levels' means, at most."""
FALL_FOR_SURE: float = -0.6
"""The upper end of its interval lies below this."""
ALONE: float = 0.95
"""Images of each concept alone that show it, at least."""
PAIRS_APART: float = 0.10
"""Object pairs of each level with both, at most so far from the base's."""
_UNMEASURED = "not measured"


@dataclass(frozen=True)
class Criterion:
    """One thing that was wanted, what was found, and whether that meets it; what is not measured does not."""

    what: str
    wanted: str
    found: str
    met: bool


def criteria(known: Sequence[DiversityResult], base: Sequence[DiversityResult]) -> tuple[Criterion, ...]:
    """Of the models of the main arm, beside the base untaught.

    Args:
        known: of one base and one number of images a prompt; none of another arm.
    """
    levels = {found.level: found for found in levels_of(known)}
    return (
        _mean("mean DvD at one design", levels.get(1), f"≥ {ONE_DESIGN:.0f}", lambda dvd: dvd >= ONE_DESIGN),
        _mean("mean DvD at ten designs", levels.get(10), f"≤ {TEN_DESIGNS:.0f}", lambda dvd: dvd <= TEN_DESIGNS),
        *_fall(known),
        _alone(known),
        _pairs(list(levels.values()), base),
    )


def _mean(what: str, found: Level | None, wanted: str, holds: Callable[[float], bool]) -> Criterion:
    if found is None:
        return Criterion(what, wanted, _UNMEASURED, False)
    said = f"{numbers.mean(found.dvd, found.dvd_interval)}, {numbers.plural(found.models, 'model')}"
    return Criterion(what, wanted, said, holds(found.dvd))


def _fall(known: Sequence[DiversityResult]) -> list[Criterion]:
    what = "Spearman's ρ of designs and the levels' mean DvD"
    wanted = (f"≤ {numbers.coefficient(FALL)}", f"below {numbers.coefficient(FALL_FOR_SURE)}")
    found = trend(known, lambda result: result.level)
    rho, interval = (None, None) if found is None else (found.of_means, found.of_means_interval)
    ends = _UNMEASURED if interval is None else " to ".join(numbers.coefficient(end) for end in interval)
    return [
        Criterion(what, wanted[0], _UNMEASURED if rho is None else numbers.coefficient(rho),
                  rho is not None and rho <= FALL),
        Criterion(f"{what}, its interval", wanted[1], ends, interval is not None and interval[1] < FALL_FOR_SURE),
    ]  # fmt: skip


def _alone(known: Sequence[DiversityResult]) -> Criterion:
    what, wanted = "each concept alone, the worst", f"≥ {ALONE:.0%}"
    names = dict.fromkeys(result.subject for result in known)
    shown = {name: summed([result.alone for result in known if result.subject == name]) for name in names}
    if not shown:
        return Criterion(what, wanted, _UNMEASURED, False)
    worst = min(shown, key=lambda name: shown[name].share or 0.0)
    return Criterion(what, wanted, f"{numbers.rate(shown[worst])}, {worst}", (shown[worst].share or 0.0) >= ALONE)


def _pairs(levels: Sequence[Level], base: Sequence[DiversityResult]) -> Criterion:
    what, wanted = "object pairs with both, the level farthest from the base", f"within {100 * PAIRS_APART:.0f} points"
    if not levels or not base:
        return Criterion(what, wanted, _UNMEASURED, False)
    (untaught,) = levels_of(base)
    apart = {found.level: difference_of_intervals(untaught.pairs, found.pairs) for found in levels}
    level = max(apart, key=lambda level: abs(apart[level][0]))
    difference, interval = apart[level]
    said = (
        f"{numbers.share_difference(difference, interval)} at {level_name(level)}:"
        f" {numbers.rate(next(found.pairs for found in levels if found.level == level))}, the base"
        f" {numbers.rate(untaught.pairs)}"
    )
    return Criterion(what, wanted, said, abs(difference) <= PAIRS_APART + 1e-9)
