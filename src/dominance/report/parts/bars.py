"""Small plots that stand in a table or a list: counts by verdict, a rate, a mean DvD."""

from collections.abc import Mapping

from markupsafe import Markup

from dominance.records import COLLAPSE, Interval, Rate
from dominance.report.parts.svg import across, tag, whisker


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
        parts += whisker(f"{100 * rate.interval[0]:.1f}%", f"{100 * rate.interval[1]:.1f}%", 8)
    return tag("svg", *parts, class_="presence", aria_hidden="true")


def dvd_range(mean: float, interval: Interval | None) -> Markup:
    """A mean DvD with its interval on a line from 0 to 100, the collapse threshold marked."""
    line = across(COLLAPSE, 100)
    parts = [
        tag("line", class_="axis", x1=across(0, 100), x2=across(100, 100), y1=7, y2=7),
        tag("line", class_="threshold", x1=line, x2=line, y1=1, y2=13),
    ]
    if interval is not None:
        parts.append(
            tag("line", class_="interval", x1=across(interval[0], 100), x2=across(interval[1], 100), y1=7, y2=7)
        )
    parts.append(tag("circle", class_="mean", cx=across(mean, 100), cy=7, r=4))
    return tag("svg", *parts, class_="range", aria_hidden="true")
