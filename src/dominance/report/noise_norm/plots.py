"""The course of a norm over the denoising steps."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from dominance.numbers import measure
from dominance.report.parts.courses import HEIGHT, Course, course_plot
from dominance.report.parts.svg import horizontal_grid, rising_ticks, tick_label

_MOST_TICKS = 16


def courses(listed: Sequence[Course], label: str) -> Markup:
    """A line for each group over the denoising steps, counted from 0, in a band of its intervals, from 0 up."""
    steps = max(len(course.values) for course in listed)
    tops = [interval[1] if interval else mean for course in listed for _, mean, interval in course.values]
    ticks = rising_ticks(max(tops) or 1.0)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - value / ticks[-1]), 1)

    def x(step: int) -> float:
        return round(100 * (step + 0.5) / steps, 2)

    every = max(1, math.ceil(steps / _MOST_TICKS))
    below = [(step, str(step + 1)) for step in range(0, steps, every)]
    grid = horizontal_grid([(y(tick), tick_label(tick)) for tick in ticks])
    return course_plot(listed, label, x, y, measure, below, "denoising step", grid)
