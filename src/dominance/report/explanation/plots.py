"""The explanation's plots as SVG text.

As in ``parts.svg``, horizontal places are percentages and colours are classes. Concepts have the
classes ``c1``, ``c2``, … in the order of the prompt, and differ in their dashes too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.report.parts.svg import horizontal_grid, points, rising_ticks, stretched, tag, tick_label, words

CONCEPT_CLASSES = 4
"""Colours for concepts; the fifth and later ones share the last."""

_BARS_HEIGHT = 150
_LINES_HEIGHT = 170
_MOST_TICKS = 16
_LONGEST_LABEL = 18
_SWATCHES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Bar:
    """A mean with its values."""

    name: str
    value: float
    dots: tuple[float, ...]
    label: str


@dataclass(frozen=True)
class Line:
    """One concept's course: the mean, and the lowest and highest image at each step; ``own`` lines are drawn bold."""

    name: str
    style: int
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    own: bool


@dataclass(frozen=True)
class Grid:
    """A matrix to be coloured: labels of rows and columns, values, the title of each cell, and cells to mark."""

    rows: tuple[str, ...]
    styles: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    labels: tuple[tuple[str, ...], ...]
    marked: frozenset[tuple[int, int]] = frozenset()


def concept_class(place: int) -> str:
    """The class of the concept at this place of the prompt.

    >>> concept_class(0), concept_class(9)
    ('c1', 'c4')
    """
    return f"c{min(place, CONCEPT_CLASSES - 1) + 1}"


def bars(listed: Sequence[Bar], label: str, axis: str) -> Markup:
    """A bar for every mean, a dot for every value behind it, from 0 up."""
    top = max(max((bar.value, *bar.dots)) for bar in listed) or 1.0
    ticks = rising_ticks(top)
    width = 100 / len(listed)

    def y(value: float) -> float:
        return round(_BARS_HEIGHT * (1 - value / ticks[-1]), 1)

    parts = horizontal_grid([(y(tick), tick_label(tick)) for tick in ticks])
    shown = _shown_ticks(len(listed))
    for place, bar in enumerate(listed):
        middle = width * (place + 0.5)
        box = {"x": f"{width * (place + 0.16):.2f}%", "width": f"{width * 0.68:.2f}%", "y": y(bar.value)}
        parts.append(tag("rect", tag("title", bar.label), class_="col", **box, height=_BARS_HEIGHT - y(bar.value)))
        if len(bar.dots) > 1:
            parts += [tag("circle", class_="dot", cx=f"{middle:.2f}%", cy=y(dot), r=2.2) for dot in bar.dots]
        if place in shown:
            parts.append(words(bar.name, f"{middle:.2f}%", _BARS_HEIGHT + 16, "middle", "tick"))
    parts.append(words(axis, "50%", _BARS_HEIGHT + 34, "middle", "axis-name"))
    return tag("svg", *parts, class_="chart", role="img", aria_label=label, height=_BARS_HEIGHT + 40)


def lines(listed: Sequence[Line], edges: Sequence[int], label: str, axis: str) -> Markup:
    """Courses over the steps, with a band from the lowest to the highest image."""
    steps = len(listed[0].values)
    ticks = rising_ticks(max(max(line.high) for line in listed) or 1.0)

    def x(step: int) -> float:
        return round(100 * step / max(1, steps - 1), 2)

    def y(value: float) -> float:
        return round(100 * (1 - value / ticks[-1]), 2)

    parts = horizontal_grid([(_LINES_HEIGHT * y(tick) / 100, tick_label(tick, percent=True)) for tick in ticks])
    for edge in edges:
        place = f"{x(edge)}%"
        parts.append(tag("line", class_="grid", x1=place, x2=place, y1=0, y2=_LINES_HEIGHT))
        parts.append(words(str(edge), place, _LINES_HEIGHT + 16, "middle", "tick"))
    drawn = []
    for line in sorted(listed, key=lambda line: line.own):
        name = f"{concept_class(line.style)}{' own' if line.own else ''}"
        around = [*enumerate(line.high), *reversed(list(enumerate(line.low)))]
        drawn.append(tag("polygon", class_=f"band {name}", points=points((x(s), y(v)) for s, v in around)))
        course = points((x(step), y(value)) for step, value in enumerate(line.values))
        drawn.append(tag("polyline", class_=f"course {name}", points=course))
    parts.append(stretched(drawn, 100, 100, _LINES_HEIGHT))
    parts.append(words(axis, "50%", _LINES_HEIGHT + 34, "middle", "axis-name"))
    return tag("svg", *parts, class_="chart", role="img", aria_label=label, height=_LINES_HEIGHT + 40)


