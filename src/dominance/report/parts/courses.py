"""Measures over steps as SVG text: lines in bands of their intervals, above an axis of steps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dominance.records import Interval
from dominance.report.parts.svg import points, stretched, tag, words

HEIGHT = 210


@dataclass(frozen=True)
class Course:
    """One measure.

    Attributes:
        style: its class of colour and dashes.
        values: step, value and interval, in the order of the steps.
    """

    name: str
    style: str
    values: tuple[tuple[int, float, Interval | None], ...]


def course_plot(
    listed: Sequence[Course],
    label: str,
    x: Callable[[int], float],
    y: Callable[[float], float],
    write: Callable[[float], str],
    ticks: Iterable[tuple[int, str]],
    axis: str,
    more: Sequence[Markup] = (),
) -> Markup:
    """The whole plot; what it shows is also said in words.

    Args:
        x: from a step to its place in percent of the width.
        y: from a value to its height, 0 at the top to ``HEIGHT``.
        write: a value in words.
        ticks: steps that are named below the plot, and their names.
        axis: what the ticks are.
        more: grid and marks, behind the lines.
    """
    drawn = []
    for course in listed:
        bands = [(x(step), interval or (value, value)) for step, value, interval in course.values]
        edge = [(at, y(high)) for at, (_, high) in bands] + [(at, y(low)) for at, (low, _) in reversed(bands)]
        drawn.append(tag("polygon", class_=course.style, points=points(edge)))
        line = [(x(step), y(value)) for step, value, _ in course.values]
        drawn.append(tag("polyline", class_=course.style, points=points(line)))
    parts = [*more, stretched(drawn, 100, HEIGHT, HEIGHT)]
    parts += [words(text, f"{x(step)}%", HEIGHT + 16, "middle", "tick") for step, text in ticks]
    parts.append(words(axis, "50%", HEIGHT + 34, "middle", "axis-name"))
    said = "; ".join(
        f"{course.name} from {write(course.values[0][1])} to {write(course.values[-1][1])}"
        for course in listed
        if course.values
    )
    content = (tag("title", label), tag("desc", said), *parts)
    return tag("svg", *content, class_="course-plot", role="img", aria_label=f"{label}: {said}", height=HEIGHT + 40)
