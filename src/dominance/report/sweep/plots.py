"""A sweep's plots as SVG text: both measures along the cells, and one against the other."""

from collections.abc import Sequence

from markupsafe import Markup

from dominance.numbers import rate
from dominance.records import Rate
from dominance.report.parts.svg import percent_grid, tag, words
from dominance.runs.sweep.result import CellResult

_HEIGHT = 220
_TOP = 14
_LEFT, _RIGHT = 8.0, 98.0
_TICKS = (0, 25, 50, 75, 100)
_LONGEST = 12
"""Characters of a cell's name below the plot; longer ones are numbered."""


def curves(cells: Sequence[CellResult], floors: tuple[float | None, float | None], title: str) -> Markup:
    """Composition and identity of each cell, from 0 to 100%, with their intervals; dashed: the floors."""
    parts = [tag("title", title), *percent_grid(_LEFT, _y)]
    for floor, style in zip(floors, ("s1", "s2"), strict=True):
        if floor is not None:
            parts.append(tag("line", class_=f"floor {style}", x1=f"{_LEFT}%", x2="100%", y1=_y(floor), y2=_y(floor)))
    step = (_RIGHT - _LEFT) / max(1, len(cells))
    for shift, style, what in ((-0.08, "s1", "composition"), (0.08, "s2", "identity")):
        places = [_LEFT + step * (place + 0.5 + shift) for place in range(len(cells))]
        rates = [cell.composition if what == "composition" else cell.presence for cell in cells]
        parts += _line(places, rates, cells, style, what)
    for place, cell in enumerate(cells):
        name = cell.name if len(cell.name) <= _LONGEST and len(cells) <= 16 else str(place + 1)
        parts.append(words(name, f"{_LEFT + step * (place + 0.5):.2f}%", _TOP + _HEIGHT + 18, "middle", "tick"))
    said = "; ".join(f"{c.name}: composition {rate(c.composition)}, identity {rate(c.presence)}" for c in cells)
    return tag("svg", tag("desc", said), *parts, class_="sweep-plot", role="img", aria_label=title, height=_HEIGHT + 42)


def _line(
    places: Sequence[float], rates: Sequence[Rate | None], cells: Sequence[CellResult], style: str, what: str
) -> list[Markup]:
    parts = []
    last: tuple[float, float] | None = None
    for place, found, cell in zip(places, rates, cells, strict=True):
        share = None if found is None else found.share
        if found is None or share is None:
            last = None
            continue
        x, y = f"{place:.2f}%", _y(share)
        if last is not None and not cell.control:
            parts.append(tag("line", class_=f"curve {style}", x1=f"{last[0]:.2f}%", y1=last[1], x2=x, y2=y))
        if found.interval is not None:
            low, high = (_y(end) for end in found.interval)
            parts.append(tag("line", class_=f"whisker {style}", x1=x, x2=x, y1=low, y2=high))
        label = tag("title", f"{cell.name}: {what} {rate(found)}")
        parts.append(tag("circle", label, class_=f"dot {style}", cx=x, cy=y, r=4.5))
        last = (place, y)
    return parts


def trade_off(cells: Sequence[CellResult], recommended: str | None, title: str) -> Markup:
    """Composition against identity: a dot a cell, the Pareto front filled, the recommended one ringed."""
    parts = [tag("title", title), *percent_grid(_LEFT, _y)]
    for tick in _TICKS:
        x = _x(tick / 100)
        parts.append(tag("line", class_="grid", x1=x, x2=x, y1=_y(0), y2=_y(1)))
        parts.append(words(f"{tick}%", x, _TOP + _HEIGHT + 18, "middle", "tick"))
    known = [(cell, cell.point) for cell in cells]
    spots: dict[tuple[float, float], list[CellResult]] = {}
    for cell, point in known:
        if point is not None:
            spots.setdefault(point, []).append(cell)
    for (identity, composition), here in spots.items():
        names = ", ".join(cell.name for cell in here)
        x, y = _x(identity), _y(composition)
        if any(cell.name == recommended for cell in here):
            parts.append(tag("circle", class_="ring", cx=x, cy=y, r=10))
        kind = "dot s1" if any(cell.front for cell in here) else "dot hollow"
        parts.append(tag("circle", tag("title", names), class_=kind, cx=x, cy=y, r=5))
        shown = names if len(names) <= 3 * _LONGEST else f"{here[0].name} and {len(here) - 1} more"
        side = ("end", -11) if identity > 0.7 else ("start", 11)
        parts.append(tag("text", shown, class_="name", x=x, y=y + 16, dx=side[1] / 2, text_anchor=side[0]))
    parts.append(words("identity", _x(0.5), _TOP + _HEIGHT + 36, "middle", "axis-name"))
    said = "; ".join(f"{c.name}: composition {rate(c.composition)}, identity {rate(c.presence)}" for c in cells)
    return tag("svg", tag("desc", said), *parts, class_="sweep-plot", role="img", aria_label=title, height=_HEIGHT + 60)


def _x(share: float) -> str:
    return f"{_LEFT + 2 + (_RIGHT - _LEFT - 4) * share:.2f}%"


def _y(share: float) -> float:
    return round(_TOP + _HEIGHT * (1 - share), 1)
