"""Presence, similarity and quality, as tables on the terminal and on pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dominance.measures import Measure, MeasuredChange, MeasuredMean
from dominance.numbers import UNKNOWN, coefficient, thousandths, thousandths_change

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
    return [(NAMES[m.measure], _figure(m.measure, m.mean, m), str(m.images), MEANS[m.measure]) for m in measures]


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
        total=tuple(_figure(m.measure, m.mean, m) for m in measures),
        rows=tuple((text, tuple(_plain(m.measure, m.prompts.get(id)) for m in measures)) for id, text in texts.items()),
    )


def changes_view(methods: Sequence[tuple[str, Sequence[MeasuredChange]]]) -> MeasuresView | None:
    """The table of several methods: before, after and the change of each measure; None where there is none."""
    measures = list(dict.fromkeys(found.measure for _, own in methods for found in own))
    if not measures:
        return None
    by_method = [(name, {found.measure: found for found in own}) for name, own in methods]
    return MeasuresView(
        columns=tuple(NAMES[measure] for measure in measures),
        means=tuple(MEANS[measure] for measure in measures),
        total=(),
        rows=tuple(
            (name, tuple(change_figure(known.get(measure)) for measure in measures)) for name, known in by_method
        ),
    )


def change_figure(found: MeasuredChange | None) -> str:
    """Before, after, and the change with its interval.

    >>> change_figure(MeasuredChange("image_text", 4, 0.31, 0.325, 0.015, (0.005, 0.025)))
    '0.310 to 0.325: +0.015 (+0.005 to +0.025)'
    """
    if found is None:
        return UNKNOWN
    change = thousandths_change(found.change, found.interval)
    return f"{_plain(found.measure, found.before)} to {_plain(found.measure, found.after)}: {change}"


def _figure(measure: Measure, value: float, found: MeasuredMean) -> str:
    return coefficient(value, found.interval) if measure in _PRESENCE else thousandths(value, found.interval)


def _plain(measure: Measure, value: float | None) -> str:
    return coefficient(value) if measure in _PRESENCE else thousandths(value)
