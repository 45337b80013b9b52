"""A mitigation as one HTML page that opens anywhere, offline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.records import Rate
from dominance.report.mitigation.plots import frontier
from dominance.report.mitigation.sentences import (
    MethodRow,
    against_rows,
    against_sentence,
    control_sentence,
    cost_sentence,
    doubt_sentence,
    dvd_by_arm,
    method_rows,
    mitigation_headline,
    plain_sentences,
    second_sentence,
)
from dominance.report.mitigation.steps import after_mitigate
from dominance.report.parts.identity import identities_view
from dominance.report.parts.measures import rows_view
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, Pictures, Shown, pictures_of
from dominance.runs.mitigation.result import MitigatedImage, MitigatedPrompt, MitigationResult, Shot
from dominance.runs.stages.method_names import PLAIN

MITIGATION_REPORT_NAME = "mitigation.html"
_MOST_ROWS = 60
"""Prompts times seeds in the grid."""
_MOST_HARMED = 12
"""Harmed images shown of each method."""


@dataclass(frozen=True)
class GridCell:
    """One picture; ``taken`` where the policy hands it over."""

    picture: Embedded | Missing
    verdict: str
    alt: str
    present: str
    taken: bool


@dataclass(frozen=True)
class GridRow:
    """The pictures of one prompt and seed, one an arm; in words why a method did not draw it."""

    prompt: MitigatedPrompt
    name: str
    dvd: str
    first: bool
    cells: tuple[GridCell | str, ...]


@dataclass(frozen=True)
class HarmedPair:
    """An image that was balanced, and what became of it."""

    prompt: MitigatedPrompt
    name: str
    before: GridCell
    after: GridCell


@dataclass(frozen=True)
class Harmed:
    """What one method harmed."""

    name: str
    harmed: Rate
    pairs: tuple[HarmedPair, ...]


@dataclass(frozen=True)
class AgainstTable:
    """The other methods against one of them, as a judge sees them."""

    judge: str
    said: str | None
    rows: tuple[MethodRow, ...]


def write_mitigation(result: MitigationResult, folder: Path, images: Shown = "auto") -> Path:
    """Writes ``folder/mitigation.html``: what the repair does first, then before and after; returns its path.

    Raises:
        RunError: the page cannot be written.
    """
    shown = _shown(result)
    listed = [(prompt, image) for prompt, own in shown for image in own]
    files = [shot.file for _, image in listed for shot in image.shots.values() if shot.file is not None]
    pictures = pictures_of(folder, files, images)
    arms = (PLAIN, *(method.method for method in result.methods))
    told = [*plain_sentences(result), control_sentence(result), doubt_sentence(result), cost_sentence(result)]
    title = "Fall of mean DvD against drawing time"
    return write_page(
        folder / MITIGATION_REPORT_NAME,
        "mitigation/page.html.j2",
        result=result,
        headline=mitigation_headline(result),
        told=[sentence for sentence in told if sentence is not None],
        table=method_rows(result),
        second=None if result.second is None else method_rows(result, result.second),
        second_said=None if result.second is None else second_sentence(result.second),
        against=_against_tables(result),
        measures=rows_view([(row.method, row.measures) for row in result.rows]),
        identities=identities_view(result.identities),
        frontier=frontier(result.rows[len(result.methods) :] if result.only_failing else result.rows, title),
        arms=arms,
        grid=_rows(shown, arms, pictures),
        grid_rows=len(listed),
        all_rows=sum(len(prompt.images) for prompt in result.prompts),
        harmed=[] if result.only_failing else [_harmed(result, m.method, m.harmed, pictures) for m in result.methods],
        settings={method.method: method.settings for method in result.methods},
        linked=pictures.linked,
        next_steps=after_mitigate(result),
    )


def _against_tables(result: MitigationResult) -> list[AgainstTable]:
    """Methods against one of them, by each judge."""
    by = [
        (result.judge, result.against),
        *([] if result.second is None else [(result.second.judge, result.second.against)]),
    ]
    return [AgainstTable(judge, against_sentence(own), against_rows(own)) for judge, own in by if own is not None]


_Rows = list[tuple[MitigatedPrompt, Sequence[MitigatedImage]]]


def _shown(result: MitigationResult) -> _Rows:
    """The rows of the grid: prompts that change most first, and as many seeds of each as there is room for."""
    most = max(1, _MOST_ROWS // max(1, len(result.prompts)))
    ordered = sorted(result.prompts, key=_changes, reverse=True)
    return [(prompt, prompt.images[:most]) for prompt in ordered[:_MOST_ROWS]]


def _changes(prompt: MitigatedPrompt) -> float:
    """By how much the prompt's mean DvD changes at most."""
    plain = prompt.dvd.get(PLAIN)
    others = [value for name, value in prompt.dvd.items() if name != PLAIN and value is not None]
    return max((abs(value - plain) for value in others), default=0.0) if plain is not None else -1.0


def _rows(shown: _Rows, arms: Sequence[str], pictures: Pictures) -> Iterator[GridRow]:
    for prompt, images in shown:
        for place, image in enumerate(images):
            cells = [
                _cell(prompt, image, arm, pictures)
                if arm in image.shots
                else ("left plain" if arm in image.left_plain else "not drawn")
                for arm in arms
            ]
            yield GridRow(prompt, image.name, dvd_by_arm(prompt.dvd), place == 0, tuple(cells))


def _cell(prompt: MitigatedPrompt, image: MitigatedImage, arm: str, pictures: Pictures) -> GridCell:
    shot = image.shots[arm]
    verdict, present = shot.verdict or "unscored", _present(shot)
    picture = Missing(shot.problem or "there is no image") if shot.file is None else pictures.of(shot.file)
    alt = f"“{prompt.text}”, seed {image.name}, {arm}: {verdict}, shows {present}"
    return GridCell(picture, verdict, alt, present, arm == image.delivered)


def _present(shot: Shot) -> str:
    return ", ".join(shot.present) or "none of them"


def _harmed(result: MitigationResult, name: str, harmed: Rate, pictures: Pictures) -> Harmed:
    found = [
        (prompt, image)
        for prompt in result.prompts
        for image in prompt.images
        if image.plain.verdict == "balanced" and name in image.shots
        if image.shots[name].verdict not in (None, "balanced")
    ]
    pairs = [
        HarmedPair(p, i.name, _cell(p, i, PLAIN, pictures), _cell(p, i, name, pictures))
        for p, i in found[:_MOST_HARMED]
    ]
    return Harmed(name, harmed, tuple(pairs))
