"""A measurement of diversity as a page, a JSON document and a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.diversity.changes import LEAST_POSES
from dominance.diversity.verdicts import PAPER_MEDIANS, SCALES
from dominance.documents import json_bytes
from dominance.files import csv_bytes, write_whole
from dominance.numbers import distance, plural
from dominance.report.diversity.training_set import layout_drawing, set_sentences
from dominance.report.parts.next_steps import after_diversity
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
"""Concepts whose images the page shows, the most uniform first; the tables have all concepts."""
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
    """One concept with its images."""

    concept: ConceptDiversity
    typical: tuple[Picture, ...]
    unusual: tuple[Picture, ...]
    nearest: tuple[Picture, Picture] | None
    farthest: tuple[Picture, Picture] | None
    sentences: tuple[str, ...]
    drawing: Markup | None


def write_diversity(result: DiversityResult, folder: Path) -> tuple[Path, ...]:
    """Writes ``diversity.html``, ``diversity.json`` and ``diversity.csv`` into the run folder; returns their paths.

    The page holds its images and style, and makes no request.

    Raises:
        RunError: one of them cannot be written.
    """
    document = write_whole(folder / DOCUMENT_NAME, json_bytes(result, indent=1))
    table = write_whole(folder / TABLE_NAME, diversity_table(result))
    return _write_page(result, folder / PAGE_NAME), document, table


def diversity_table(result: DiversityResult) -> bytes:
    """One row for each concept as CSV; what was not measured is empty."""
    rows: list[tuple[object, ...]] = [_COLUMNS]
    for concept in result.concepts:
        low, high = concept.interval or (None, None)
        first, third = concept.quartiles or (None, None)
        measured = (concept.median, low, high, concept.mean, first, third, concept.vendi)
        numbers = ["" if value is None else f"{value:.6f}" for value in measured]
        copies = sum(len(group) for group in concept.near_duplicates.copies)
        rows.append(
            (concept.category or "", concept.name, concept.images, concept.unreadable, concept.pairs, *numbers,
             concept.near_duplicates.pairs, concept.near_duplicates.images, copies, concept.verdict or "")
        )  # fmt: skip
    return csv_bytes(rows)


def diversity_headline(result: DiversityResult) -> str:
    """The finding in one sentence."""
    judged = [concept for concept in result.concepts if concept.verdict is not None]
    if not judged:
        return f"{plural(len(result.concepts), 'concept')} measured, but no verdict on any of them."
    uniform = [concept.name for concept in uniform_first(judged) if concept.verdict == "uniform"]
    if not uniform:
        between = sum(concept.verdict == "between" for concept in judged)
        doubt = f"; {between} of {plural(len(judged), 'concept')} in doubt" if between else ""
        return f"No concept's images are so uniform that it is likely to dominate{doubt}."
    rest = len(uniform) - _NAMED
    named = [*uniform[:_NAMED], f"{rest} more"] if rest > 0 else uniform
    verb, whose = ("is", "its") if len(uniform) == 1 else ("are", "their")
    return f"By the paper's finding, {listed(named)} {verb} likely to dominate: {whose} images are too uniform."


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
        least_poses=LEAST_POSES,
        next_steps=after_diversity(result),
    )


def _plot(result: DiversityResult) -> Markup | None:
    if not result.categories:
        return None
    plotted = [_strip(category, result) for category in result.categories]
    said = "; ".join(f"{strip.name}: {strip.count}" for strip in plotted)
    return strips(plotted, "Median pairwise cosine distance by category", said, _marks(result))


def _strip(category: CategoryDiversity, result: DiversityResult) -> Strip:
    members = [c for c in result.concepts if c.median is not None and c.category_name == category.name]
    sizes = f"{plural(category.concepts, 'concept')}, {plural(category.images, 'image')}"
    return Strip(
        category.name,
        f"{sizes}, median {distance(category.median)}",
        tuple(Dot(c.median or 0.0, _said(c), c.verdict or "plain") for c in members),
        category.median,
        category.interval,
    )


def _marks(result: DiversityResult) -> list[Mark]:
    """The limits of the verdicts, if they are the same for all concepts."""
    scale = SCALES.get(result.embedder.comparable_with)
    if scale is None or not any(concept.verdict for concept in result.concepts):
        return []
    return [Mark(scale.low, "◂ uniform"), Mark(scale.high, "varied ▸")]


def _said(concept: ConceptDiversity) -> str:
    verdict = f", {concept.verdict}" if concept.verdict else ""
    return f"{concept.name}: {distance(concept.median, concept.interval)}, {plural(concept.images, 'image')}{verdict}"


def _views(result: DiversityResult) -> Iterator[ConceptView]:
    """The most uniform concepts; their images are read when the page needs them."""

    def pictures(files: Sequence[str]) -> tuple[Picture, ...]:
        return tuple(Picture(file, embed(result.root / file, _SIDE)) for file in files)

    def pair(named: NamedPair | None) -> tuple[Picture, Picture] | None:
        if named is None:
            return None
        first, second = pictures(named.files)
        return first, second

    for concept in uniform_first(result.concepts)[:_MOST_PICTURED]:
        nearest = concept.nearest[0] if concept.nearest else None
        yield ConceptView(
            concept,
            pictures(concept.typical[:_TYPICAL]),
            pictures(concept.unusual[:_TYPICAL]),
            pair(nearest),
            pair(concept.farthest),
            set_sentences(concept),
            layout_drawing(concept.layout),
        )
