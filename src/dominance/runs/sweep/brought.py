"""A sweep of images made elsewhere: which cell each belongs to, by a table or by what its file says."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from dominance.documents import to_json
from dominance.errors import InputError
from dominance.images.assignment import Assigned
from dominance.images.drawn_with import adapter_name, drawn_with
from dominance.images.left_out import missing_first, shown
from dominance.images.tables import CHECKPOINTS, STRENGTHS, Row
from dominance.judges.protocol import Judge
from dominance.models.drawing import Drawing
from dominance.numbers import plural
from dominance.records import LeftOut, Suite
from dominance.runs.audit.brought import Brought
from dominance.runs.audit.estimate import Estimate, estimate_of
from dominance.runs.audit.options import ScoreOptions
from dominance.runs.audit.sameness import folder_of
from dominance.runs.audit.score import looked_at, plan_brought
from dominance.runs.engines.choice import crew_of
from dominance.runs.engines.crew import Crew
from dominance.runs.stages.identity import unknown_taught
from dominance.runs.stages.judging import ReadyJudge, judge_for, unasked
from dominance.runs.store.plan import Plan, PlannedImage
from dominance.runs.store.repeat import Repeat
from dominance.runs.sweep.cells import BASE, Cell, order_of
from dominance.runs.sweep.measuring import Planned, measure
from dominance.runs.sweep.options import SweepOptions
from dominance.runs.sweep.result import AdapterSweep
from dominance.runs.sweep.run import SWEEP
from dominance.suites import find_suite
from dominance.wording import on_one_line, quoted

_TABLE = "give a CSV with the columns path, prompt and strength"
_SILENT = (
    f"says neither in a column {STRENGTHS[0]!r} nor in its file, as <lora:NAME:0.8>, how strong the adapter was;"
    f" {_TABLE}"
)
_ALONE = "is not compared: not every cell has an image of its prompt and seed"


@dataclass(frozen=True)
class _Said:
    """How one image was drawn: the strength of each adapter that acts, by name, and its seed."""

    adapters: Mapping[str, float]
    seed: str | None


def sweep_images(
    suite: str | Suite,
    images: Path | str,
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: SweepOptions | None = None,
) -> AdapterSweep:
    """Measures identity against composition over images made elsewhere, such as a grid of ComfyUI or A1111's web UI.

    Args:
        images: a folder, or a CSV with the columns path, prompt and strength, and perhaps checkpoint and seed. Without
            those columns, the file's own text decides: the ``<lora:NAME:STRENGTH>`` of its prompt, or the loaders of
            its workflow. Images that say no strength are left out and named. So are those whose prompt and seed not
            every cell has, where more than half of each cell's remain; where they do not, a warning says so.
        out: the run folder; ``runs/sweep-SUITE`` by default.

    Raises:
        InputError: no image says its strength, more than one adapter varies at once, the taught concept is not known,
            or options that only drawing has; nothing is written.
    """
    options = options or SweepOptions()
    given = {"suite": suite, "images": images, "judge": judge, "out": out}
    repeat = Repeat("sweep", given, options)
    crew = crew_of(options.machine)
    plan, planned, seen_by, folder = _decided(judge_for, suite, images, judge, out, options, crew)
    with looked_at(plan, folder, seen_by, repeat, options.machine, crew) as (ledger, whole):
        result = measure(planned, whole, ledger, folder, (options.min_presence, options.min_identity))
        ledger.put(SWEEP, to_json(result))
        return result


def estimate_images(
    suite: str | Suite,
    images: Path | str,
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: SweepOptions | None = None,
) -> Estimate:
    """What the same call of ``sweep_images`` would still ask; asks and writes nothing.

    Raises:
        InputError: as ``sweep_images``, except for what shows only when the judge is reached.
    """
    plan, _, seen_by, folder = _decided(unasked, suite, images, judge, out, options or SweepOptions())
    return estimate_of(plan, folder, seen_by)


def _decided(
    ready: ReadyJudge,
    suite: str | Suite,
    images: Path | str,
    judge: str | Judge,
    out: Path | str | None,
    options: SweepOptions,
    crew: Crew | None = None,
) -> tuple[Plan, Planned, Judge, Path]:
    _refuse_drawing(options)
    loaded = replace(find_suite(suite, options.concepts), gate=None)
    same = {name: getattr(options, name) for name in ("limit", "asking", "taught", "measuring", "machine")}
    plan, seen_by, brought = plan_brought(ready, images, loaded, judge, out, ScoreOptions(**same), SWEEP, crew)
    if (taught := plan.taught) is None:
        raise unknown_taught(plan.suite)
    said = {image.item: _said(one) for image, one in zip(brought.images, brought.assigned, strict=True)}
    known = [(image, found) for image in brought.images if (found := said[image.item]) is not None]
    if not known:
        raise InputError(
            f"none of the {plural(len(said), 'image')} in {on_one_line(images, 120)} says, in a column"
            f" {STRENGTHS[0]!r} or in its file as <lora:NAME:0.8>, how strong the adapter was; {_TABLE}"
        )
    left_out = (*plan.left_out, *_left_out(brought, {item for item, found in said.items() if found is None}, _SILENT))
    cells = _cells(known, left_out)
    rows = _rows(cells, said)
    alone, warnings = _unmatched(cells, rows, plan.suite)
    cells = tuple((cell, tuple(image for image in own if image.item not in alone)) for cell, own in cells)
    plan = replace(
        plan,
        images=tuple(image for image, _ in known if image.item not in alone),
        left_out=(*left_out, *_left_out(brought, alone, _ALONE)),
    )
    names = tuple(dict.fromkeys(name for _, found in known for name in found.adapters))
    planned = Planned(cells, (taught,), names or ("no adapter",), rows, warnings)
    return plan, planned, seen_by, folder_of(plan, out, f"{SWEEP}-{plan.suite.name}")


def _left_out(brought: Brought, items: Collection[str], reason: str) -> list[LeftOut]:
    return [
        LeftOut(one.image.path.as_posix(), reason, missing=True)
        for image, one in zip(brought.images, brought.assigned, strict=True)
        if image.item in items
    ]


def _refuse_drawing(options: SweepOptions) -> None:
    """Refuses options of what draws: the images are there already."""
    plain = SweepOptions()
    given = [name for name in ("strengths", "starts", "checkpoints") if getattr(options, name) != getattr(plain, name)]
    drawing = Drawing()
    given += [one.name for one in fields(Drawing) if getattr(options.drawing, one.name) != getattr(drawing, one.name)]
    if given:
        option = given[0].replace("_", "-").replace("adapters", "adapter")
        raise InputError(f"--images are there already, so nothing is drawn with --{option}; leave out one of the two")


def _said(one: Assigned) -> _Said | None:
    """How an image was drawn: its row of a table decides, else its file; None where neither says it.

    Raises:
        InputError: a strength that is no number; names the line.
    """
    row, noted = one.row, drawn_with(one.image.file)
    seed = row.seed if row is not None and row.seed is not None else None if noted.seed is None else str(noted.seed)
    if row is not None and (row.strength is not None or row.checkpoint is not None):
        only = [*(noted.adapters or {})] if len(noted.adapters or {}) == 1 else ["the adapter"]
        name = adapter_name(row.checkpoint or only[0])
        strength = _strength(row)
        return _Said({name: strength} if strength else {}, seed)
    return None if noted.adapters is None else _Said(noted.adapters, seed)


def _strength(row: Row) -> float:
    """The strength of a row: 1 where it names only a checkpoint."""
    text = "1" if row.strength is None else row.strength
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{row.where}: the strength is {quoted(text)}; write a number such as 0.8, and an adapter's name in the"
            f" column {CHECKPOINTS[0]!r}"
        )
    return value


_Known = Sequence[tuple[PlannedImage, _Said]]


_Cells = tuple[tuple[Cell, tuple[PlannedImage, ...]], ...]


def _cells(known: _Known, left_out: Sequence[LeftOut]) -> _Cells:
    """The cells with their images, the base first, then by the checkpoint's number and the strength.

    An adapter that has one strength in all images is part of the model.

    Raises:
        InputError: two adapters that differ between the images act in one of them, or nothing differs.
    """
    names = dict.fromkeys(name for _, found in known for name in found.adapters)
    strengths = {name: {found.adapters.get(name, 0.0) for _, found in known} for name in names}
    varied = [name for name in names if len(strengths[name]) > 1]
    if not varied:
        same = "were drawn with the same adapters at the same strengths"
        said = f"all {len(known)} images with a known strength {same}" if len(known) > 1 else "one image is left"
        told = "; ".join(shown(entry)[:240] for entry in missing_first(left_out)[:2])
        raise InputError(
            f"{said}{f' ({told})' if told else ''}, so there is nothing to compare; add images of another strength, or"
            " use dominance score"
        )
    many = len({value for name in varied for value in strengths[name] if value}) > 1 or len(varied) == 1
    grouped: dict[Cell, list[PlannedImage]] = defaultdict(list)
    for image, found in known:
        acting = [name for name in varied if found.adapters.get(name)]
        if len(acting) > 1:
            raise InputError(
                f"{on_one_line(image.file, 120)} was drawn with {quoted(acting[0])} and {quoted(acting[1])}, whose"
                " strengths both differ between the images; give a CSV with the columns path, prompt and strength, or"
                " sweep one adapter at a time"
            )
        grouped[_cell(acting[0], found.adapters[acting[0]], varied, many) if acting else Cell(BASE)].append(image)
    ordered = sorted(grouped, key=lambda cell: (not cell.is_base, order_of(cell.checkpoint or ""), cell.strengths))
    return tuple((cell, tuple(grouped[cell])) for cell in ordered)


def _cell(name: str, strength: float, varied: Sequence[str], many: bool) -> Cell:
    checkpoint = name if len(varied) > 1 else None
    parts = [part for part in (checkpoint, f"{strength:g}" if many else None) if part]
    return Cell(" ".join(parts), (strength,), None, checkpoint)


def _unmatched(cells: _Cells, rows: Mapping[str, str], suite: Suite) -> tuple[set[str], tuple[str, ...]]:
    """The items to leave out, so that all cells hold the same prompts and seeds; where few would remain, a warning."""
    own = {cell.name: {(image.prompt_id, rows[image.file]) for image in images} for cell, images in cells}
    every, shared = set.union(*own.values()), set.intersection(*own.values())
    if all(2 * len(shared) > len(keys) for keys in own.values()):
        images = [image for _, images in cells for image in images]
        return {image.item for image in images if (image.prompt_id, rows[image.file]) not in shared}, ()
    return set(), (
        f"{len(shared)} of {len(every)} pairs of prompt and seed have an image in every cell, too few to compare them"
        f" alone, so cells may differ by more than the adapter{_lacking(own, suite)}; add the images that are missing",
    )


def _lacking(own: Mapping[str, set[tuple[str, str]]], suite: Suite) -> str:
    """The first prompt of which a cell has no image at all; nothing where every cell has all prompts."""
    prompts = {cell: {prompt for prompt, _ in keys} for cell, keys in own.items()}
    there = set.union(*prompts.values())
    lacking = ((cell, p.text) for p in suite.prompts for cell in own if p.id in there - prompts[cell])
    return next((f": {cell} has no image of {quoted(text)}" for cell, text in lacking), "")


def _rows(cells: _Cells, said: Mapping[str, _Said | None]) -> dict[str, str]:
    """The row of the contact grid of each image, by its file: its seed, else its place among the cell's images."""
    return {file: name for _, images in cells for file, name in _named(images, said)}


def _named(images: Sequence[PlannedImage], said: Mapping[str, _Said | None]) -> Iterator[tuple[str, str]]:
    taken: Counter[tuple[str, str]] = Counter()
    for image in images:
        found = said[image.item]
        seed = None if found is None else found.seed
        name = "image" if seed is None else f"seed {seed}"
        taken[image.prompt_id, name] += 1
        count = taken[image.prompt_id, name]
        yield image.file, f"{name} {count}" if seed is None else name if count == 1 else f"{name} ({count})"
