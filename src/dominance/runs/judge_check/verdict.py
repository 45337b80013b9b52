"""What a judge check concludes, in plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.metrics import Confusion
from dominance.numbers import coefficient, plural, rate, share
from dominance.runs.judge_check.generated import MISTAKEN
from dominance.runs.judge_check.generated_result import GeneratedFindings
from dominance.runs.judge_check.result import AgreementRow, ControlFindings, JudgeCalibration, Trust, YesTally

GOOD: float = 0.05
"""Largest share of yes on the worst control at which the judge's yes can be trusted. Our choice."""
BAD: float = 0.15
"""From this share on, it cannot. Our choice."""
SILENT = 0.05
"""A judge that rarely says yes, even about the prompts' own concepts, cannot be checked by its "no" answers."""
_FROM_GOOD: tuple[Trust, ...] = ("good", "unknown", "care", "none")
BROKEN: float = 0.5
"""From this share of yes on broken images on, a judge takes broken images for intact ones. Our choice."""


@dataclass(frozen=True)
class Verdict:
    """How far a judge's yes can be trusted: one sentence, and details that qualify it."""

    trust: Trust
    sentence: str
    details: tuple[str, ...] = ()


def verdict_of(name: str, own: YesTally, controls: Sequence[ControlFindings]) -> Verdict:
    """Whether a judge's yes can be trusted, by the worst kind of control on which every yes is wrong.

    A judge that takes broken images for intact ones is at best ``care``.

    Source: our own rule; see ``GOOD``, ``BAD`` and ``BROKEN``.
    """
    counted = [control for control in controls if control.certain and control.yes.n]
    if not counted or not own.yes.n:
        return Verdict("unknown", f"{name} has not answered enough questions to be judged itself.")
    worst = max(counted, key=lambda control: (control.yes.share or 0.0, control.yes.n))
    worst_share, own_share = worst.yes.share or 0.0, own.yes.share or 0.0
    details = (f"It says yes to {rate(own.yes)} questions about the prompts' own concepts.", *_broken(controls))
    if own_share <= SILENT and worst_share <= GOOD:
        seldom = f"{name} rarely says yes, even about the prompts' own concepts"
        return Verdict("unknown", f'{seldom}, so its "no" answers carry no information.', details)
    wrong = f"says yes to {rate(worst.yes)} questions about {worst.shows}, where every yes is wrong"
    if not worst.yes.count:
        wrong = f"says yes to none of {sum(control.yes.n for control in counted)} questions about absent concepts"
    if worst_share >= BAD:
        everything = all((control.yes.share or 0.0) > 1 - GOOD for control in counted)
        which = f"{name}, which says yes to everything" if everything else name
        return Verdict("none", f"Do not trust {which}: it {wrong}.", details)
    if any(not control.certain and (control.yes.share or 0.0) >= BROKEN for control in controls):
        caveat = "but it takes broken images for intact ones"
        return Verdict("care", f"Treat a yes from {name} with care: it {wrong}, {caveat}.", details)
    if worst_share > GOOD:
        return Verdict("care", f"Treat a yes from {name} with care: it {wrong}.", details)
    at_worst = "at worst " if worst_share else ""
    return Verdict("good", f"{name} does not see what is not there: it {at_worst}{wrong}.", details)


def _broken(controls: Sequence[ControlFindings]) -> tuple[str, ...]:
    """About broken images, which may rightly show part of a concept."""
    parts = [
        f"{rate(control.yes)} questions about {control.shows}"
        for control in controls
        if not control.certain and control.yes.n
    ]
    part = "which may still show part of the concept, but never all of it"
    return (f"It says yes to {' and to '.join(parts)}, {part}.",) if parts else ()


