"""Whether the model draws the concepts that the claims are about, as far as the judge sees it."""

from dominance.metrics import rate
from dominance.records import RunResult
from dominance.runs.reproduction.result import Control


def control_of(run: RunResult) -> Control:
    """What pictures of one concept each show, of that concept and of another.

    Args:
        run: of ``alone_suite``: the first concept of a prompt is the one that it names.
    """
    named = [found.presence[found.prompt.concepts[0].name] for found in run.prompts if found.scored]
    others = [found.presence[found.prompt.concepts[1].name] for found in run.prompts if found.scored]
    own, other = (
        rate(sum(each.count for each in listed), sum(each.n for each in listed)) for listed in (named, others)
    )
    return Control(own, other)
