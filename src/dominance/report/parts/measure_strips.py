"""Measures by group as SVG text: a dot for each member, a diamond for the group; places are percentages.

Where ``plots.group_strips`` shows DvD scores from 0 to 100, these strips have an axis of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.records import Interval
from dominance.report.explanation.plots import rising_ticks, tick_label
from dominance.report.parts.plots import tag

_LANES = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5)
_LANE_HEIGHT = 9
_CLOSEST = 3.0
"""Percent of the axis between two dots of one lane."""
_TOP = 40


@dataclass(frozen=True)
class Measure:
    """One member: its value from 0 up, what is shown on hover, and the class of its colour."""

    value: float
    label: str
    kind: str = "plain"


@dataclass(frozen=True)
class MeasureStrip:
    """One group: its members, and below them its own value with its interval."""

    name: str
    count: str
    members: tuple[Measure, ...]
    value: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Mark:
    """A line across all strips, with its name above it."""

    value: float
    name: str


def measure_strips(strips: Sequence[MeasureStrip], label: str, marks: Sequence[Mark] = ()) -> Markup:
    """The strips under one axis from 0 to a round number; ``label`` says what is shown, for those who hear the page."""
    values = [member.value for strip in strips for member in strip.members]
    ends = [strip.interval[1] for strip in strips if strip.interval is not None]
    ticks = rising_ticks(max([*values, *ends, *(mark.value for mark in marks)], default=0.0) or 1.0, most=6)
    top, rows = _TOP if marks else 14, []
    bottom = top
    for strip in strips:
        row, height = _row(strip, bottom, ticks[-1])
        rows += row
        bottom += height
    parts = []
    for tick in ticks:
        x = _x(tick, ticks[-1])
        parts.append(tag("line", class_="grid", x1=x, x2=x, y1=top, y2=bottom))
        parts.append(tag("text", tick_label(tick), class_="tick", x=x, y=bottom + 16, text_anchor="middle"))
    for place, mark in enumerate(marks):
        x = _x(mark.value, ticks[-1])
        anchor = "end" if place == 0 and len(marks) > 1 else "start" if len(marks) > 1 else "middle"
        parts.append(tag("line", class_="threshold", x1=x, x2=x, y1=top - 8, y2=bottom))
        parts.append(tag("text", mark.name, class_="tick", x=x, y=top - 14, text_anchor=anchor))
    return tag(
        "svg", tag("title", label), *parts, *rows, class_="strips", role="img", aria_label=label, height=bottom + 24
    )


def _x(value: float, most: float) -> str:
    """A place on the axis, with room at both ends for half a dot."""
    return f"{2 + 96 * value / most:.2f}%"


def _row(strip: MeasureStrip, top: int, most: float) -> tuple[list[Markup], int]:
    """One group's marks below ``top``, and their height."""
    lanes = _lanes([100 * member.value / most for member in strip.members])
    reach = max((abs(lane) for lane in lanes), default=0) * _LANE_HEIGHT
    middle = top + 34 + reach
    count = tag("tspan", strip.count, class_="count", dx=8)
    parts = [tag("text", strip.name, count, class_="name", x=0, y=top + 16)]
    for member, lane in zip(strip.members, lanes, strict=True):
        place = {"cx": _x(member.value, most), "cy": middle + lane * _LANE_HEIGHT}
        parts.append(tag("circle", tag("title", member.label), class_=f"dot {member.kind}", **place, r=4.5))
    below = middle + reach + 16
    if strip.interval is not None:
        low, high = (_x(end, most) for end in strip.interval)
        parts.append(tag("line", class_="whisker", x1=low, x2=high, y1=below, y2=below))
        parts += [tag("line", class_="whisker", x1=x, x2=x, y1=below - 3, y2=below + 3) for x in (low, high)]
    if strip.value is not None:
        diamond = tag("path", class_="mean", d="M0-6 6 0 0 6-6 0z")
        parts.append(tag("svg", diamond, x=_x(strip.value, most), y=below, class_="over"))
    return parts, below + 14 - top


def _lanes(places: Sequence[float]) -> list[int]:
    """A lane for every place, so that dots of one lane do not cover each other as long as lanes last."""
    taken: dict[int, list[float]] = {}
    chosen = []
    for index, place in enumerate(places):
        free = (lane for lane in _LANES if all(abs(place - other) >= _CLOSEST for other in taken.get(lane, ())))
        lane = next(free, _LANES[index % len(_LANES)])
        taken.setdefault(lane, []).append(place)
        chosen.append(lane)
    return chosen
