"""Markdown tables."""

from collections.abc import Sequence


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""The rows below the names of their columns; a bar in a cell is escaped.

    >>> print(table(["a", "b"], [["x|y", "z"]]), end="")
    | a | b |
    | --- | --- |
    | x\|y | z |
    """
    written = [[cell.replace("|", r"\|") for cell in row] for row in (columns, *rows)]
    lines = ["| " + " | ".join(row) + " |" for row in (written[0], ["---"] * len(columns), *written[1:])]
    return "\n".join(lines) + "\n"


def met(holds: bool) -> str:
    """Whether a criterion is met, as its cell says it: what is missed stands out."""
    return "yes" if holds else "**no**"
