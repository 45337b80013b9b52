"""The curve of DvD over designs as SVG, and the rows of pictures beside it."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from dominance.errors import ItemError
from dominance.laboratory.diversity.arms import Trial, level_name
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import Level, levels_of
from dominance.laboratory.svg import FAINT, INK, document, text
from dominance.pictures import as_rgb, open_image

_LEFT, _TOP, _WIDTH, _HEIGHT, _MARGIN = 56, 20, 560, 320, 36
_MEAN, _REVERSE, _MODEL = "#c0392b", "#3a6ea5", "#c0392b"


def curve(results: Sequence[DiversityResult]) -> str:
    """A line through the means of the levels with their intervals, a dot a model, and the DvD the other way below."""
    levels = levels_of(results)
    step = (_WIDTH - 2 * _MARGIN) / max(1, len(levels) - 1)
    places = {found.level: _LEFT + _MARGIN + step * number for number, found in enumerate(levels)}
    parts = [_grid(score) for score in (0, 25, 50, 75, 100)]
    for result in results:
        title = f"<title>{escape(result.subject)}, seed {result.seed}: {result.dvd:.0f}</title>"
        parts.append(
            f'<circle cx="{places[result.level]:.1f}" cy="{_y(result.dvd):.1f}" r="3.5" fill="{_MODEL}"'
            f' fill-opacity=".3">{title}</circle>'
        )
    parts.append(_line([(places[found.level], found.reverse) for found in levels], _REVERSE, "4 4"))
    parts.append(_line([(places[found.level], found.dvd) for found in levels], _MEAN, "none"))
    for found in levels:
        parts += _mean(places[found.level], found)
    parts.append(text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 44, "designs among 120 pictures of the concept", "middle"))
    parts += _legend()
    return document(_LEFT + _WIDTH + 16, _TOP + _HEIGHT + 94, parts)


def _y(score: float) -> float:
    return _TOP + _HEIGHT * (1 - score / 100)


def _grid(score: int) -> str:
    y = _y(score)
    line = f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>'
    return line + text(_LEFT - 8, y + 4, str(score), "end", "#555", 12)


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> str:
    path = " ".join(f"{x:.1f},{_y(score):.1f}" for x, score in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'


def _mean(x: float, found: Level) -> list[str]:
    low, high = found.dvd_interval or (found.dvd, found.dvd)
    words = f"<title>{found.dvd:.1f}, {found.models} models</title>"
    return [
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_y(low):.1f}" y2="{_y(high):.1f}" stroke="{INK}" stroke-width="1.5"/>',
        f'<circle cx="{x:.1f}" cy="{_y(found.dvd):.1f}" r="5" fill="{_MEAN}" stroke="#fff">{words}</circle>',
        text(x, _TOP + _HEIGHT + 20, level_name(found.level), "middle", "#555", 12),
    ]


def _legend() -> list[str]:
    """Two lines below the plot."""
    lines = (
        (_MEAN, "none", "DvD of the concept over the object, mean and 95% interval; a dot is a model"),
        (_REVERSE, "4 4", "mean DvD of the object over the concept"),
    )
    parts = []
    for number, (colour, dashes, words) in enumerate(lines):
        y = _TOP + _HEIGHT + 66 + 18 * number
        parts.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + 24}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{dashes}"/>'
        )
        parts.append(text(_LEFT + 30, y, words, size=12))
    return parts


def write_rows(trials: Sequence[Trial], strips: Path, file: Path) -> bool:
    """Puts the strips of these models below one another; False, and nothing written, where one is not there."""
    rows = []
    for trial in trials:
        image = open_image(strips / f"{trial.name}.png")
        if isinstance(image, ItemError):
            return False
        rows.append(np.asarray(as_rgb(image)))
    if not rows:
        return False
    gap = np.full((4, rows[0].shape[1], 3), 255, np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([part for row in rows for part in (row, gap)][:-1])).save(file)
    return True