def change_bars(
    names: Sequence[str], styles: Sequence[int], changes: Sequence[Sequence[float]], label: str, axis: str
) -> Markup:
    """For every interval a bar for each concept, up for a gain and down for a loss."""
    reach = max(max(abs(value) for value in row) for row in changes) or 1.0
    ticks = rising_ticks(reach, most=2)
    middle, half = _BARS_HEIGHT / 2, _BARS_HEIGHT / 2

    def y(value: float) -> float:
        return round(middle - half * value / ticks[-1], 1)

    signed = [*(-tick for tick in reversed(ticks[1:])), *ticks]
    parts = horizontal_grid([(y(tick), tick_label(tick, percent=True, signed=True)) for tick in signed])
    parts.append(tag("line", class_="zero", x1="0", x2="100%", y1=middle, y2=middle))
    width = 100 / len(names)
    for place, name in enumerate(names):
        slot = width * 0.7 / len(changes)
        for row, (style, values) in enumerate(zip(styles, changes, strict=True)):
            low, high = sorted((y(0), y(values[place])))
            box = {"x": f"{width * (place + 0.15) + slot * row:.2f}%", "width": f"{slot * 0.9:.2f}%"}
            said = tag("title", f"{name}: {100 * values[place]:+.2f} points")
            parts.append(
                tag("rect", said, class_=f"change {concept_class(style)}", **box, y=low, height=round(high - low, 1))
            )
        parts.append(words(name, f"{width * (place + 0.5):.2f}%", _BARS_HEIGHT + 18, "middle", "tick"))
    parts.append(words(axis, "50%", _BARS_HEIGHT + 36, "middle", "axis-name"))
    return tag("svg", *parts, class_="chart", role="img", aria_label=label, height=_BARS_HEIGHT + 42)


def matrix(grid: Grid, label: str, axis: str, row_height: int) -> Markup:
    """Cells the stronger coloured the higher their values, by the square root, so that small ones can be told apart."""
    rows, columns = len(grid.rows), len(grid.columns)
    top = max(max(row) for row in grid.values) or 1.0
    cells = [
        tag("rect", tag("title", said), x=place, y=row, width=1, height=1, fill_opacity=f"{math.sqrt(value / top):.3f}")
        for row, (values, labels) in enumerate(zip(grid.values, grid.labels, strict=True))
        for place, (value, said) in enumerate(zip(values, labels, strict=True))
    ]
    height = rows * row_height
    parts = [tag("rect", class_="ground", width="100%", height=height), stretched(cells, columns, rows, height)]
    every = max(1, math.ceil(rows * 11 / (row_height * rows)))
    for row, (name, style) in enumerate(zip(grid.rows, grid.styles, strict=True)):
        if row % every == 0:
            shown = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
            parts.append(words(shown, -8, round((row + 0.5) * row_height + 4), "end", f"row {style}".strip()))
    for row, place in sorted(grid.marked):
        x = f"{100 * (place + 0.5) / columns:.2f}%"
        parts.append(tag("circle", class_="peak", cx=x, cy=(row + 0.5) * row_height, r=3.6))
    for place in sorted(_shown_ticks(columns)):
        x = f"{100 * (place + 0.5) / columns:.2f}%"
        parts.append(words(grid.columns[place], x, height + 16, "middle", "tick"))
    parts.append(words(axis, "50%", height + 34, "middle", "axis-name"))
    longest = min(_LONGEST_LABEL, max(len(name) for name in grid.rows))
    left = f"--left: {0.58 * longest + 0.9:.2f}em"
    return tag("svg", *parts, class_="chart cells", role="img", aria_label=label, style=left, height=height + 40)


def swatches(top: float, percent: bool) -> tuple[tuple[str, str], ...]:
    """The colour scale of ``matrix``: opacity and value, from nothing to the highest."""
    values = [top * share * share for share in _SWATCHES]
    return tuple(
        (f"{share:.2f}", tick_label(float(f"{value:.2g}"), percent=percent))
        for share, value in zip(_SWATCHES, values, strict=True)
    )


def _shown_ticks(count: int) -> set[int]:
    """Places that carry a label, so that labels do not run into one another at phone width."""
    return set(range(0, count, max(1, math.ceil(count / _MOST_TICKS))))
