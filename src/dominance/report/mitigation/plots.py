"""The frontier of effect against cost, as SVG text."""

from collections.abc import Sequence

from markupsafe import Markup

from dominance.report.mitigation.sentences import cost_title
from dominance.report.parts.svg import rising_ticks, tag, tick_label, words
from dominance.runs.mitigation.options import PLAIN
from dominance.runs.mitigation.result import MethodResult

_HEIGHT, _TOP = 260, 16
_LEFT, _RIGHT = 9.0, 97.0
_LOW, _HIGH = -20.0, 100.0
"""Points of DvD on the axis upwards, unless a method raises it by more."""
_TURN = 0.6
"""Right of this share of the width, names stand left of their dot."""


def frontier(rows: Sequence[MethodResult], title: str) -> Markup:
    """How far each method lowers mean DvD, against its drawing time over plain; filled: what no other beats in both."""
    known = [(row.method, row.cost.time, -row.change, row) for row in rows if row.change is not None and row.cost.time]
    dots = [(PLAIN, 1.0, 0.0, None), *known]
    most = max(1.5, *(time for _, time, _, _ in dots)) * 1.04
    ticks = [tick for tick in rising_ticks(most) if tick <= most]
    low, high = min(0.0, *(_ends(row)[0] for *_, row in known)) if known else 0.0, _top(known)

    def x(time: float) -> str:
        return f"{_LEFT + (_RIGHT - _LEFT) * time / most:.2f}%"

    def y(fall: float) -> float:
        return round(_TOP + _HEIGHT * (high - fall) / (high - low), 1)

    parts = [tag("title", title)]
    for tick in rising_ticks(high):
        if tick <= high:
            parts.append(tag("line", class_="grid", x1=f"{_LEFT}%", x2="100%", y1=y(tick), y2=y(tick)))
            parts.append(tag("text", tick_label(tick), class_="tick", x=0, y=y(tick) + 4))
    for tick in ticks:
        parts.append(tag("line", class_="grid", x1=x(tick), x2=x(tick), y1=y(low), y2=y(high)))
        parts.append(words(tick_label(tick), x(tick), _TOP + _HEIGHT + 18, "middle", "tick"))
    for name, time, fall, row in dots:
        beaten = any((t <= time and f >= fall and (t, f) != (time, fall)) for _, t, f, _ in dots)
        parts += _dot(name, (x(time), y(fall)), row, beaten, time / most > _TURN, y)
    parts.append(words("drawing time over plain", x(most / 2), _TOP + _HEIGHT + 36, "middle", "axis-name"))
    said = "; ".join(cost_title(name, row.cost, row) for name, _, _, row in known) or "no cost is known"
    return tag(
        "svg", tag("desc", said), *parts, class_="repair-plot", role="img", aria_label=title, height=_HEIGHT + 60
    )


def _dot(name: str, place: tuple[str, float], row: MethodResult | None, beaten: bool, turned: bool, y) -> list[Markup]:
    parts = []
    if row is not None and row.change_interval is not None:
        low, high = _ends(row)
        parts.append(tag("line", class_="whisker", x1=place[0], x2=place[0], y1=y(low), y2=y(high)))
    title = tag("title", name if row is None else cost_title(name, row.cost, row))
    parts.append(tag("circle", title, class_="dot hollow" if beaten else "dot", cx=place[0], cy=place[1], r=5))
    anchor, shift = ("end", -9) if turned else ("start", 9)
    parts.append(tag("text", name, class_="name", x=place[0], y=place[1] - 7, dx=shift, text_anchor=anchor))
    return parts


def _ends(row: MethodResult) -> tuple[float, float]:
    """The lowest and the highest fall that the interval holds."""
    low, high = row.change_interval or (row.change or 0.0, row.change or 0.0)
    return -high, -low


def _top(known: Sequence[tuple[str, float, float, MethodResult]]) -> float:
    return max(10.0, *(_ends(row)[1] for *_, row in known)) * 1.05 if known else 10.0
