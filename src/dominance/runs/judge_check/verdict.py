"""What a check comes to, in plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.metrics import Confusion
from dominance.records import Rate
from dominance.runs.judge_check.result import AgreementRow, ControlFindings, JudgeCalibration, Trust, YesTally

GOOD: float = 0.05
"""At most so large a share of yes on the worst control, and the judge's yes can be trusted. Our choice."""
BAD: float = 0.15
"""From here on it cannot. Our choice."""
SILENT = 0.05
"""A judge that says yes this seldom even about what prompts ask for cannot be checked by its noes."""


BROKEN: float = 0.5
"""From so large a share of yes about broken images on, a judge takes the broken for whole. Our choice."""


@dataclass(frozen=True)
class Verdict:
    """What a judge's yes is worth: in one sentence, and what else must be known to read it."""

    trust: Trust
    sentence: str
    details: tuple[str, ...] = ()


def verdict_of(name: str, own: YesTally, controls: Sequence[ControlFindings]) -> Verdict:
    """Whether a judge's yes can be trusted, by the worst kind of control on which every yes is wrong.

    A judge that takes the broken for whole is never better than ``care``.

    Source: our own rule; see ``GOOD``, ``BAD`` and ``BROKEN``.
    """
    counted = [one for one in controls if one.certain and one.yes.n]
    if not counted or not own.yes.n:
        return Verdict("unknown", f"{name} has not answered enough to be judged itself.")
    worst = max(counted, key=lambda one: (one.yes.share or 0.0, one.yes.n))
    share, own_share = worst.yes.share or 0.0, own.yes.share or 0.0
    details = (f"About what the prompts name, it says yes to {_told(own.yes)}.", *_broken(controls))
    if own_share <= SILENT and share <= GOOD:
        seldom = f"{name} hardly ever says yes, even about what the prompts name, so that its noes tell nothing"
        return Verdict("unknown", f"{seldom}.", details)
    wrong = f"says yes to {_told(worst.yes)} about {worst.shows}, where every yes is wrong"
    if not worst.yes.count:
        wrong = f"says yes to none of {sum(one.yes.n for one in counted)} questions about what is not there"
    if share >= BAD:
        everything = all((one.yes.share or 0.0) > 1 - GOOD for one in counted)
        which = f"{name}, which says yes to everything" if everything else name
        return Verdict("none", f"Do not trust {which}: it {wrong}.", details)
    if any(not one.certain and (one.yes.share or 0.0) >= BROKEN for one in controls):
        return Verdict(
            "care", f"Take the yes of {name} with care: it {wrong}, but it takes broken images for whole.", details
        )
    if share > GOOD:
        return Verdict("care", f"Take the yes of {name} with care: it {wrong}.", details)
    return Verdict(
        "good", f"{name} does not see what is not there: it {'' if share == 0 else 'at worst '}{wrong}.", details
    )


def _broken(controls: Sequence[ControlFindings]) -> tuple[str, ...]:
    """About broken images, of which a part may rightly be seen."""
    parts = [f"{_percent(one.yes)} about {one.shows}" for one in controls if not one.certain and one.yes.n]
    if not parts:
        return ()
    part = "which may still show a part of what is asked about, but never the whole"
    return (f"It says yes to {' and to '.join(parts)}, {part}.",)


def agreement_sentence(first: str, second: str, row: AgreementRow, together: AgreementRow) -> str:
    """How far two judges agree, and why κ has no value, or is 0 whatever they say, where that is so.

    Args:
        row: on images as they are; ``together`` is on these and the controls.
    """
    if not row.n:
        return f"{first} and {second} have no answered question in common, so nothing is known of their agreement."
    shares = f"{first} and {second} give the same answer to {row.agreed} of {row.n} questions"
    shares += f" ({100 * row.agreed / row.n:.0f}%) about {_plural(row.images, 'image')}"
    if row.kappa is None:
        always = "yes" if row.both_yes else "no"
        why = f"both say {always} to every one, so that κ, their agreement beyond chance, has no value"
        return f"{shares}; {why}{_kappa_together(together)}."
    constant = _constant(first, second, row)
    if constant is not None:
        return f"{shares}; {constant}, so that κ is 0 whatever the other says{_kappa_together(together)}."
    return f"{shares}; beyond chance, {_kappa(row)}."


def _constant(first: str, second: str, table: Confusion) -> str | None:
    """The judge that always gives one answer, if one of them does."""
    for name, yes in ((first, table.both_yes + table.only_first), (second, table.both_yes + table.only_second)):
        if yes in (0, table.n):
            return f"{name} says {'yes' if yes else 'no'} to every one"
    return None


def _kappa_together(together: AgreementRow) -> str:
    return "" if together.kappa is None else f"; with the controls, {_kappa(together)}"


def _kappa(row: AgreementRow) -> str:
    interval = "" if row.interval is None else f" (95% interval {row.interval[0]:.2f} to {row.interval[1]:.2f})"
    return f"κ = {row.kappa:.2f}{interval}"


def calibration_sentence(found: JudgeCalibration) -> str:
    """How a judge does against what is known to be true."""
    parts = []
    if found.sensitivity.n:
        parts.append(f"yes to {_told(found.sensitivity, '')} of what is there")
    if found.specificity.n:
        parts.append(f"no to {_told(found.specificity, '')} of what is not")
    what = "concepts" if found.level == "concept" else "questions"
    compared = f"{found.labels} {what}, {_plural(found.images, 'image')}"
    sentence = f"Against {found.truth} ({compared}), it says {' and '.join(parts)}."
    if found.error is None or found.chance is None:
        return f"{sentence} It does not give a probability with every answer, so no calibration was measured."
    exact = f"exact ones would show {found.chance[0]:.3f} to {found.chance[1]:.3f} with so many answers"
    return f"{sentence} Its probabilities are off by {found.error:.3f} on average; {exact}."


def _told(rate: Rate, noun: str = " questions") -> str:
    return f"{_percent(rate)} ({rate.count} of {rate.n}{noun}{_interval(rate)})"


def _interval(rate: Rate) -> str:
    if rate.interval is None:
        return ""
    return f"; 95% interval {100 * rate.interval[0]:.0f}–{100 * rate.interval[1]:.0f}%"


def _percent(rate: Rate) -> str:
    share = 100 * (rate.share or 0.0)
    return f"{share:.1f}%" if 0 < share < 1 or 99 < share < 100 else f"{share:.0f}%"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
