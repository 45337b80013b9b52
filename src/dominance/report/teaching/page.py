"""A fine-tuning as a page and a JSON document."""

from dataclasses import dataclass
from pathlib import Path

from dominance.documents import json_bytes
from dominance.files import write_whole
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, embed
from dominance.report.teaching.plots import composition_curves, curves, identity_curves
from dominance.report.teaching.sentences import teaching_headline
from dominance.report.teaching.steps import after_teaching
from dominance.runs.teaching.result import Checkpoint, Pair, TeachingResult

PAGE_NAME, DOCUMENT_NAME = "teaching.html", "teaching.json"
_SIDE = 160


@dataclass(frozen=True)
class Side:
    """A pair of images as the page shows it."""

    pair: Pair
    before: Embedded | Missing
    after: Embedded | Missing


@dataclass(frozen=True)
class Sheet:
    """A checkpoint's sample images, by prompt."""

    checkpoint: Checkpoint
    rows: tuple[tuple[str, tuple[Embedded | Missing, ...]], ...]


def write_teaching(result: TeachingResult, folder: Path) -> tuple[Path, ...]:
    """Writes ``teaching.html`` and ``teaching.json`` into the run folder; returns their paths.

    Raises:
        RunError: one of them cannot be written.
    """
    document = write_whole(folder / DOCUMENT_NAME, json_bytes(result, indent=1))
    shown = {name: embed(folder / name, _SIDE) for pair in result.pairs for name in (pair.before, pair.after)}
    lines, likeness = composition_curves(result), identity_curves(result)
    page = write_page(
        folder / PAGE_NAME,
        "teaching/page.html.j2",
        result=result,
        headline=teaching_headline(result),
        before=_step(result, first=True),
        after=_step(result, first=False),
        sides=[Side(pair, shown[pair.before], shown[pair.after]) for pair in result.pairs],
        lines=lines,
        likeness=likeness,
        plots={
            "composition": curves(lines, "Composition over the steps", result.floor, result.composes)
            if lines
            else None,
            "identity": curves(likeness, "Identity over the steps") if likeness else None,
        },
        ceiling=next((seen.identity.ceiling for one in result.checkpoints if (seen := one.watched)), None),
        sheets=[_sheet(checkpoint, folder) for checkpoint in result.checkpoints if checkpoint.samples],
        next_steps=after_teaching(result),
    )
    return page, document


def _step(result: TeachingResult, *, first: bool) -> int | None:
    """The step whose images stand on this side; see ``TeachingResult.pairs``."""
    audited = [checkpoint.step for checkpoint in result.checkpoints if checkpoint.watched]
    if not audited:
        return None
    if result.composes is None or result.falls is None:
        return audited[0] if first else audited[-1]
    return result.composes if first else result.falls


def _sheet(checkpoint: Checkpoint, folder: Path) -> Sheet:
    rows: dict[str, list[Embedded | Missing]] = {}
    for sample in checkpoint.samples:
        rows.setdefault(sample.prompt, []).append(embed(folder / sample.file, _SIDE))
    return Sheet(checkpoint, tuple((prompt, tuple(images)) for prompt, images in rows.items()))
