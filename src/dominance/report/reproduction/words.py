"""How findings are written: in the table, on the page and in Markdown, the same everywhere."""

from collections.abc import Callable, Mapping

from dominance import numbers
from dominance.records import Interval
from dominance.report.parts.sentences import listed
from dominance.runs.reproduction.result import ClaimResult, ReproduceResult
from dominance.runs.reproduction.rule import Unit

WRITE: Mapping[Unit, Callable[[float | None, Interval | None], str]] = {
    "share": numbers.share_of_items,
    "share difference": numbers.share_difference,
    "score": numbers.mean,
    "score difference": numbers.difference,
    "coefficient": numbers.coefficient,
    "effect": numbers.effect,
    "measure": numbers.measure,
}


def ours(claim: ClaimResult) -> str:
    """What was measured, with its interval."""
    return WRITE[claim.rule.unit](claim.finding.value, claim.finding.interval)


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


def control_sentence(result: ReproduceResult) -> str | None:
    """What is said above all where no figure means anything; None where the model draws what the judge sees."""
    if result.control is None or not result.meaningless:
        return None
    named, others = result.control.named, result.control.others
    if not named.n:
        found = "no picture of one concept could be made and scored"
    else:
        found = (
            f"of {numbers.plural(named.n, 'picture')} of one concept each, {named.count} show it by this judge, and"
            f" {others.count} show a concept that nobody named"
        )
    return (
        f"The figures mean nothing: {found}. The model does not draw the concepts, as one of random weights, or the"
        " judge does not see them. Verdicts follow the rules all the same; read none of them."
    )


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
