"""What to do after a reproduction."""

import math
from pathlib import Path
from typing import Any

from dominance.report.parts.given import Given, command, given_to
from dominance.report.parts.next_steps import NextStep, another_judge
from dominance.runs.reproduction.result import ReproduceResult

_MORE = 4
"""Times the work: an interval becomes about half as wide."""

_BROUGHT = ("other", "memorized", "trained", "pictures", "embedder", "similarity", "captions")
"""Options of what a reproduction may bring along."""


def after_reproduce(result: ReproduceResult) -> tuple[NextStep, ...]:
    """Another judge where this one is unfit; more minutes for what is undecided; the bench; another model."""
    if other := another_judge(result.judge_warnings):
        return other
    given = given_to(result.run, result.model, result.judge, result.settings)
    bench = Path(result.run) / "bench"
    shown = command("bench", "show", str(bench)) if bench.is_dir() else None
    return (
        *_more(result, given),
        NextStep("see the prompts that the claims were examined on", shown),
        NextStep("examine them on another model", command("reproduce", model="owner/name", judge="qwen:owner/name")),
    )


def _more(result: ReproduceResult, given: Given) -> tuple[NextStep, ...]:
    """The undecided claims with four times the work, or the full size where that is less."""
    undecided = [claim.name for claim in result.claims if claim.verdict == "undecided"]
    if not undecided or result.size.share >= 1:
        return ()
    minutes = math.ceil(_MORE * max(result.budget or 0.0, result.minutes, 1.0))
    brought: dict[str, Any] = {name: given.more.get(name) for name in _BROUGHT}
    again = given.command(
        "reproduce",
        *undecided,
        judge=None,
        budget=minutes if _MORE * result.size.share < 1 else None,
        **brought,
    )
    return (NextStep("give undecided claims more prompts and seeds", again if given.can_draw else None),)
