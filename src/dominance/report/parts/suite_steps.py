"""What to do next with a suite, as ``dominance suite`` says at its end."""

from pathlib import Path
from typing import TYPE_CHECKING

from dominance.report.parts.given import command
from dominance.report.parts.next_steps import NextStep

if TYPE_CHECKING:
    from dominance.runs.suite_check.result import Understanding


def after_suite_make(file: Path) -> tuple[NextStep, ...]:
    """See what is understood of the file, and audit a model on it."""
    return (
        NextStep("see how its prompts are understood", command("suite check", str(file))),
        NextStep("audit it, adding the --model and a --judge for its pictures", command("audit", str(file))),
    )


def after_suite_check(found: "Understanding") -> tuple[NextStep, ...]:
    """Audit a model on the suite, with the word list that found its concepts."""
    words = found.words if found.looked_up else None
    adding = "a --judge" if found.model else "the --model and a --judge"
    audit = command("audit", found.source, concepts=words, model=found.model)
    return (NextStep(f"audit it, adding {adding} for its pictures", audit),)
