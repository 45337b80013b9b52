"""The plots of claims, as SVG text."""

from markupsafe import Markup

from dominance.report.parts.courses import HEIGHT, Course, course_plot
from dominance.report.parts.palette import STYLES
from dominance.report.parts.strips import Dot, Mark, Strip, strips
from dominance.report.parts.svg import horizontal_grid, tag, tick_label, ticks_around_zero, whisker, words
from dominance.report.reproduction.words import WRITE
from dominance.runs.reproduction.result import Group, Plot
from dominance.runs.reproduction.rule import Unit

_MOST_TICKS = 16


def draw(plot: Plot) -> Markup:
    """The plot."""
    if plot.kind == "groups":
        return _strips(plot)
    return _points(plot) if plot.kind == "points" else _lines(plot)


def styles_of(plot: Plot) -> list[tuple[str, str]]:
    """Class and name of each line."""
    return [(_style(place), line.name) for place, line in enumerate(plot.lines)]


def _style(place: int) -> str:
    return f"s{min(place + 1, STYLES)}"


def _strips(plot: Plot) -> Markup:
    rows = [_strip(group, _style(place), plot.unit) for place, group in enumerate(plot.groups)]
    said = "; ".join(f"{row.name}: {row.count}" for row in rows)
    marks = [] if plot.mark is None else [Mark(*plot.mark)]
    return strips(rows, plot.quantity, said, marks, percent=plot.unit == "share")


def _strip(group: Group, style: str, unit: Unit) -> Strip:
    write = WRITE[unit]
    dots = tuple(Dot(value, f"{group.name}: {write(value, None)}", style) for value in group.values)
    own = "" if group.value is None else write(group.value, group.interval)
    count = f"{len(group.values)}, {own}" if group.values else own
    return Strip(group.name, count.removesuffix(", "), dots, group.value, group.interval)


def _tick(tick: float, plot: Plot) -> str:
    return tick_label(tick, percent=plot.unit == "share").replace("-", "−")


_ROW = 34
"""Pixels of a group of ``points``: its name, and below it its value."""


def _points(plot: Plot) -> Markup:
    """A row a group on an axis that may go below 0."""
    ends = [end for group in plot.groups for end in (group.value or 0.0, *(group.interval or ()))]
    ticks = ticks_around_zero(min([0.0, *ends]), max([0.0, *ends]))

    def x(value: float) -> str:
        return f"{2 + 96 * (value - ticks[0]) / (ticks[-1] - ticks[0]):.2f}%"

    bottom = _ROW * len(plot.groups) + 6
    parts = []
    for tick in ticks:
        parts.append(tag("line", class_="grid" if tick else "threshold", x1=x(tick), x2=x(tick), y1=0, y2=bottom))
        parts.append(words(_tick(tick, plot), x(tick), bottom + 16, "middle", "tick"))
    for place, group in enumerate(plot.groups):
        y = _ROW * place + 26
        said = tag("tspan", WRITE[plot.unit](group.value, group.interval), class_="count", dx=8)
        parts.append(tag("text", group.name, said, class_="name", x=0, y=y - 12))
        if group.interval is not None:
            parts += whisker(x(group.interval[0]), x(group.interval[1]), y)
        if group.value is not None:
            parts.append(
                tag("svg", tag("path", class_="mean", d="M0-6 6 0 0 6-6 0z"), x=x(group.value), y=y, class_="over")
            )
    content = (tag("title", plot.quantity), *parts)
    return tag("svg", *content, class_="strips", role="img", aria_label=plot.quantity, height=bottom + 22)


def _lines(plot: Plot) -> Markup:
    ends = [end for line in plot.lines for _, value, interval in line.values for end in interval or (value, value)]
    if plot.mark is not None:
        ends.append(plot.mark[0])
    ticks = ticks_around_zero(min([0.0, *ends]), max([0.0, *ends]))
    low, high = ticks[0], ticks[-1]
    places = sorted({place for line in plot.lines for place, _, _ in line.values})
    first, last = places[0], places[-1]

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    def x(place: int) -> float:
        return round(3 + 94 * (place - first) / max(1, last - first), 2)

    every = max(1, -(-len(places) // _MOST_TICKS))
    below = [(place, _named(plot, place)) for place in places[::every]]
    more = horizontal_grid([(y(tick), _tick(tick, plot)) for tick in ticks])
    if plot.mark is not None:
        more.append(tag("line", class_="threshold", x1="0", x2="100%", y1=y(plot.mark[0]), y2=y(plot.mark[0])))
    courses = [Course(line.name, _style(place), line.values) for place, line in enumerate(plot.lines)]
    write = WRITE[plot.unit]
    return course_plot(courses, plot.quantity, x, y, lambda value: write(value, None), below, plot.axis, more)


def _named(plot: Plot, place: int) -> str:
    return f"{place / 10:g}%" if plot.kind == "roc" else str(place)
