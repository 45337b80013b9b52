"""A measurement of diversity as a page, a JSON document and a table, each whole or not at all."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.diversity.verdicts import PAPER_MEDIANS, SCALES
from dominance.documents import json_bytes
from dominance.files import write_whole
from dominance.numbers import distance, plural
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, embed
from dominance.report.parts.sentences import listed
from dominance.report.parts.strips import Dot, Mark, Strip, strips
from dominance.runs.diversity.result import (
    CategoryDiversity,
    ConceptDiversity,
    DiversityResult,
    NamedPair,
    uniform_first,
)

PAGE_NAME, DOCUMENT_NAME, TABLE_NAME = "diversity.html", "diversity.json", "diversity.csv"
_MOST_PICTURED = 60
"""Concepts whose pictures the page shows, the most uniform first; all are in the tables."""
_SIDE = 160
_TYPICAL = 4
_NAMED = 6
"""Concepts that the headline names."""

_COLUMNS = (
    "category", "concept", "images", "unreadable", "pairs", "median", "median_low", "median_high", "mean",
    "quartile_low", "quartile_high", "vendi", "near_duplicate_pairs", "near_duplicate_images", "copies", "verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One file as the page shows it."""

    file: str
    shown: Embedded | Missing


@dataclass(frozen=True)
class ConceptView:
    """One concept with its pictures."""

    concept: ConceptDiversity
    typical: tuple[Picture, ...]
    unusual: tuple[Picture, ...]
    nearest: tuple[Picture, Picture] | None
    farthest: tuple[Picture, Picture] | None


def write_diversity(result: DiversityResult, folder: Path) -> tuple[Path, ...]:
    """Writes ``diversity.html``, ``diversity.json`` and ``diversity.csv`` into the run folder; returns their paths.

    The page holds its pictures and style, and makes no request.

    Raises:
        RunError: one of them cannot be written.
    """
    document = write_whole(folder / DOCUMENT_NAME, json_bytes(result, indent=1))
    table = write_whole(folder / TABLE_NAME, diversity_table(result).encode("utf-8", "replace"))
    return _write_page(result, folder / PAGE_NAME), document, table


def diversity_table(result: DiversityResult) -> str:
    """One line a concept as CSV; what was not measured is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in result.concepts:
        low, high = one.interval or (None, None)
        first, third = one.quartiles or (None, None)
        measured = (one.median, low, high, one.mean, first, third, one.vendi)
        numbers = ["" if value is None else f"{value:.6f}" for value in measured]
        copies = sum(len(group) for group in one.near_duplicates.copies)
        writer.writerow(
            (one.category or "", one.name, one.images, one.unreadable, one.pairs, *numbers, one.near_duplicates.pairs,
             one.near_duplicates.images, copies, one.verdict or "")
        )  # fmt: skip
    return text.getvalue()


def diversity_headline(result: DiversityResult) -> str:
    """The finding in one sentence."""
    judged = [one for one in result.concepts if one.verdict is not None]
    if not judged:
        return f"{plural(len(result.concepts), 'concept')} measured, and no verdict on any of them."
    uniform = [one.name for one in uniform_first(judged) if one.verdict == "uniform"]
    if not uniform:
        between = sum(one.verdict == "between" for one in judged)
        doubt = f", {between} of {plural(len(judged), 'concept')} in doubt" if between else ""
        return f"No set is so uniform that its concept is likely to dominate{doubt}."
    rest = len(uniform) - _NAMED
    named = [*uniform[:_NAMED], f"{rest} more"] if rest > 0 else uniform
    are = "it is" if len(uniform) == 1 else "they are"
    return f"The images of {listed(named)} are so uniform that, by the paper's finding, {are} likely to dominate."


def _write_page(result: DiversityResult, path: Path) -> Path:
    return write_page(
        path,
        "diversity/page.html.j2",
        result=result,
        headline=diversity_headline(result),
        concepts=uniform_first(result.concepts),
        strips=_plot(result),
        marked=bool(_marks(result)),
        views=_views(result),
        pictured=min(_MOST_PICTURED, len(result.concepts)),
        paper=PAPER_MEDIANS,
    )


def _plot(result: DiversityResult) -> Markup | None:
    if not result.categories:
        return None
    plotted = [_strip(category, result) for category in result.categories]
    said = "; ".join(f"{strip.name}: {strip.count}" for strip in plotted)
    return strips(plotted, "Median pairwise cosine distance by category", said, _marks(result))


def _strip(category: CategoryDiversity, result: DiversityResult) -> Strip:
    members = [one for one in result.concepts if one.median is not None and one.category_name == category.name]
    sizes = f"{plural(category.concepts, 'concept')}, {plural(category.images, 'image')}"
    return Strip(
        category.name,
        f"{sizes}, median {distance(category.median)}",
        tuple(Dot(one.median or 0.0, _said(one), one.verdict or "plain") for one in members),
        category.median,
        category.interval,
    )


def _marks(result: DiversityResult) -> list[Mark]:
    """The limits of the verdicts, where they are the same for all concepts."""
    scale = SCALES.get(result.embedder.comparable_with)
    if scale is None or not any(one.verdict for one in result.concepts):
        return []
    return [Mark(scale.low, "◂ uniform"), Mark(scale.high, "varied ▸")]


def _said(one: ConceptDiversity) -> str:
    verdict = f", {one.verdict}" if one.verdict else ""
    return f"{one.name}: {distance(one.median, one.interval)}, {plural(one.images, 'image')}{verdict}"


def _views(result: DiversityResult) -> Iterator[ConceptView]:
    """The most uniform concepts, their pictures read as the page asks for them."""

    def pictures(files: Sequence[str]) -> tuple[Picture, ...]:
        return tuple(Picture(file, embed(result.root / file, _SIDE)) for file in files)

    def pair(named: NamedPair | None) -> tuple[Picture, Picture] | None:
        if named is None:
            return None
        first, second = pictures(named.files)
        return first, second

    for one in uniform_first(result.concepts)[:_MOST_PICTURED]:
        nearest = one.nearest[0] if one.nearest else None
        yield ConceptView(
            one, pictures(one.typical[:_TYPICAL]), pictures(one.unusual[:_TYPICAL]), pair(nearest), pair(one.farthest)
        )
