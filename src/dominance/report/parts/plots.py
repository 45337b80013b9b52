"""The report's plots as SVG text.

Horizontal places are percentages, so that a plot fills any width without scaling its text; colours are
classes that the page's style sheet fills in for light and dark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.numbers import mean, score
from dominance.records import COLLAPSE, Interval, Rate

_LANES = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5)
_LANE_HEIGHT = 9
_CLOSEST = 3.0
"""DvD points between two dots of one lane; at phone width a dot is about this wide."""


@dataclass(frozen=True)
class Dot:
    """One mean in a strip: ``value`` from 0 to 100, ``label`` is shown on hover."""

    value: float
    label: str


@dataclass(frozen=True)
class Strip:
    """One row of the plot of groups: its dots, and below them its mean with its interval."""

    name: str
    count: str
    dots: tuple[Dot, ...]
    mean: float | None
    interval: Interval | None


def verdict_bar(counts: Mapping[str, int], label: str) -> Markup:
    """A bar whose parts are proportional to the counts, in their order; classes ``f-NAME``."""
    total = sum(counts.values())
    parts, left = [], 0.0
    for name, count in counts.items():
        if count:
            width = 100 * count / total
            parts.append(tag("rect", class_=f"f-{name}", x=f"{left:.3f}%", width=f"{width:.3f}%", height="100%"))
            left += width
    return tag("svg", *parts, class_="bar", role="img", aria_label=label)


def presence_bar(rate: Rate) -> Markup:
    """The share as a bar from 0 to 100%, its interval as a whisker across the bar's end."""
    parts = [tag("rect", class_="track", width="100%", height=10, y=3)]
    if rate.share is not None:
        parts.append(tag("rect", class_="share", width=f"{100 * rate.share:.1f}%", height=10, y=3))
    if rate.interval is not None:
        parts += _whisker(f"{100 * rate.interval[0]:.1f}%", f"{100 * rate.interval[1]:.1f}%", 8)
    return tag("svg", *parts, class_="presence", aria_hidden="true")


def dvd_range(mean: float, interval: Interval | None) -> Markup:
    """A mean DvD with its interval on a line from 0 to 100, the collapse threshold marked."""
    line = _x(COLLAPSE)
    parts = [
        tag("line", class_="axis", x1=_x(0), x2=_x(100), y1=7, y2=7),
        tag("line", class_="threshold", x1=line, x2=line, y1=1, y2=13),
    ]
    if interval is not None:
        parts.append(tag("line", class_="interval", x1=_x(interval[0]), x2=_x(interval[1]), y1=7, y2=7))
    parts.append(tag("circle", class_="mean", cx=_x(mean), cy=7, r=4))
    return tag("svg", *parts, class_="range", aria_hidden="true")


def group_strips(strips: Sequence[Strip], dots_are: str) -> Markup:
    """The DvD distribution by group: a dot for each of ``dots_are``, a diamond for a group's mean.

    The plot has a title and a description that says its numbers in words.
    """
    rows, top = [], 22
    for strip in strips:
        row, height = _strip_row(strip, top)
        rows += row
        top += height
    said = "; ".join(_said(strip) for strip in strips)
    title = tag("title", "DvD score by group", id="strips-title")
    description = tag("desc", f"The dots are {dots_are}. {said}.", id="strips-desc")
    names = "strips-title strips-desc"
    content = (title, description, *_axis(top), *rows)
    return tag("svg", *content, class_="strips", role="img", aria_labelledby=names, height=top + 22)


def tag(name: str, *content: str, **attributes: object) -> Markup:
    """An element with everything in it escaped; ``class_`` stands for class, ``aria_label`` for aria-label."""
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    written = Markup(" ").join(Markup('{}="{}"').format(*pair) for pair in pairs)
    return Markup("<{0} {1}>{2}</{0}>").format(name, written, Markup("").join(content))


def _x(value: float) -> str:
    """Place of a DvD score, with room at both ends for half a dot."""
    return f"{2 + 0.96 * value:.2f}%"


def _whisker(low: str, high: str, y: int) -> list[Markup]:
    caps = [tag("line", class_="whisker", x1=x, x2=x, y1=y - 3, y2=y + 3) for x in (low, high)]
    return [tag("line", class_="whisker", x1=low, x2=high, y1=y, y2=y), *caps]


def _axis(bottom: int) -> list[Markup]:
    parts = []
    for tick in (0, 20, 40, 60, 80, 100):
        x = _x(tick)
        parts.append(tag("line", class_="grid", x1=x, x2=x, y1=22, y2=bottom))
        parts.append(tag("text", str(tick), class_="tick", x=x, y=bottom + 16, text_anchor="middle"))
    x = _x(COLLAPSE)
    parts.append(tag("line", class_="threshold", x1=x, x2=x, y1=16, y2=bottom))
    label = f"an image collapses from {score(COLLAPSE)}"
    parts.append(tag("text", label, class_="tick", x=x, y=11, text_anchor="middle"))
    return parts


def _strip_row(strip: Strip, top: int) -> tuple[list[Markup], int]:
    """One group's marks below ``top``, and their height."""
    lanes = _lanes([dot.value for dot in strip.dots])
    reach = max((abs(lane) for lane in lanes), default=0) * _LANE_HEIGHT
    middle = top + 34 + reach
    count = tag("tspan", strip.count, class_="count", dx=8)
    parts = [tag("text", strip.name, count, class_="name", x=0, y=top + 16)]
    for dot, lane in zip(strip.dots, lanes, strict=True):
        title = tag("title", dot.label)
        parts.append(tag("circle", title, class_="dot", cx=_x(dot.value), cy=middle + lane * _LANE_HEIGHT, r=4.5))
    below = middle + reach + 16
    if strip.interval is not None:
        parts += _whisker(_x(strip.interval[0]), _x(strip.interval[1]), below)
    if strip.mean is not None:
        diamond = tag("path", class_="mean", d="M0-6 6 0 0 6-6 0z")
        parts.append(tag("svg", diamond, x=_x(strip.mean), y=below, class_="over"))
    return parts, below + 14 - top


def _lanes(values: Sequence[float]) -> list[int]:
    """A lane for every value, so that dots of one lane do not cover each other as long as lanes last."""
    taken: dict[int, list[float]] = {}
    chosen = []
    for place, value in enumerate(values):
        free = (lane for lane in _LANES if all(abs(value - other) >= _CLOSEST for other in taken.get(lane, ())))
        lane = next(free, _LANES[place % len(_LANES)])
        taken.setdefault(lane, []).append(value)
        chosen.append(lane)
    return chosen


def _said(strip: Strip) -> str:
    if strip.mean is None:
        return f"{strip.name}: {strip.count}"
    return f"{strip.name}: {strip.count}, mean DvD {mean(strip.mean, strip.interval)}"
