"""How a judge is asked, as every command that asks one takes it."""

from dataclasses import dataclass
from pathlib import Path

from cyclopts import Group, Parameter

from dominance.errors import InputError

JUDGE = Group("Judge", sort_key=30)
JUDGE_MODES: tuple[str, ...] = ("fast", "official")


def check_mode(mode: str) -> None:
    """Raises an InputError for an unknown mode."""
    if mode not in JUDGE_MODES:
        raise InputError(f"no judge mode {mode[:60]!r}; give one of {', '.join(JUDGE_MODES)}")


@Parameter(name="*", group=JUDGE)
@dataclass(frozen=True)
class Asking:
    """How the judge is asked.

    Raises:
        InputError: an unknown mode.
    """

    judge_mode: str = "fast"
    """fast: all questions in one pass; official: the release's protocol, one call per question."""
    questions: Path | None = None
    """YAML file: for each kind templates with {concept} or {a_concept}; replaces the bundled questions."""

    def __post_init__(self) -> None:
        check_mode(self.judge_mode)
