"""Markdown cells and tables, every figure with its n and interval."""

from collections.abc import Sequence

from dominance.records import Interval, Rate


def percent(measured: Rate) -> str:
    """A rate for a table cell: share, count, n and interval."""
    if measured.share is None or measured.interval is None:
        return "not measured (n = 0)"
    low, high = measured.interval
    return f"{measured.share:.1%} ({measured.count} of {measured.n}; {low:.1%} to {high:.1%})"


def within(interval: Interval | None, digits: int = 1) -> str:
    """An interval in brackets, with a space before it; nothing for none."""
    return "" if interval is None else f" ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]]
    return "\n".join(lines) + "\n"
