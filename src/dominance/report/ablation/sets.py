"""What sets of heads do, as the ablation page and the command line say it: a sentence, and a plot by size."""

from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from dominance.numbers import plural, share_difference
from dominance.report.parts.courses import HEIGHT, Course, course_plot
from dominance.report.parts.svg import horizontal_grid, tick_label, ticks_around_zero
from dominance.runs.ablation.cooperation import HeadSets, Rise

STYLES = (("s1", "greedy set"), ("s2", "best set of its size"))


@dataclass(frozen=True)
class SetsView:
    """The part of a section on sets of heads; ``plot`` is None where nothing could be held out."""

    result: HeadSets
    sentence: str
    plot: Markup | None


def sets_view(found: HeadSets) -> SetsView:
    """The part on one interval of steps."""
    return SetsView(found, sets_sentence(found), _plot(found) if found.sizes else None)


def risen(found: Rise) -> str:
    """A rise of presence, in percentage points."""
    return share_difference(found.value, found.interval)


def sets_sentence(found: HeadSets) -> str:
    """What sets of heads do beyond the best single head, and how far greed is from the best, in a few words."""
    if not found.sizes:
        return "Nothing could be held out, so nothing is said of sets of heads."
    held_out = list(found.by_prompt.values())
    best, single = (fmean(getattr(own, name) for own in held_out) for name in ("best", "single"))
    behind = max(size.behind_where_chosen for size in found.sizes)
    greed = (
        "the greedy set of every size is the best one"
        if behind < 0.0005
        else f"a greedy set is at most {100 * behind:.1f} points behind the best one of its size"
    )
    return (
        f"Without the set of heads that was best on other prompts, the presence of the lost concept changes by"
        f" {share_difference(best)}; without the best single head, by {share_difference(single)}"
        f" ({plural(len(held_out), 'prompt')}). On the prompts that chose, {greed}."
    )


def _plot(found: HeadSets) -> Markup:
    """Rise by size: of the greedy sets and of the best ones, on prompts that took no part in choosing."""
    listed = [
        Course(name, style, tuple((size.size, *_point(getattr(size, kind))) for size in found.sizes))
        for kind, (style, name) in zip(("greedy", "best"), STYLES, strict=True)
    ]
    ends = [end for course in listed for _, value, interval in course.values for end in interval or (value, value)]
    ticks = ticks_around_zero(min([0.0, *ends]), max([0.0, *ends]))
    last = len(found.sizes)

    def x(size: int) -> float:
        return round(3 + 94 * (size - 1) / max(1, last - 1), 2)

    def y(value: float) -> float:
        return round(HEIGHT * (ticks[-1] - value) / (ticks[-1] - ticks[0]), 1)

    grid = horizontal_grid([(y(tick), tick_label(tick, percent=True, signed=True)) for tick in ticks])
    label = "Rise of the lost concept's presence, in percentage points"
    below = [(size.size, str(size.size)) for size in found.sizes]
    return course_plot(listed, label, x, y, share_difference, below, "heads removed together", grid)


def _point(found: Rise) -> tuple[float, tuple[float, float] | None]:
    return found.value or 0.0, found.interval
