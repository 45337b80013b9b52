"""The ablation page's plots as SVG text; horizontal places are percentages, colours are classes, as everywhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.records import Rate
from dominance.report.parts.svg import percent_grid, tag

_HEIGHT = 150
_MOST_NAMES = 24
"""Names below the columns; of more columns, only every second, third, … is named."""
_LEFT, _RIGHT = 9.0, 99.5
"""Where the columns lie, in percent of the width; the axis stands left of them."""


@dataclass(frozen=True)
class Column:
    """One rate of a column chart; ``label`` is shown on hover, ``kind`` is its colour's class."""

    name: str
    rate: Rate
    label: str
    kind: str = "balanced"


def columns(listed: Sequence[Column], title: str) -> Markup:
    """Shares from 0 to 100% as columns, each with its interval as a whisker."""
    width = (_RIGHT - _LEFT) / max(1, len(listed))
    parts = [tag("title", title), *percent_grid(_LEFT, _y)]
    every = math.ceil(len(listed) / _MOST_NAMES)
    for place, column in enumerate(listed):
        parts += _column(column, _LEFT + place * width, width, named=place % every == 0)
    said = "; ".join(f"{column.name}: {column.label}" for column in listed)
    return tag("svg", tag("desc", said), *parts, class_="columns", role="img", aria_label=title, height=_HEIGHT + 46)


def _column(column: Column, left: float, width: float, *, named: bool) -> list[Markup]:
    middle, half = left + width / 2, width * 0.32
    parts = [tag("title", f"{column.name}: {column.label}")]
    # As wide as its place and as high as the chart, so that the whole column can be pointed at.
    parts.append(tag("rect", class_="aim", x=f"{left:.2f}%", width=f"{width:.2f}%", y=_y(1), height=_HEIGHT))
    share = column.rate.share
    if share is not None:
        top = _y(share)
        height = max(1.0, _y(0) - top)
        place = {"x": f"{middle - half:.2f}%", "width": f"{2 * half:.2f}%"}
        kinds = ("back", f"f-{column.kind} col")  # on paper, so that no grid line shows through
        parts += [tag("rect", class_=kind, y=_y(0) - height, height=height, **place) for kind in kinds]
    if column.rate.interval is not None:
        low, high = (_y(end) for end in column.rate.interval)
        x = f"{middle:.2f}%"
        parts.append(tag("line", class_="whisker", x1=x, x2=x, y1=low, y2=high))
        for end in (low, high):
            cap = {"x1": f"{middle - half / 2:.2f}%", "x2": f"{middle + half / 2:.2f}%"}
            parts.append(tag("line", class_="whisker", y1=end, y2=end, **cap))
    if named:
        parts.append(tag("text", column.name, class_="tick", x=f"{middle:.2f}%", y=_HEIGHT + 30, text_anchor="middle"))
    return [tag("g", *parts)]


def signed_disc(value: float | None) -> Markup:
    """A disc whose radius grows with the value's size, from -1 to 1; full for more than 0, empty for less."""
    if value is None:
        return Markup("")
    radius = round(9 * min(1.0, abs(value)) ** 0.5, 1)
    kind = "more" if value > 0 else "less"
    return tag("svg", tag("circle", class_=kind, cx=10, cy=10, r=radius), class_="disc", aria_hidden="true")


def _y(share: float) -> float:
    return round(12 + _HEIGHT * (1 - share), 1)
