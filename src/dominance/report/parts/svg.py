"""What plots are drawn with: SVG as text.

Horizontal places are percentages, so that a plot fills any width without scaling its text; colours are
classes that the page's style sheet fills in for light and dark.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup


def tag(name: str, *content: str, **attributes: object) -> Markup:
    """An element with everything in it escaped; ``class_`` stands for class, ``aria_label`` for aria-label."""
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    written = Markup(" ").join(Markup('{}="{}"').format(*pair) for pair in pairs)
    return Markup("<{0} {1}>{2}</{0}>").format(name, written, Markup("").join(content))


def words(text: str, x: object, y: float, anchor: str, name: str) -> Markup:
    """Text at this place, with this class."""
    return tag("text", text, class_=name, x=x, y=y, text_anchor=anchor)


def across(value: float, most: float) -> str:
    """The place of a value on an axis from 0 to ``most``, with room at both ends for half a dot."""
    return f"{2 + 96 * value / most:.2f}%"


def whisker(low: str, high: str, y: float) -> list[Markup]:
    """An interval as a horizontal line with caps."""
    caps = [tag("line", class_="whisker", x1=x, x2=x, y1=y - 3, y2=y + 3) for x in (low, high)]
    return [tag("line", class_="whisker", x1=low, x2=high, y1=y, y2=y), *caps]


def horizontal_grid(ticks: Sequence[tuple[float, str]]) -> list[Markup]:
    """A line across the plot for each height, its label left of it."""
    parts = []
    for y, label in ticks:
        parts.append(tag("line", class_="grid", x1="0", x2="100%", y1=y, y2=y))
        parts.append(words(label, -6, y + 4, "end", "tick"))
    return parts


def percent_grid(left: float, y: Callable[[float], float]) -> list[Markup]:
    """A line at each quarter from 0 to 100%, from ``left`` percent of the width on, its label before it.

    Args:
        y: from a share to its height.
    """
    parts = []
    for quarter in range(5):
        height = y(quarter / 4)
        parts.append(tag("line", class_="grid", x1=f"{left}%", x2="100%", y1=height, y2=height))
        parts.append(tag("text", f"{25 * quarter}%", class_="tick", x=0, y=height + 4))
    return parts


def stretched(content: Sequence[Markup], width: int, height: int, pixels: float) -> Markup:
    """Content in its own units, stretched over the plot's whole width."""
    box = f"0 0 {width} {height}"
    return tag("svg", *content, viewBox=box, preserveAspectRatio="none", width="100%", height=pixels)


def points(places: Iterable[tuple[float, float]]) -> str:
    """Places as the corners of a line or an area."""
    return " ".join(f"{x},{y}" for x, y in places)


def rising_ticks(top: float, most: int = 4) -> list[float]:
    """Round numbers from 0 to the first at or above ``top``, at most ``most`` besides 0.

    >>> rising_ticks(0.47), rising_ticks(0.0103)
    ([0.0, 0.2, 0.4, 0.6], [0.0, 0.005, 0.01, 0.015])
    """
    power = 10.0 ** math.floor(math.log10(top / 2))
    unit = next(unit for unit in (1, 2, 5, 10) if unit * power * most >= top)
    count = math.ceil(round(top / (unit * power), 6))
    return [float(f"{unit * power * place:.6g}") for place in range(count + 1)]


def ticks_around_zero(low: float, high: float) -> list[float]:
    """Round numbers around 0 that hold both ends; above it, too, where both are 0.

    >>> ticks_around_zero(-0.1, 0.47)
    [-0.2, 0.0, 0.2, 0.4, 0.6]
    >>> ticks_around_zero(0.0, 0.0)
    [0.0, 0.5]
    """
    steps = rising_ticks(max(high, -low) or 1.0)
    below = [-tick for tick in reversed(steps[1:])] if low < 0 else []
    above = steps[1:] if high > 0 or not below else []
    first = next((place for place in range(len(below) - 1, -1, -1) if below[place] <= low), 0)
    last = next((place for place, tick in enumerate(above) if tick >= high), len(above) - 1)
    return [*below[first:], 0.0, *above[: last + 1]]


def tick_label(value: float, *, percent: bool = False, signed: bool = False) -> str:
    """A number beside an axis.

    >>> tick_label(0.2), tick_label(0.2, percent=True), tick_label(-0.01, percent=True, signed=True)
    ('0.2', '20%', '−1')
    """
    if value == 0:
        return "0"
    said = f"{abs(value) * (100 if percent else 1):.4g}"
    if signed:
        return f"{'−' if value < 0 else '+'}{said}"
    return f"{said}%" if percent else said
