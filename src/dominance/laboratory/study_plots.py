"""The study's plots as SVG files: a phase diagram of outcomes, and DvD against diversity."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from xml.sax.saxutils import escape

from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.study_summary import Contrast, Dose, Side
from dominance.laboratory.svg import FAINT, INK, document, text
from dominance.metrics import t_interval
from dominance.numbers import mean

COLOURS: tuple[str, str, str, str] = ("#c0392b", "#2e8b57", "#3a6ea5", "#b8b8b8")
LEGEND: tuple[str, str, str, str] = ("only the entity", "both", "only the object", "none")
_ROW, _BAR = 54, 17


@dataclass(frozen=True)
class _Frame:
    """Where a plot's 0 to 100 lies on the page, in pixels."""

    left: float
    width: float

    def place(self, share: float) -> float:
        return self.left + self.width * share


def phase_diagram(contrasts: Sequence[Contrast]) -> str:
    """One row a condition: what the images of rigid, and of varied, entities with an object show."""
    frame = _Frame(left=240, width=480)
    width, height = 900, 60 + _ROW * len(contrasts)
    parts, x = [], frame.left
    for colour, words in zip(COLOURS, LEGEND, strict=True):
        parts += [f'<rect x="{x:.0f}" y="14" width="12" height="12" fill="{colour}"/>', text(x + 17, 25, words)]
        x += 122
    parts.append(text(frame.left + frame.width + 12, 25, "DvD of the entity"))
    for row, found in enumerate(contrasts):
        top = 46 + row * _ROW
        name = found.condition + ("" if found.guidance == 5 else f", guidance {found.guidance:g}")
        parts.append(text(8, top + 22, name))
        for offset, label, side in ((0, "rigid", found.rigid), (_BAR + 3, "varied", found.varied)):
            parts += _bar(frame, top + offset, label, side)
    return document(width, height, parts)


def _bar(frame: _Frame, top: float, label: str, side: Side) -> list[str]:
    parts = [text(frame.left - 8, top + 13, label, "end", "#555")]
    parts += _stack(frame, top, side.shown)
    return [*parts, text(frame.left + frame.width + 12, top + 13, mean(side.dvd, side.interval))]


def _stack(frame: _Frame, top: float, shown: Outcomes) -> list[str]:
    parts, before = [], 0
    for colour, words, count in zip(COLOURS, LEGEND, shown.counts, strict=True):
        if count:
            x, width = frame.place(before / shown.n), frame.width * count / shown.n
            title = f"<title>{words}: {count} of {shown.n}</title>"
            parts.append(
                f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}">{title}</rect>'
            )
            if width > 30:
                parts.append(text(x + width / 2, top + 13, f"{count}", "middle", "#fff", 11))
        before += count
    return parts


def dose_plot(found: Dose) -> str:
    """A dot an entity and model; a bar the mean at each diversity with its interval over entities."""
    left, top, width, height = 60, 20, 520, 300
    parts = []
    for score in (0, 25, 50, 75, 100):
        y = top + height * (1 - score / 100)
        parts += [f'<line x1="{left}" x2="{left + width}" y1="{y}" y2="{y}" stroke="{FAINT}"/>']
        parts.append(text(left - 8, y + 4, str(score), "end", "#555", 12))
    for diversity in sorted({point[1] for point in found.points}):
        x = left + 30 + (width - 60) * diversity
        own = [point for point in found.points if point[1] == diversity]
        for name, _, dvd in own:
            y = top + height * (1 - dvd / 100)
            title = f"<title>{escape(name)}, diversity {diversity:g}: {dvd:.0f}</title>"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[0]}" fill-opacity=".45">{title}</circle>'
            )
        means = [fmean(dvd for n, _, dvd in own if n == name) for name in sorted({point[0] for point in own})]
        low, high = t_interval(means, least=0, most=100) or (means[0], means[0])
        ends = [top + height * (1 - score / 100) for score in (low, high)]
        middle = top + height * (1 - sum(point[2] for point in own) / len(own) / 100)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{ends[0]:.1f}" y2="{ends[1]:.1f}" stroke="{INK}"/>')
        parts.append(f'<rect x="{x - 8:.1f}" y="{middle - 1.5:.1f}" width="16" height="3" fill="{INK}"/>')
        parts.append(text(x, top + height + 20, f"{diversity:g}", "middle", "#555", 12))
    parts.append(text(left + width / 2, top + height + 42, "diversity of the entity in training", "middle"))
    return document(left + width + 20, top + height + 56, parts)
