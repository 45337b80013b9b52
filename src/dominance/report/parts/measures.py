"""Presence, similarity and quality, as tables on the terminal and on pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.measures import Measure, MeasuredChange, MeasuredMean, PictureScores
from dominance.numbers import UNKNOWN, coefficient, thousandths, thousandths_change
from dominance.records import Interval

NAMES: dict[Measure, str] = {
    "soft_presence": "presence, soft",
    "harsh_presence": "presence, harsh",
    "image_text": "image and prompt",
    "least_concept": "image and least concept",
    "caption_text": "caption and prompt",
    "quality": "quality",
}
MEANS: dict[Measure, str] = {
    "soft_presence": "mean P(yes) of the judge over the prompt's concepts",
    "harsh_presence": "share of images in which the judge sees every concept",
    "image_text": "cosine of the image and the prompt",
    "least_concept": "cosine of the image and the concept that it resembles least",
    "caption_text": "cosine of a caption of the image and the prompt",
    "quality": "how much more it looks like “Good photo.” than like “Bad photo.”, 0 to 1",
}
_PRESENCE = ("soft_presence", "harsh_presence")
Row = tuple[str, ...]
Rows = Sequence[tuple[str, Sequence[MeasuredMean | MeasuredChange]]]
"""The name of each row, and its measures."""


@dataclass(frozen=True)
class MeasuresView:
    """A table with one column a measure.

    Attributes:
        columns: their names.
        means: what each column is.
        total: figures over all prompts.
        rows: a prompt's text or a method's name, and its figures.
    """

    columns: Row
    means: Row
    total: Row
    rows: tuple[tuple[str, Row], ...]


def was_measured(measures: Sequence[MeasuredMean | MeasuredChange]) -> bool:
    """Whether there is more than presence, which verdicts say as well."""
    return any(found.measure not in _PRESENCE for found in measures)


def measure_rows(measures: Sequence[MeasuredMean]) -> list[Row]:
    """Name, figure with interval, and meaning of each measure."""
    return [(NAMES[m.measure], figure(m), str(m.images), MEANS[m.measure]) for m in measures]


def measures_view(measures: Sequence[MeasuredMean], texts: dict[str, str]) -> MeasuresView | None:
    """The table of a run; None where nothing but presence was measured.

    Args:
        texts: of the prompts, by their ids, in the order of the rows.
    """
    if not was_measured(measures):
        return None
    return MeasuresView(
        columns=tuple(NAMES[m.measure] for m in measures),
        means=tuple(MEANS[m.measure] for m in measures),
        total=tuple(figure(m) for m in measures),
        rows=tuple(
            (text, tuple(_written(m.measure, m.prompts.get(id)) for m in measures)) for id, text in texts.items()
        ),
    )


def rows_view(rows: Rows, *, before: bool = True) -> MeasuresView | None:
    """The table of several methods, cells or parts of a run: of each measure its mean, or what it changes by.

    None where there is nothing.

    Args:
        before: whether a change says from where; not in a table whose first row does.
    """
    measures = list(dict.fromkeys(found.measure for _, own in rows for found in own))
    if not measures:
        return None
    known = [(name, {found.measure: found for found in own}) for name, own in rows]
    return MeasuresView(
        columns=tuple(NAMES[measure] for measure in measures),
        means=tuple(MEANS[measure] for measure in measures),
        total=(),
        rows=tuple(
            (name, tuple(figure(own.get(measure), before=before) for measure in measures)) for name, own in known
        ),
    )


def score_lines(scores: PictureScores | None) -> list[str]:
    """What was measured of one image, a line each.

    >>> score_lines(PictureScores(image_text=0.3126, quality=0.5))
    ['image and prompt 0.313', 'quality 0.500']
    """
    known = [] if scores is None else [(measure, getattr(scores, measure, None)) for measure in NAMES]
    return [f"{NAMES[measure]} {_written(measure, value)}" for measure, value in known if value is not None]


def measured_view(rows: Rows, *, before: bool = True) -> MeasuresView | None:
    """The same; None where nothing but presence was measured."""
    return rows_view(rows, before=before) if any(was_measured(own) for _, own in rows) else None


def figure(found: MeasuredMean | MeasuredChange | None, *, before: bool = True) -> str:
    """A mean with its interval; of a change before, after, and their difference with its interval.

    >>> figure(MeasuredMean("image_text", 0.31, (0.3, 0.32), 8, {}))
    '0.310 (0.300 to 0.320)'
    >>> figure(MeasuredChange("image_text", 4, 0.31, 0.325, 0.015, (0.005, 0.025)))
    '0.310 to 0.325: +0.015 (+0.005 to +0.025)'
    """
    if found is None:
        return UNKNOWN
    if isinstance(found, MeasuredMean):
        return _written(found.measure, found.mean, found.interval)
    change = f"{_written(found.measure, found.after)}: {thousandths_change(found.change, found.interval)}"
    return f"{_written(found.measure, found.before)} to {change}" if before else change


def _written(measure: Measure, value: float | None, interval: Interval | None = None) -> str:
    return coefficient(value, interval) if measure in _PRESENCE else thousandths(value, interval)
