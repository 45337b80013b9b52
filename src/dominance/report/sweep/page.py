"""A sweep as one HTML page that opens anywhere, offline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.numbers import UNKNOWN, mean, plural, rate
from dominance.report.parts.identity import similarity
from dominance.report.parts.measures import MeasuresView, figure, measured_view
from dominance.report.parts.next_steps import after_sweep
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, Pictures, Shown, pictures_of
from dominance.report.parts.sentences import either, hanging_sentence
from dominance.report.sweep.plots import curves, trade_off
from dominance.runs.sweep.result import AdapterSweep, CellResult, SweepPicture, SweepPrompt

SWEEP_REPORT_NAME = "sweep.html"
_MOST_ROWS = 60
"""Prompts times seeds in the grid."""


@dataclass(frozen=True)
class GridCell:
    """One picture of the contact grid."""

    picture: Embedded | Missing
    verdict: str
    alt: str
    present: str
    doubt: str | None = None


@dataclass(frozen=True)
class GridRow:
    """The pictures of one prompt and seed, one a cell; the prompt's text stands at its first row."""

    prompt: SweepPrompt
    name: str
    first: bool
    cells: tuple[GridCell, ...]


@dataclass(frozen=True)
class CellRow:
    """One cell's figures, as the table and the terminal show them."""

    name: str
    composition: str
    presence: str
    dvd: str
    leakage: str
    similarity: str
    copying: str
    fit: str
    standing: str


def write_sweep(result: AdapterSweep, folder: Path, images: Shown = "auto") -> Path:
    """Writes ``folder/sweep.html``: the recommendation first, then the curves and the pictures; returns its path.

    Raises:
        RunError: the page cannot be written.
    """
    shown = _shown(result)
    files = [picture.file for _, _, row in shown for picture in row if picture is not None and picture.file is not None]
    pictures = pictures_of(folder, files, images)
    title = "Composition and identity by cell"
    return write_page(
        folder / SWEEP_REPORT_NAME,
        "sweep/page.html.j2",
        result=result,
        headline=sweep_headline(result),
        curves=curves(result.cells, result.floors, title),
        trade_off=trade_off(result.cells, result.recommended, "Composition against identity"),
        doubt=doubt_sentence(result),
        table=cell_rows(result),
        measures=cell_measures(result),
        grid=_rows(result, shown, pictures),
        grid_rows=len(shown),
        all_rows=len({(picture.prompt_id, picture.name) for picture in result.pictures}),
        orders=order_sentences(result),
        linked=pictures.linked,
        next_steps=after_sweep(result),
    )


def sweep_headline(result: AdapterSweep) -> str:
    """The recommendation as a sentence of its own."""
    return f"{result.why[0].upper()}{result.why[1:]}."


def doubt_sentence(result: AdapterSweep) -> str | None:
    """How many images hang on doubtful answers; no full stop."""
    return hanging_sentence(result.hanging, len(result.pictures) - result.unscored, result.unscored)


def cell_rows(result: AdapterSweep) -> tuple[CellRow, ...]:
    """The figures of every cell."""
    return tuple(_cell_row(result, cell) for cell in result.cells)


def cell_measures(result: AdapterSweep) -> MeasuresView | None:
    """What is measured of every cell: the base's means, and how the others differ from it on the same noise."""
    return measured_view([(cell.name, cell.changes or cell.measures) for cell in result.cells], before=False)


def _cell_row(result: AdapterSweep, cell: CellResult) -> CellRow:
    first = cell.identities[0] if cell.identities else None
    standing = "recommended" if cell.name == result.recommended else "on the front" if cell.front else ""
    if cell.holds is False:
        standing = f"{standing}, below the floor" if standing else "below the floor"
    return CellRow(
        name=cell.name,
        composition=rate(cell.composition),
        presence=rate(cell.presence),
        dvd=UNKNOWN if first is None else mean(first.dvd_towards, first.dvd_interval),
        leakage=UNKNOWN if first is None else rate(first.leakage),
        similarity=UNKNOWN if first is None else similarity(first),
        copying=UNKNOWN if first is None else rate(first.copying),
        fit=figure(next((found for found in cell.measures if found.measure == "image_text"), None)),
        standing="control" if cell.control else standing,
    )


_Row = tuple[SweepPrompt, str, list[SweepPicture | None]]


def _shown(result: AdapterSweep) -> list[_Row]:
    """The rows of the grid: as many of every prompt as there is room for, so that none is left out for others."""
    by_place = {(picture.prompt_id, picture.name, picture.cell): picture for picture in result.pictures}
    names: dict[str, list[str]] = {}
    for picture in result.pictures:
        own = names.setdefault(picture.prompt_id, [])
        own += [] if picture.name in own else [picture.name]
    most = max(1, _MOST_ROWS // max(1, len(names)))
    return [
        (prompt, name, [by_place.get((prompt.id, name, cell.name)) for cell in result.cells])
        for prompt in result.prompts[:_MOST_ROWS]
        for name in names.get(prompt.id, [])[:most]
    ]


def _rows(result: AdapterSweep, shown: Sequence[_Row], pictures: Pictures) -> Iterator[GridRow]:
    last = None
    for prompt, name, row in shown:
        cells = [_grid_cell(prompt, p, c, pictures) for p, c in zip(row, result.cells, strict=True)]
        yield GridRow(prompt, name, prompt.id != last, tuple(cells))
        last = prompt.id


def _grid_cell(prompt: SweepPrompt, picture: SweepPicture | None, cell: CellResult, pictures: Pictures) -> GridCell:
    if picture is None or picture.file is None:
        return GridCell(Missing("there is no image"), "unscored", f"{prompt.text}, {cell.name}", "")
    verdict = picture.verdict or "unscored"
    shows = ", ".join(picture.present) or "none of them"
    alt = f"“{prompt.text}”, {picture.name}, {cell.name}: {verdict}, shows {shows}"
    doubt = f"may be {either(picture.could_be)}" if picture.could_be else None
    told = f"{alt}; hangs on doubtful answers, {doubt}" if doubt else alt
    return GridCell(pictures.of(picture.file), verdict, told, shows, doubt)


def order_sentences(result: AdapterSweep) -> tuple[str, ...]:
    """What the two orders of naming show, and what the order of the adapters changes."""
    said = []
    for order in result.orders:
        seen = " and ".join(f"{name} in {found.count} of {found.n}" for name, found in order.presence.items())
        said.append(f"With {order.first} named first, {plural(order.images, 'image')} show {seen}.")
    if result.adapters_differ is not None:
        said.append(
            f"Adding the two adapters in the other order changes no pixel by more than {result.adapters_differ} of 255"
            " grey levels."
        )
    return tuple(said)
