"""The plots of a judge's check as SVG text; as in ``parts.svg``, places are percentages and colours are classes."""

from collections.abc import Sequence

from markupsafe import Markup

from dominance.metrics import Bin
from dominance.numbers import coefficient, counted, rate
from dominance.report.parts.svg import tag

_SIDE = 300
_LEFT, _RIGHT = 9.0, 98.0
_TOP = 10
_COUNTS = 54
"""Height of the columns of counts below the diagram."""


def reliability_plot(bins: Sequence[Bin], title: str) -> Markup:
    """Truth against P(yes), with the counts of each bin below.

    A dot stands at a bin's mean P(yes) and at the share that should be yes, its Wilson interval as a whisker; on the
    diagonal, the judge is calibrated.
    """
    parts = [tag("title", title), *_grid()]
    ends = {"x1": _x(0), "y1": _y(0), "x2": _x(1), "y2": _y(1)}
    parts.append(tag("line", class_="ideal", **ends))
    most = max(found.yes.n for found in bins)
    for found in bins:
        parts += _bin(found, most)
    said = "; ".join(
        f"P(yes) {coefficient(found.mean)}: {counted(found.yes)} should be yes"
        for found in bins
        if found.mean is not None
    )
    height = _TOP + _SIDE + 24 + _COUNTS + 40
    parts.append(tag("text", "answers in each bin", class_="tick", x=_x(0), y=_TOP + _SIDE + 38))
    parts.append(tag("text", "the judge's P(yes)", class_="axis-name", x=_x(0.5), y=height - 4, text_anchor="middle"))
    return tag("svg", tag("desc", said), *parts, class_="reliability", role="img", aria_label=title, height=height)


def _grid() -> list[Markup]:
    parts = []
    for tick in range(0, 101, 20):
        at = tick / 100
        parts.append(tag("line", class_="grid", x1=_x(0), x2=_x(1), y1=_y(at), y2=_y(at)))
        parts.append(tag("line", class_="grid", x1=_x(at), x2=_x(at), y1=_y(0), y2=_y(1)))
        parts.append(tag("text", f"{tick}%", class_="tick", x=0, y=_y(at) + 4))
        parts.append(tag("text", f"{at:g}", class_="tick", x=_x(at), y=_y(0) + 18, text_anchor="middle"))
    return parts


def _bin(found: Bin, most: int) -> list[Markup]:
    if found.mean is None or found.yes.share is None:
        return []
    floor = _TOP + _SIDE + 24 + _COUNTS + 18
    height = max(1.0, _COUNTS * (found.yes.n / most) ** 0.5 * 0.9)
    label = f"P(yes) {found.low:g} to {found.high:g}, mean {coefficient(found.mean)}: {rate(found.yes)} should be yes"
    width = f"{(_RIGHT - _LEFT) * (found.high - found.low) * 0.9:.2f}%"
    parts = [
        tag("title", label),
        tag("rect", class_="count", x=_x(found.low + 0.005), width=width, y=round(floor - height, 1), height=height),
    ]
    if found.yes.interval is not None:
        low, high = found.yes.interval
        parts.append(tag("line", class_="whisker", x1=_x(found.mean), x2=_x(found.mean), y1=_y(low), y2=_y(high)))
    parts.append(tag("circle", class_="dot", cx=_x(found.mean), cy=_y(found.yes.share), r=5.5))
    return [tag("g", *parts)]


def _x(share: float) -> str:
    return f"{_LEFT + (_RIGHT - _LEFT) * share:.2f}%"


def _y(share: float) -> float:
    return round(_TOP + _SIDE * (1 - share), 1)
