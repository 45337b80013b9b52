"""How findings are written: in the table, on the page and in Markdown, the same everywhere."""

from collections.abc import Callable

from dominance import numbers
from dominance.records import Interval
from dominance.report.parts.sentences import listed
from dominance.runs.reproduction.result import ClaimResult, ReproduceResult
from dominance.runs.reproduction.rule import Unit


def _share(value: float | None, interval: Interval | None = None) -> str:
    if value is None:
        return numbers.UNKNOWN
    ends = "" if interval is None else f" ({100 * interval[0]:.0f} to {100 * interval[1]:.0f}%)"
    return f"{100 * value:.0f}%{ends}"


_WRITE: dict[Unit, Callable[[float | None, Interval | None], str]] = {
    "share": _share,
    "share difference": numbers.share_difference,
    "score": numbers.mean,
    "score difference": numbers.difference,
    "coefficient": numbers.coefficient,
    "effect": numbers.effect,
    "measure": numbers.measure,
}


def ours(claim: ClaimResult) -> str:
    """What was measured, with its interval."""
    return _WRITE[claim.rule.unit](claim.finding.value, claim.finding.interval)


def over(claim: ClaimResult) -> str:
    """Of how many what was measured."""
    if claim.finding.value is None:
        return numbers.UNKNOWN
    seeds = f", {numbers.plural(claim.finding.seeds, 'seed')}" if claim.finding.seeds else ""
    return f"{claim.finding.n} {claim.finding.of}{seeds}"


def headline(result: ReproduceResult) -> str:
    """How the claims came out, in one sentence."""
    parts = [f"{count} {verdict}" for verdict, count in result.counts.items()]
    return f"{numbers.plural(len(result.claims), 'claim')} examined: {listed(parts)}."


def size_sentence(result: ReproduceResult) -> str:
    """How large the runs were."""
    share = result.size.share
    whole = "the full size" if share == 1 else f"about {numbers.share(share)} of the work of the full size"
    budget = "" if result.budget is None else f", chosen for a budget of {result.budget:g} minutes"
    return f"Prompts and seeds are {whole}{budget}; the runs took {result.minutes:.1f} minutes."


HOLM = (
    "Intervals are 95% intervals, each for itself. Where so many claims are tested, some would be decided by chance:"
    " a verdict that also stands after Holm's correction over all that were tested, the undecided too, is marked."
)


def mark(claim: ClaimResult) -> str:
    """The verdict, and whether it stands among so many."""
    if claim.verdict not in ("reproduced", "contradicted"):
        return claim.verdict
    return f"{claim.verdict}{', stands after Holm' if claim.stands else ', not after Holm'}"
