"""The frontier of effect against cost, as SVG text."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.numbers import difference
from dominance.report.mitigation.sentences import times
from dominance.report.parts.svg import rising_ticks, tag, tick_label, words
from dominance.runs.mitigation.result import MethodResult
from dominance.runs.stages.method_names import PLAIN

_HEIGHT, _TOP = 260, 30
_LEFT, _RIGHT = 7.0, 97.0
_TURN = 0.6
"""Right of this share of the width, names stand left of their dot."""


@dataclass(frozen=True)
class _Dot:
    """What stands at one place: by how much mean DvD falls, with its interval, and the drawing time over plain."""

    name: str
    time: float
    fall: float
    ends: tuple[float, float]

    @classmethod
    def of(cls, row: MethodResult) -> "_Dot | None":
        if row.change is None or row.cost.time is None:
            return None
        low, high = row.change_interval or (row.change, row.change)
        return cls(row.method, row.cost.time, -row.change, (-high, -low))

    @property
    def title(self) -> str:
        change = difference(-self.fall, (-self.ends[1], -self.ends[0]))
        return f"{self.name}: change of DvD {change}, {times(self.time)} the time"

    def beaten(self, others: Sequence["_Dot"]) -> bool:
        """Whether another costs no more and does no less, and is better in one of the two."""
        own = (self.time, self.fall)
        return any(o.time <= own[0] and o.fall >= own[1] and (o.time, o.fall) != own for o in others)


def frontier(rows: Sequence[MethodResult], title: str) -> Markup:
    """How far each method lowers mean DvD, against its drawing time over plain; filled: what no other beats in both."""
    dots = [_Dot(PLAIN, 1.0, 0.0, (0.0, 0.0)), *(dot for row in rows if (dot := _Dot.of(row)) is not None)]
    first, last = min(dot.time for dot in dots) - 0.1, max(1.5, *(dot.time for dot in dots)) + 0.1
    low, high = min(dot.ends[0] for dot in dots), max(10.0, *(dot.ends[1] for dot in dots))

    def x(time: float) -> str:
        return f"{_LEFT + (_RIGHT - _LEFT) * (time - first) / (last - first):.2f}%"

    def y(fall: float) -> float:
        return round(_TOP + _HEIGHT * (high - fall) / (high - low), 1)

    parts = [tag("title", title), words("points by which mean DvD falls", 0, 12, "start", "axis-name")]
    for tick in _ticks(low, high):
        parts.append(tag("line", class_="grid", x1=f"{_LEFT}%", x2="100%", y1=y(tick), y2=y(tick)))
        parts.append(tag("text", tick_label(tick, signed=tick < 0), class_="tick", x=0, y=y(tick) + 4))
    for tick in _ticks(first, last):
        parts.append(tag("line", class_="grid", x1=x(tick), x2=x(tick), y1=y(high), y2=y(low)))
        parts.append(words(tick_label(tick), x(tick), _TOP + _HEIGHT + 18, "middle", "tick"))
    places: dict[tuple[str, float], list[_Dot]] = {}
    for dot in dots:
        places.setdefault((x(dot.time), y(dot.fall)), []).append(dot)
    for place, here in places.items():
        turned = (here[0].time - first) / (last - first) > _TURN
        parts += _drawn(here, place, here[0].beaten(dots), turned, y)
    parts.append(words("drawing time over plain", x((first + last) / 2), _TOP + _HEIGHT + 36, "middle", "axis-name"))
    said = "; ".join(dot.title for dot in dots[1:]) or "no cost is known"
    height = _TOP + _HEIGHT + 44
    return tag("svg", tag("desc", said), *parts, class_="repair-plot", role="img", aria_label=title, height=height)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high, 0 among them where it lies there."""
    unit = rising_ticks(high - low)[1]
    return [round(unit * place, 6) for place in range(math.ceil(low / unit), math.floor(high / unit) + 1)]


def _drawn(
    here: Sequence[_Dot], place: tuple[str, float], beaten: bool, turned: bool, y: Callable[[float], float]
) -> list[Markup]:
    """The dot of everything that lies at one place, with its intervals and its names."""
    parts = [
        tag("line", class_="whisker", x1=place[0], x2=place[0], y1=y(dot.ends[0]), y2=y(dot.ends[1]))
        for dot in here
        if dot.ends[0] < dot.ends[1]
    ]
    title = tag("title", "; ".join(dot.title for dot in here))
    parts.append(tag("circle", title, class_="dot hollow" if beaten else "dot", cx=place[0], cy=place[1], r=5))
    anchor, shift = ("end", -9) if turned else ("start", 9)
    names = ", ".join(dot.name for dot in here)
    return [*parts, tag("text", names, class_="name", x=place[0], y=place[1] - 7, dx=shift, text_anchor=anchor)]
