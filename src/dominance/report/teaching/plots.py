"""The curves of a fine-tuning over its steps, as SVG text; horizontal places are percentages, as in the other plots."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from dominance.numbers import share
from dominance.records import Identity, Interval, Rate
from dominance.report.parts.courses import HEIGHT, Course, course_plot
from dominance.report.parts.svg import horizontal_grid, tag, tick_label, words
from dominance.runs.teaching.result import TeachingResult

Measure = tuple[float | None, Interval | None]
_MOST_TICKS = 12
_TICKS = (0, 0.25, 0.5, 0.75, 1.0)


def composition_curves(result: TeachingResult) -> tuple[Course, ...]:
    """Composition, the taught concept alone, and its DvD towards the others as a share of 100."""
    return _curves(
        result,
        ("composition", "s1", lambda found: _rate(found.composition)),
        (f"“{result.taught}” named alone", "s2", lambda found: _rate(found.alone)),
        ("its DvD towards the others, of 100", "s3", _towards),
    )


def identity_curves(result: TeachingResult) -> tuple[Course, ...]:
    """Similarity to the pictures, leakage, copying, and what else the model composes."""
    return _curves(
        result,
        ("similarity to the pictures", "s1", lambda found: (found.similarity, found.similarity_interval)),
        ("leakage", "s2", lambda found: _rate(found.leakage)),
        ("copying", "s3", lambda found: _rate(found.copying)),
        ("prompts without it", "s4", lambda found: _rate(found.others)),
    )


def _rate(found: Rate | None) -> Measure:
    return (None, None) if found is None else (found.share, found.interval)


def _towards(found: Identity) -> Measure:
    if found.dvd_towards is None:
        return None, None
    low, high = found.dvd_interval or (found.dvd_towards, found.dvd_towards)
    return found.dvd_towards / 100, (low / 100, high / 100)


def _curves(result: TeachingResult, *measures: tuple[str, str, Callable[[Identity], Measure]]) -> tuple[Course, ...]:
    found = []
    for name, style, measure in measures:
        measured = [(one.step, *measure(one.watched.identity)) for one in result.checkpoints if one.watched]
        values = tuple((step, value, interval) for step, value, interval in measured if value is not None)
        found += [Course(name, style, values)] if values else []
    return tuple(found)


def curves(listed: Sequence[Course], label: str, floor: float | None = None, mark: int | None = None) -> Markup:
    """Lines over the training steps, each in a band of its intervals, from 0 to 1.

    Args:
        floor: a share that is drawn as a dashed line.
        mark: a step that is marked.
    """
    steps = sorted({step for course in listed for step, *_ in course.values})
    last = max(steps[-1], 1)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - min(max(value, 0.0), 1.0)), 1)

    def x(step: int) -> float:
        return round(2 + 96 * step / last, 2)

    parts = horizontal_grid([(y(tick), tick_label(tick, percent=True)) for tick in _TICKS])
    if floor is not None:
        parts.append(tag("line", class_="floor", x1="0", x2="100%", y1=y(floor), y2=y(floor)))
        parts.append(words(f"floor {share(floor)}", "100%", y(floor) - 4, "end", "tick"))
    if mark is not None:
        parts.append(tag("line", class_="mark", x1=f"{x(mark)}%", x2=f"{x(mark)}%", y1=0, y2=HEIGHT))
    below = [(step, str(step)) for step in steps[:: -(-len(steps) // _MOST_TICKS)]]
    return course_plot(listed, label, x, y, share, below, "training step", parts)
