"""Groups as strips under one axis, as SVG text: a dot for each member, and below them a diamond for the group."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.records import Interval
from dominance.report.parts.svg import across, rising_ticks, tag, tick_label, whisker, words

_LANES = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5)
_LANE_HEIGHT = 9
_NAME_HEIGHT = 22
"""Of a strip's name and count, which no line crosses."""
_Span = tuple[int, int]
_CLOSEST = 3.0
"""Percent of the axis between two dots of one lane; at phone width a dot is about this wide."""


@dataclass(frozen=True)
class Dot:
    """One member: its value from 0 up, what is shown on hover, and the class of its colour."""

    value: float
    label: str
    kind: str = ""


@dataclass(frozen=True)
class Strip:
    """One group: its members, and below them its own value with its interval."""

    name: str
    count: str
    dots: tuple[Dot, ...]
    value: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Mark:
    """A line across all strips, with its name above it."""

    value: float
    name: str


def strips(
    listed: Sequence[Strip],
    title: str,
    said: str,
    marks: Sequence[Mark] = (),
    most: float | None = None,
    percent: bool = False,
) -> Markup:
    """The strips under one axis from 0 up.

    Args:
        said: the plot in words, for screen readers.
        most: where the axis ends; by default at a round number above every value.
        percent: whether the axis is of shares.
    """
    ticks = rising_ticks(_highest(listed, marks) if most is None else most, most=6)
    top, rows = 22 if marks else 14, []
    bottom, spans = top, []
    for strip in listed:
        row, height = _row(strip, bottom, ticks[-1])
        rows += row
        spans.append((bottom + _NAME_HEIGHT, bottom + height))
        bottom += height
    axis = _axis(ticks, spans, bottom, percent) + _marks(marks, ticks[-1], top, spans)
    content = (tag("title", title), tag("desc", said), *axis, *rows)
    return tag("svg", *content, class_="strips", role="img", aria_label=title, height=bottom + 22)


def _highest(listed: Sequence[Strip], marks: Sequence[Mark]) -> float:
    values = [dot.value for strip in listed for dot in strip.dots]
    ends = [strip.interval[1] for strip in listed if strip.interval is not None]
    return max([*values, *ends, *(mark.value for mark in marks)], default=0.0) or 1.0


def _axis(ticks: Sequence[float], spans: Sequence[_Span], bottom: int, percent: bool) -> list[Markup]:
    """A line for each tick, which leaves out the strips' names."""
    parts = []
    for tick in ticks:
        x = across(tick, ticks[-1])
        parts += [tag("line", class_="grid", x1=x, x2=x, y1=start, y2=end) for start, end in spans]
        parts.append(words(tick_label(tick, percent=percent), x, bottom + 16, "middle", "tick"))
    return parts


def _marks(marks: Sequence[Mark], most: float, top: int, spans: Sequence[_Span]) -> list[Markup]:
    """Of several, the first has its name to the left and the others to the right, so that they do not collide."""
    parts = []
    for place, mark in enumerate(marks):
        x, anchor = across(mark.value, most), "middle" if len(marks) == 1 else "end" if place == 0 else "start"
        parts += [tag("line", class_="threshold", x1=x, x2=x, y1=start, y2=end) for start, end in spans]
        parts.append(words(mark.name, x, top - 11, anchor, "tick"))
    return parts


def _row(strip: Strip, top: int, most: float) -> tuple[list[Markup], int]:
    """One group's marks below ``top``, and their height."""
    lanes = _lanes([100 * dot.value / most for dot in strip.dots])
    reach = max((abs(lane) for lane in lanes), default=0) * _LANE_HEIGHT
    middle = top + 34 + reach
    count = tag("tspan", strip.count, class_="count", dx=8)
    parts = [tag("text", strip.name, count, class_="name", x=0, y=top + 16)]
    for dot, lane in zip(strip.dots, lanes, strict=True):
        place = {"cx": across(dot.value, most), "cy": middle + lane * _LANE_HEIGHT}
        parts.append(tag("circle", tag("title", dot.label), class_=f"dot {dot.kind}".strip(), **place, r=4.5))
    below = middle + reach + 16
    if strip.interval is not None:
        low, high = (across(end, most) for end in strip.interval)
        parts += whisker(low, high, below)
    if strip.value is not None:
        diamond = tag("path", class_="mean", d="M0-6 6 0 0 6-6 0z")
        parts.append(tag("svg", diamond, x=across(strip.value, most), y=below, class_="over"))
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
