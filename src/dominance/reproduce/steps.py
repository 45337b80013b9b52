"""What to do after a reproduction."""

from pathlib import Path

from dominance.report.parts.given import command
from dominance.report.parts.next_steps import NextStep, another_judge
from dominance.reproduce.result import ReproduceResult


def after_reproduce(result: ReproduceResult) -> tuple[NextStep, ...]:
    """Another judge where this one is unfit; more minutes for what is undecided; else another model."""
    if other := another_judge(result.judge_warnings):
        return other
    undecided = [claim.name for claim in result.claims if claim.verdict == "undecided"]
    if undecided and result.size.share < 1 and result.budget is not None:
        more = command("reproduce", *undecided, model=result.model, judge=result.judge, budget=f"{4 * result.budget:g}")
        return (NextStep("give undecided claims more prompts and seeds", more),)
    bench = Path(result.run) / "bench"
    shown = command("bench", "show", str(bench)) if bench.is_dir() else None
    return (
        NextStep("see the prompts that the claims were examined on", shown),
        NextStep("examine them on another model", command("reproduce", model="owner/name", judge="qwen:owner/name")),
    )
