"""The files of a finished bench: suite, card, results, contact sheet."""

from collections.abc import Iterator
from pathlib import Path

from dominance.documents import json_bytes
from dominance.files import write_whole
from dominance.numbers import plural
from dominance.report.bench.card import bench_card
from dominance.report.parts.image_view import VERDICTS, ImageView, image_view
from dominance.report.parts.measures import measured_view
from dominance.report.parts.next_steps import after_bench
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Shown, pictures_of
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import (
    DOMINANCE,
    PARTS,
    BenchResult,
    Entry,
    bench_suite,
    document_of,
    yield_of,
    yield_words,
)
from dominance.suites.suite_files import suite_yaml

SUITE_NAME = "suite.yaml"
CARD_NAME = "CARD.md"
DOCUMENT_NAME = "bench.json"
SHEET_NAME = "contact.html"


def write_bench(bench: BenchResult, folder: Path, shown: Shown = "auto") -> list[Path]:
    """Writes the suite (if it has prompts), the data card, manifest and results per prompt, and the contact sheet.

    Each file appears whole or not at all and replaces what was there. Returns their paths.

    Args:
        shown: as in ``write_report``, for the contact sheet.

    Raises:
        RunError: a file cannot be written.
    """
    written = [write_whole(folder / SUITE_NAME, suite_yaml(bench_suite(bench)).encode())] if bench.entries else []
    return [
        *written,
        write_whole(folder / CARD_NAME, bench_card(bench).encode()),
        write_whole(folder / DOCUMENT_NAME, json_bytes(document_of(bench), indent=2)),
        _write_sheet(bench, folder, shown),
    ]


def _write_sheet(bench: BenchResult, folder: Path, shown: Shown) -> Path:
    files = [image.file for entry in bench.entries for image in entry.result.images if image.file is not None]
    pictures = pictures_of(folder, files, shown)

    def views(entry: Entry) -> Iterator[ImageView]:
        return (image_view(entry.result, image, pictures) for image in entry.result.images)

    parts = [(part, bench.part(part)) for part in PARTS if bench.part(part)]
    return write_page(
        folder / SHEET_NAME,
        "bench/page.html.j2",
        bench=bench,
        headline=bench_headline(bench),
        parts=parts,
        verdicts=VERDICTS,
        views=views,
        yield_of=yield_of,
        yield_words=yield_words(bench.tallies),
        measures=measured_view(list(bench.measures.items())),
        next_steps=after_bench(bench),
        linked=pictures.linked,
    )


def bench_headline(bench: BenchResult) -> str:
    """What the bench holds, in one sentence."""
    dominance, balanced = len(bench.part(DOMINANCE)), len(bench.part(BALANCED))
    if not bench.entries:
        return "No prompt was kept."
    return (
        f"{plural(dominance, 'prompt')} on which one concept dominates another, and"
        f" {plural(balanced, 'balanced prompt')} on which the model shows both."
    )
