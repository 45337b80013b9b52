"""The twins' plots as SVG: what images show, rigid and varied, and each entity's DvD in either twin."""

from collections.abc import Sequence
from statistics import fmean
from xml.sax.saxutils import escape

from dominance.laboratory.contrast import Side
from dominance.laboratory.outcomes import Outcomes
from dominance.laboratory.svg import FAINT, INK, document, text
from dominance.laboratory.twins.summary import EntityContrast
from dominance.numbers import mean

COLOURS: tuple[str, str, str, str] = ("#c0392b", "#2e8b57", "#3a6ea5", "#b8b8b8")
LEGEND: tuple[str, str, str, str] = ("only the entity", "both", "only the object", "none")
_BAR, _BAR_LEFT, _BAR_WIDTH = 22, 220, 480
_LEFT, _TOP, _WIDTH, _ROW = 90, 40, 560, 46


def outcome_bars(rows: Sequence[tuple[str, Side]]) -> str:
    """A bar a row: the images by what they show, and the DvD beside it."""
    parts, x = [], _BAR_LEFT
    for colour, words in zip(COLOURS, LEGEND, strict=True):
        parts += [f'<rect x="{x}" y="14" width="12" height="12" fill="{colour}"/>', text(x + 17, 25, words)]
        x += 122
    parts.append(text(_BAR_LEFT + _BAR_WIDTH + 12, 25, "DvD of the entity"))
    for row, (name, own) in enumerate(rows):
        top = 46 + row * (_BAR + 12)
        parts.append(text(_BAR_LEFT - 10, top + 16, name, "end"))
        parts += _stack(top, own.shown)
        parts.append(text(_BAR_LEFT + _BAR_WIDTH + 12, top + 16, mean(own.dvd, own.interval)))
    return document(_BAR_LEFT + _BAR_WIDTH + 190, 54 + len(rows) * (_BAR + 12), parts)


def _stack(top: float, shown: Outcomes) -> list[str]:
    parts, before = [], 0
    for colour, words, count in zip(COLOURS, LEGEND, shown.counts, strict=True):
        if count:
            x, width = _BAR_LEFT + _BAR_WIDTH * before / shown.n, _BAR_WIDTH * count / shown.n
            title = f"<title>{words}: {count} of {shown.n}</title>"
            parts.append(
                f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}">{title}</rect>'
            )
            if width > 30:
                parts.append(text(x + width / 2, top + 16, f"{count}", "middle", "#fff", 12))
        before += count
    return parts


def entity_plot(entities: Sequence[EntityContrast]) -> str:
    """A line an entity, from its mean DvD where it is varied to that where it is rigid; a dot a training seed."""
    bottom = _TOP + _ROW * len(entities)
    parts = []
    for score in (0, 25, 50, 75, 100):
        x = _x(score)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="{FAINT}"/>')
        parts.append(text(x, bottom + 20, str(score), "middle", "#555", 12))
    for row, found in enumerate(entities):
        y = _TOP + _ROW * (row + 0.5)
        low, high = _x(fmean(found.varied.values())), _x(fmean(found.rigid.values()))
        parts.append(text(_LEFT - 12, y + 4, found.entity, "end"))
        parts.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{INK}" stroke-width="2" opacity=".5"/>'
        )
        for name, colour, scores in (("varied", COLOURS[2], found.varied), ("rigid", COLOURS[0], found.rigid)):
            parts += [_dot(y, colour, f"{found.entity}, {name}, seed {seed}", dvd) for seed, dvd in scores.items()]
        if found.base is not None:
            title = f"<title>{escape(found.entity)} in the base: {found.base:.0f}</title>"
            parts.append(
                f'<rect x="{_x(found.base) - 1.5:.1f}" y="{y - 11}" width="3" height="22" fill="{INK}">{title}</rect>'
            )
    parts += _legend()
    parts.append(text(_LEFT + _WIDTH / 2, bottom + 42, "DvD in the direction in which the entity dominates", "middle"))
    return document(_LEFT + _WIDTH + 30, bottom + 56, parts)


def _dot(y: float, colour: str, name: str, dvd: float) -> str:
    title = f"<title>{escape(name)}: {dvd:.0f}</title>"
    return f'<circle cx="{_x(dvd):.1f}" cy="{y}" r="5" fill="{colour}" fill-opacity=".6">{title}</circle>'


def _legend() -> list[str]:
    rigid, varied = (f'<circle cx="{x}" cy="18" r="5" fill="{c}"/>' for x, c in ((96, COLOURS[0]), (176, COLOURS[2])))
    bar = f'<rect x="260" y="8" width="3" height="20" fill="{INK}"/>'
    return [rigid, text(106, 23, "rigid"), varied, text(186, 23, "varied"), bar, text(270, 23, "in the base")]


def _x(score: float) -> float:
    return _LEFT + _WIDTH * score / 100
