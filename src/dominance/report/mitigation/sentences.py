"""What a mitigation says in words: its headline, and its figures as tables show them."""

from dataclasses import dataclass

from dominance.numbers import UNKNOWN, coefficient, counted, difference, fraction, mean, plural, rate, score
from dominance.report.parts.sentences import listed
from dominance.runs.mitigation.options import POLICY
from dominance.runs.mitigation.result import Against, MethodResult, MitigationResult, SecondOpinion


@dataclass(frozen=True)
class MethodRow:
    """One method's figures, as the page and the terminal show them."""

    name: str
    dvd: str
    change: str
    collapsed: str
    kept: str
    restored: str
    neither: str
    harmed: str
    distance: str
    time: str
    evaluations: str


def mitigation_headline(result: MitigationResult) -> str:
    """What the best method does, in one sentence."""
    best = result.best
    if best.change is None:
        return "No image has a score both plain and repaired, so nothing can be compared."
    if best.dvd_before == 0:
        return _undominated(result, best)
    said = [f"mean DvD {score(best.dvd_before)} to {score(best.dvd_after)}"]
    if best.collapsed_before.n:
        said.append(f"{best.collapsed_before.count} to {counted(best.collapsed_after)} images collapsed")
    said.append(_harmed(best))
    if best.cost.time is not None:
        said.append(f"{times(best.cost.time)} the time")
    return f"{_named(result, best)}: {', '.join(said)}."


def _undominated(result: MitigationResult, best: MethodResult) -> str:
    """Where no concept dominates the plain images; they may lack one all the same."""
    who, lacking = _who(result, best), best.repaired
    if not lacking.n:
        return f"There was nothing to repair: the plain images have a mean DvD of 0. {who}: {_harmed(best)}."
    return (
        f"No concept dominates the plain images, but {lacking.n} of {best.pairs} lack a concept. {who}: repaired"
        f" {counted(lacking)}, {_harmed(best)}."
    )


def _who(result: MitigationResult, row: MethodResult) -> str:
    if row.method == POLICY:
        return f"Drawing only what fails again, by {listed([method.method for method in result.methods])}"
    return row.method


def _named(result: MitigationResult, row: MethodResult) -> str:
    if row.method == POLICY:
        return _who(result, row)
    count, helps = len(result.methods), row.change is not None and row.change < 0
    if count == 1:
        return row.method if helps else f"{row.method} does not lower DvD"
    return (
        f"{row.method}, the most of {count} methods" if helps else f"none of {count} methods lowers DvD, {row.method}"
    )


def _harmed(row: MethodResult) -> str:
    if not row.harmed.n:
        return "no image was balanced before"
    return f"harmed {counted(row.harmed)} balanced images"


def control_sentence(result: MitigationResult) -> str | None:
    """What drawing again from another seed does without a method; None where nothing says it."""
    control = result.control
    if control is None or (not control.harmed.n and control.change is None):
        return None
    said = f"Another seed alone takes mean DvD from {score(control.dvd_before)} to {score(control.dvd_after)}"
    return f"{said} and loses {counted(control.harmed)} balanced images." if control.harmed.n else f"{said}."


def doubt_sentence(result: MitigationResult) -> str | None:
    """That chance alone could be behind the change; None where it could not, or where nothing is compared."""
    best = result.best
    if best.change is None:
        return None
    if best.change_interval is None:
        return "One prompt says nothing about others: give more prompts."
    low, high = best.change_interval
    if high >= 0 >= low:
        return (
            f"The interval of the change, {difference(best.change, best.change_interval)}, holds 0: draw more prompts."
        )
    return None


def cost_sentence(result: MitigationResult) -> str | None:
    """How far costs are known, and times of one run; None where all are."""
    cost, pairs = result.best.cost, result.best.pairs + result.best.unscored
    said = []
    if not cost.images and pairs:
        return "What it costs is not known: the images were there already, and nobody timed them."
    if cost.images < pairs:
        said.append(
            f"Costs are of {cost.images} of {plural(pairs, 'pair')}: the other images were there already, and nobody"
            " timed them."
        )
    if cost.apart:
        said.append(
            f"Of {cost.apart} of {plural(cost.images, 'pair')}, the images were timed in different runs or on different"
            " devices, so the time may be that of another load; draw all in one run to compare it."
        )
    return " ".join(said) or None


def plain_sentences(result: MitigationResult) -> tuple[str, ...]:
    """What each method leaves plain, and why."""
    return tuple(
        f"{row.method} leaves {plural(left.images, 'image')} of {plural(left.prompts, 'prompt')} plain: {left.why}."
        for row in result.methods
        for left in row.left_plain
    )


def second_sentence(second: SecondOpinion) -> str:
    """How far the second judge agrees with the first."""
    kappa = coefficient(second.kappa, second.kappa_interval)
    said = (
        f"{second.judge}, which took no part in selecting, agrees on {rate(second.agreed)} concepts in images, κ"
        f" {kappa}."
    )
    return f"{said} It gave {plural(second.unscored, 'image')} no score." if second.unscored else said


def against_sentence(against: Against) -> str | None:
    """What the method that lowers DvD most does against the baseline; None where nothing is compared."""
    known = [row for row in against.methods if row.change is not None]
    if not known:
        return None
    best = min(known, key=lambda row: row.change or 0.0)
    said = (
        f"Against {against.baseline}, {best.method} changes mean DvD by {difference(best.change, best.change_interval)}"
    )
    low, high = best.change_interval or (best.change, best.change)
    doubt = "" if low is None or high is None or not low <= 0 <= high else ", which may be chance"
    balanced = f"balanced under {against.baseline}"
    harmed = (
        f"it harms {counted(best.harmed)} images that are {balanced}" if best.harmed.n else f"no image is {balanced}"
    )
    return f"{said}{doubt}; {harmed}."


def against_rows(against: Against) -> tuple[MethodRow, ...]:
    """The figures of the other methods, and the policy, against one of them."""
    return tuple(_row(row, part=False) for row in against.rows)


def method_rows(result: MitigationResult, by: SecondOpinion | None = None) -> tuple[MethodRow, ...]:
    """The figures of every method, the policy and the control, by default as the first judge sees them."""
    seen = result if by is None else by
    return tuple(_row(row, part=result.only_failing and row in seen.methods) for row in seen.rows)


def _row(row: MethodResult, *, part: bool) -> MethodRow:
    return MethodRow(
        name=f"{row.method}, {plural(row.pairs + row.unscored, 'failing image')}" if part else row.method,
        dvd=f"{score(row.dvd_before)} to {score(row.dvd_after)}" if row.pairs else UNKNOWN,
        change=difference(row.change, row.change_interval),
        collapsed=f"{row.collapsed_before.count} to {counted(row.collapsed_after)}" if row.pairs else UNKNOWN,
        kept=rate(row.kept),
        restored=rate(row.restored),
        neither=fraction(row.neither),
        harmed=rate(row.harmed),
        distance=coefficient(row.distance, row.distance_interval),
        time=_over(row.cost.time),
        evaluations=_over(row.cost.evaluations),
    )


def times(ratio: float | None) -> str:
    """A cost over that of plain images.

    >>> times(1.0712), times(None)
    ('1.07 times', '–')
    """
    return UNKNOWN if ratio is None else f"{ratio:.2f} times"


def _over(ratio: float | None) -> str:
    return UNKNOWN if ratio is None else f"{ratio:.2f}×"


def dvd_by_arm(values: dict[str, float | None]) -> str:
    """A prompt's mean DvD by arm."""
    return ", ".join(f"{name} {mean(value)}" for name, value in values.items())