def on_generated(name: str, found: GeneratedFindings, controls: Verdict) -> Verdict:
    """The verdict by the labels of pictures that models drew, no better than that by the controls.

    It goes by the largest of four shares: false noes and false yeses among all concepts, and both among those that the
    prompts name. Up to ``MISTAKEN`` a judge is good, from ``BAD`` on it cannot be trusted, in between it takes care.
    Without a concept that readers call plain, or without one that they call absent, the controls alone decide.

    Source: our own rule.
    """
    no, yes, named = found.total.false_no, found.total.false_yes, found.named
    if not no.n or not yes.n:
        return controls
    shares = [rate.share or 0.0 for rate in (no, yes, named.false_yes, named.false_no)]
    own: Trust = "none" if max(shares) >= BAD else "care" if max(shares) > MISTAKEN else "good"
    trust = max(own, controls.trust, key=_FROM_GOOD.index)
    sentence = (
        f"On pictures that models drew, {name} says no to {rate(no)} concepts that readers call plain, and yes to"
        f" {rate(yes)} that they call absent."
    )
    missing = f"Of the concepts that a prompt names and readers call absent, it says yes to {rate(named.false_yes)}."
    missed = [criterion.name for criterion in found.missed]
    measured = [criterion for criterion in found.criteria if criterion.holds is not None]
    reached = f"{len(measured) - len(missed)} of {len(measured)} criteria hold"
    accepted = f"{reached}; not: {'; '.join(missed)}." if missed else f"All {len(measured)} criteria hold."
    return Verdict(trust, sentence, (missing, accepted, controls.sentence, *controls.details))


def agreement_sentence(first: str, second: str, row: AgreementRow, together: AgreementRow) -> str:
    """How often two judges agree, and why κ is undefined or necessarily 0, if it is.

    Args:
        row: on unaltered images; ``together`` is on these and the controls.
    """
    if not row.n:
        return f"{first} and {second} have no answered question in common, so their agreement is unknown."
    agreed = f"{first} and {second} give the same answer to {row.agreed} of {row.n} questions"
    agreed += f" ({share(row.agreed / row.n)}) about {plural(row.images, 'image')}"
    if row.kappa is None:
        always = "yes" if row.both_yes else "no"
        why = f"both always say {always}, so κ, their agreement beyond chance, is undefined"
        return f"{agreed}; {why}{_kappa_together(together)}."
    constant = _constant(first, second, row)
    if constant is not None:
        return f"{agreed}; {constant}, so κ is 0 whatever the other says{_kappa_together(together)}."
    return f"{agreed}; beyond chance, {_kappa(row)}."


def _constant(first: str, second: str, table: Confusion) -> str | None:
    """The judge that always gives one answer, if one of them does."""
    for name, yes in ((first, table.both_yes + table.only_first), (second, table.both_yes + table.only_second)):
        if yes in (0, table.n):
            return f"{name} always says {'yes' if yes else 'no'}"
    return None


def _kappa_together(together: AgreementRow) -> str:
    return "" if together.kappa is None else f"; with the controls, {_kappa(together)}"


def _kappa(row: AgreementRow) -> str:
    return f"κ = {coefficient(row.kappa, row.interval)}"


def calibration_sentence(found: JudgeCalibration) -> str:
    """How a judge does against the known truth."""
    what = "concepts" if found.level == "concept" else "questions"
    parts = []
    if found.sensitivity.n:
        parts.append(f"yes to {rate(found.sensitivity)} {what} whose true answer is yes")
    if found.specificity.n:
        parts.append(f"no to {rate(found.specificity)} whose true answer is no")
    compared = f"{found.labels} {what}, {plural(found.images, 'image')}"
    sentence = f"Against {found.truth} ({compared}), it says {' and '.join(parts)}."
    if found.error is None or found.chance is None:
        return f"{sentence} Some answers have no probability, so calibration was not measured."
    exact = f"a perfectly calibrated judge would show {found.chance[0]:.3f} to {found.chance[1]:.3f}"
    return f"{sentence} Its probabilities are off by {found.error:.3f} on average; {exact} with as many answers."
