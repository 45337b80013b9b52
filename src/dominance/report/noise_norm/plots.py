"""The course of a measure over the denoising steps as SVG text; horizontal places are percentages, as in ``plots``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.numbers import measure
from dominance.records import Interval
from dominance.report.parts.svg import horizontal_grid, points, rising_ticks, stretched, tag, tick_label, words

_HEIGHT = 210
_MOST_TICKS = 16


@dataclass(frozen=True)
class Course:
    """One group's mean and interval at each step; ``style`` is its class of colour and dashes."""

    name: str
    style: str
    means: tuple[tuple[float, Interval | None], ...]


def courses(listed: Sequence[Course], label: str) -> Markup:
    """A line for each group from step 1 on, in a band of its intervals, from 0 up."""
    steps = max(len(course.means) for course in listed)
    tops = [interval[1] if interval else mean for course in listed for mean, interval in course.means]
    ticks = rising_ticks(max(tops) or 1.0)

    def y(value: float) -> float:
        return round(_HEIGHT * (1 - value / ticks[-1]), 1)

    def x(step: int) -> float:
        return round(100 * (step + 0.5) / steps, 2)

    parts = horizontal_grid([(y(tick), tick_label(tick)) for tick in ticks])
    drawn = []
    for course in listed:
        places = [(x(step), mean, interval or (mean, mean)) for step, (mean, interval) in enumerate(course.means)]
        edge = [(at, y(high)) for at, _, (_, high) in places] + [(at, y(low)) for at, _, (low, _) in reversed(places)]
        drawn.append(tag("polygon", class_=course.style, points=points(edge)))
        drawn.append(tag("polyline", class_=course.style, points=points([(at, y(mean)) for at, mean, _ in places])))
    parts.append(stretched(drawn, 100, _HEIGHT, _HEIGHT))
    every = max(1, math.ceil(steps / _MOST_TICKS))
    parts += [words(str(step + 1), f"{x(step)}%", _HEIGHT + 16, "middle", "tick") for step in range(0, steps, every)]
    parts.append(words("denoising step", "50%", _HEIGHT + 34, "middle", "axis-name"))
    said = "; ".join(
        f"{course.name} from {measure(course.means[0][0])} to {measure(course.means[-1][0])}"
        for course in listed
        if course.means
    )
    content = (tag("title", label), tag("desc", said), *parts)
    return tag("svg", *content, class_="course-plot", role="img", aria_label=f"{label}: {said}", height=_HEIGHT + 40)
