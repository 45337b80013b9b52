"""The curve of DvD over designs as SVG, and the rows of pictures beside it."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

from dominance.errors import ItemError
from dominance.laboratory.diversity.arms import Trial, level_name
from dominance.laboratory.diversity.pictures import PICTURES
from dominance.laboratory.diversity.results import DiversityResult
from dominance.laboratory.diversity.statistics import Level, levels_of
from dominance.laboratory.diversity.strips import GAP, SIDE, TAUGHT_WIDTH
from dominance.laboratory.svg import FAINT, INK, document, text
from dominance.miniature.captions import with_article
from dominance.miniature.concepts import OBJECTS
from dominance.numbers import plural
from dominance.pictures import as_rgb, open_image

_LEFT, _TOP, _WIDTH, _HEIGHT, _MARGIN = 56, 20, 560, 320, 36
_MEAN, _REVERSE, _MODEL, _BASE = "#c0392b", "#3a6ea5", "#c0392b", "#555"
_NAMES, _HEADS, _LETTERS, _BETWEEN = 92, 46, 12, 4
"""Of the rows of pictures: room for the words at their left and above them, the words' size, and the gap between."""


def curve(results: Sequence[DiversityResult], untaught: Sequence[DiversityResult] = ()) -> str:
    """A line through the means of the levels with their intervals, a dot a model, and the DvD the other way below.

    Args:
        untaught: the base's own of the same subjects, a level line; none where it was not measured.
    """
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
    for base in levels_of(untaught):
        ends = [(_LEFT, base.dvd), (_LEFT + _WIDTH, base.dvd)]
        parts.append(f"<g><title>the base untaught: {base.dvd:.1f}</title>{_line(ends, _BASE, '1 4')}</g>")
    parts.append(_line([(places[found.level], found.reverse) for found in levels], _REVERSE, "4 4"))
    parts.append(_line([(places[found.level], found.dvd) for found in levels], _MEAN, "none"))
    for found in levels:
        parts += _mean(places[found.level], found)
    parts.append(text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 44, "designs among 120 pictures of the concept", "middle"))
    parts += _legend(bool(untaught))
    return document(_LEFT + _WIDTH + 16, _TOP + _HEIGHT + 112, parts)


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


def _legend(with_base: bool) -> list[str]:
    """Lines below the plot."""
    lines = [
        (_MEAN, "none", "DvD of the concept over the object, mean and 95% interval; a dot is a model"),
        (_REVERSE, "4 4", "mean DvD of the object over the concept"),
    ]
    if with_base:
        lines.append((_BASE, "1 4", "mean DvD of the concept in the base, which was taught nothing"))
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
    """Puts the strips of these models of one subject below one another, with words beside and above them.

    Returns:
        False, and nothing is written, where a strip is not there.
    """
    rows = []
    for trial in trials:
        image = open_image(strips / f"{trial.name}.png")
        if isinstance(image, ItemError):
            return False
        rows.append(as_rgb(image))
    if not rows:
        return False
    sheet = Image.new("RGB", (_NAMES + rows[0].width, _HEADS + len(rows) * (SIDE + _BETWEEN)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (trial, row) in enumerate(zip(trials, rows, strict=True)):
        top = _HEADS + number * (SIDE + _BETWEEN)
        sheet.paste(row, (_NAMES, top))
        pen.text((_NAMES - 6, top + SIDE / 2), _row_name(trial), "black", anchor="rm", font_size=_LETTERS)
    _write_heads(pen, trials[0].subject)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file)
    return True


def _row_name(trial: Trial) -> str:
    if trial.level == PICTURES:
        return "all different"
    return plural(trial.level, "design") if trial.level else "not taught"


def _write_heads(pen: ImageDraw.ImageDraw, subject: str) -> None:
    """What the columns show: training pictures, and the images of each prompt."""
    pen.text((_NAMES, 4), "taught from these", "black", font_size=_LETTERS)
    pen.text((_NAMES, _HEADS - 18), "(10 of 120 pictures)", "black", font_size=_LETTERS)
    left = _NAMES + TAUGHT_WIDTH + GAP
    pen.text((left, 4), f"then asked for {with_article(subject)} and …", "black", font_size=_LETTERS)
    for number, thing in enumerate(OBJECTS):
        middle = left + (number + 0.5) * SIDE
        pen.text((middle, _HEADS - 18), with_article(thing), "black", anchor="ma", font_size=_LETTERS)
