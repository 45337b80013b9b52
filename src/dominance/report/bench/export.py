"""Benches as other files: CSV in the official columns, JSON lines, Parquet, a suite, the official folders of images."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from dominance.errors import InputError, RunError
from dominance.files import csv_bytes, write_failed, write_whole
from dominance.records import ScoredImage
from dominance.runs.bench.compare import Comparison, Side
from dominance.runs.bench.result import DOMINANCE, PARTS, BenchResult, Entry, bench_suite
from dominance.suites.entries import slug, suite_name
from dominance.suites.official_prompts import case_numbers, official_prompts_csv
from dominance.suites.suite_files import suite_yaml
from dominance.wording import on_one_line

FORMATS: tuple[str, ...] = ("csv", "jsonl", "parquet", "yaml", "official-images")
EXPORT_PARTS: tuple[str, ...] = (*PARTS, "all")
_OFFICIAL = ("csv", "official-images")


def export_bench(bench: BenchResult, folder: Path, format: str, out: Path, part: str | None = None) -> Path:
    """Writes the bench's prompts, in one of ``FORMATS``.

    Args:
        folder: of the bench, where its images lie.
        out: a file; for ``yaml`` its name is the suite's; for ``official-images`` a folder, which gets
            ``caseNNN_prompt/seed.png`` and ``prompts.csv``.
        part: ``dominance``, ``balanced`` or ``all``; by default ``dominance`` for the official formats, which cannot
            tell the two apart, and ``all`` for the others.

    Raises:
        InputError: an unknown format or part, a part without prompts, a prompt that does not have two concepts in
            an official format, an image outside the bench, or pyarrow is missing.
        RunError: it cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"no format {format[:60]!r}; give one of {', '.join(FORMATS)}")
    part = part or (DOMINANCE if format in _OFFICIAL else "all")
    if part not in EXPORT_PARTS:
        raise InputError(f"no part {part[:60]!r}; give one of {', '.join(EXPORT_PARTS)}")
    entries = bench.entries if part == "all" else bench.part(part)
    if not entries:
        raise InputError(f"the bench in {on_one_line(folder, 120)} holds no {part} prompts; give another --part")
    if format == "official-images":
        return _official_images(entries, folder, out)
    if format == "yaml":
        suite = bench_suite(bench, None if part == "all" else part, suite_name(out.stem))
        return write_whole(out, suite_yaml(suite).encode())
    makers: dict[str, Callable[[Sequence[Entry]], bytes]] = {"csv": _official_csv, "jsonl": _jsonl, "parquet": _parquet}
    return write_whole(out, makers[format](entries))


def _official_csv(entries: Sequence[Entry]) -> bytes:
    return official_prompts_csv([entry.result.prompt for entry in entries])


def _jsonl(entries: Sequence[Entry]) -> bytes:
    return "".join(json.dumps(export_row(entry), ensure_ascii=False) + "\n" for entry in entries).encode()


def _parquet(entries: Sequence[Entry]) -> bytes:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            "Parquet needs pyarrow, which is not installed; install it with: pip install pyarrow, or give"
            " --format jsonl"
        ) from None
    buffer = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist([export_row(entry) for entry in entries]), buffer)
    return buffer.getvalue()


def export_row(entry: Entry) -> dict[str, object]:
    """One prompt with all its numbers, flat; what was not measured is None."""
    kept, result = entry.kept, entry.result
    dominating, dominated = entry.direction or (None, None)
    low, high = result.dvd_interval or (None, None)
    presence = {name: rate.count for name, rate in result.presence.items()}
    return {
        "id": kept.id,
        "part": kept.part,
        "category": kept.category,
        "style": kept.style,
        "prompt": result.prompt.text,
        "concept": kept.concept,
        "object": kept.object,
        "dominating": dominating,
        "dominated": dominated,
        "images": len(result.images),
        "scored": result.scored,
        "agreeing": entry.agreeing,
        "collapsed": result.collapsed,
        "balanced": result.balanced,
        "lost": result.lost,
        "mixed": result.mixed,
        "concept_present": presence[kept.concept],
        "object_present": presence[kept.object],
        "dvd_mean": result.dvd_mean,
        "dvd_low": low,
        "dvd_high": high,
        "verdict": result.verdict,
        "seeds": [image.name for image in result.images],
        "dvd": [image.dvd for image in result.images],
    }


def _official_images(entries: Sequence[Entry], folder: Path, out: Path) -> Path:
    """Copies the images under the names that the release's scorer expects; leaves out missing ones."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunError(f"{on_one_line(out, 120)} is not an empty folder; give a new or empty --out")
    except OSError as error:
        raise write_failed(out, error) from None
    by_id = {entry.kept.id: entry for entry in entries}
    sources = {(id, image.name): _source(folder, image) for id in by_id for image in by_id[id].result.images}
    for number, prompt in case_numbers([entry.result.prompt for entry in entries]).items():
        place = out / f"case{number:03d}_{slug(prompt.text).replace('-', '_')}"
        for image in by_id[prompt.id].result.images:
            if (source := sources[prompt.id, image.name]) is not None:
                write_whole(place / f"{image.name}.png", source.read_bytes())
    # Last, so that a folder with a prompt file is a whole one.
    write_whole(out / "prompts.csv", _official_csv(entries))
    return out


def _source(folder: Path, image: ScoredImage) -> Path | None:
    """The image's file; None if it was not made or is gone.

    Raises:
        InputError: its name or its file lies outside the folder, as in no bench that we write.
    """
    if image.file is None:
        return None
    source = folder / image.file
    if Path(image.name).name != image.name or not source.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"the bench in {on_one_line(folder, 120)} names the image {image.name[:60]!r} with the file"
            f" {image.file[:120]!r}, which is not inside it; export a bench that `dominance bench build` wrote"
        )
    return source if source.is_file() else None


def comparison_csv(comparison: Comparison) -> bytes:
    """The comparison as CSV, one row for each prompt; what was not measured is empty."""
    sides = ("scored", "collapsed", "balanced", "lost", "dvd_mean", "dominating", "verdict")
    columns = ["id", "prompt", "group", *(f"{side}_{name}" for side in ("first", "second") for name in sides)]
    differences = ("collapse_difference", "dvd_difference")
    columns += [f"{name}{end}" for name in differences for end in ("", "_low", "_high")]
    rows: list[list[object]] = [list(columns)]
    for pairing in comparison.pairings:
        row: list[object] = [pairing.id, pairing.prompt, pairing.group]
        row += [value for side in (pairing.first, pairing.second) for value in _side_values(side, sides)]
        for found in (pairing.collapse_difference, pairing.dvd_difference):
            row += [None] * 3 if found is None else [found[0], *found[1]]
        rows.append(row)
    return csv_bytes(rows)


def _side_values(side: Side | None, names: Sequence[str]) -> list[object]:
    return [None if side is None else getattr(side, name) for name in names]
