"""From the judged images of all cells to identity, composition, the Pareto front and the recommendation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dominance.documents import from_json
from dominance.errors import ItemError
from dominance.pictures import open_image
from dominance.records import RunResult
from dominance.runs.audit.result import result_of
from dominance.runs.stages.identity import identity_of
from dominance.runs.stages.measures import Pairs, measured_changes
from dominance.runs.stages.scoring import balanced_rate
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, PlannedImage, TaughtPlan
from dominance.runs.sweep.cells import Cell
from dominance.runs.sweep.choice import Floors, front, holds, recommended
from dominance.runs.sweep.result import (
    AdapterSweep,
    CellResult,
    SweepPicture,
    SweepPrompt,
    cell_result,
    naming_order,
)
from dominance.runs.sweep.wording import recommendation


@dataclass(frozen=True)
class Planned:
    """The cells of a sweep, each with its images.

    Attributes:
        adapters: as the page names them.
        rows: of images made elsewhere, by file, the row of the contact grid; None where the sweep draws, and the seed
            is the row.
        warnings: what makes the comparison doubtful, a line each.
    """

    cells: tuple[tuple[Cell, tuple[PlannedImage, ...]], ...]
    taught: tuple[TaughtPlan, ...]
    adapters: tuple[str, ...]
    rows: Mapping[str, str] | None = None
    warnings: tuple[str, ...] = ()


def measure(planned: Planned, whole: RunResult, ledger: Ledger, folder: Path, floors: Floors) -> AdapterSweep:
    """The result of a sweep whose images are judged.

    Args:
        whole: of all images together.
    """
    plan = from_json(Plan, ledger.get("plan"))
    runs = {cell.name: result_of(replace(plan, images=images), ledger, folder) for cell, images in planned.cells}
    names = tuple(one.concept.name for one in planned.taught)
    base = next((runs[cell.name] for cell, _ in planned.cells if cell.is_base), None)
    measured = tuple(_cell(cell, runs[cell.name], base, planned.taught, plan, folder) for cell, _ in planned.cells)
    points = {cell.name: cell.point for cell in measured}
    known = {name: point for name, point in points.items() if point is not None}
    best, asked = front(known), floors != (None, None)
    cells = tuple(
        replace(c, front=c.name in best, holds=holds(known[c.name], floors) if asked and c.name in known else None)
        for c in measured
    )
    bases = {cell.name for cell, _ in planned.cells if not cell.acts}
    # Where the judge sees no difference, the cell that is most like the references comes first.
    alike = sorted(known, key=lambda name: -_similarity(next(cell for cell in measured if cell.name == name)))
    chosen = recommended({name: known[name] for name in alike if name not in bases}, floors)
    by_name = {cell.name: cell for cell in cells}
    acting = [
        runs[cell.name] for cell, _ in planned.cells if len(cell.strengths) == 2 and cell.acts and not cell.swapped
    ]
    orders = [naming_order(a, b, acting) for a, b in (names, names[::-1])] if len(names) == 2 else []
    return AdapterSweep(
        run=str(folder),
        suite=whole.suite,
        model=whole.model,
        judge=whole.judge,
        settings=whole.settings.record(),
        taught=names,
        adapters=planned.adapters,
        axes=_axes([cell for cell, _ in planned.cells]),
        floors=floors,
        cells=cells,
        recommended=chosen,
        why=recommendation(cells, None if chosen is None else by_name[chosen], floors, names),
        prompts=tuple(
            SweepPrompt(p.prompt.id, p.prompt.text, tuple(c.name for c in p.prompt.concepts)) for p in whole.prompts
        ),
        pictures=tuple(picture for cell in cells for picture in _pictures(cell, runs[cell.name], planned.rows or {})),
        orders=tuple(order for order in orders if order is not None),
        adapters_differ=_differ(planned, runs, folder),
        drawn=planned.rows is None,
        left_out=whole.left_out,
        warnings=planned.warnings,
        notes=tuple(f"prompt {id}: {why}" for id, why in (*plan.refused.items(), *plan.notes.items()))[:20],
        manifest=whole.manifest,
        judge_warnings=whole.judge_warnings,
    )


def _cell(
    cell: Cell, run: RunResult, base: RunResult | None, taught: Sequence[TaughtPlan], plan: Plan, folder: Path
) -> CellResult:
    first = plan.taught or taught[0]  # with the embedder that the run found
    identities = [identity_of(one, run.prompts, folder) for one in (first, *taught[1:])]
    together = None
    if len(taught) == 2:
        names = {one.concept.name for one in taught}
        together = balanced_rate([p for p in run.prompts if names <= p.presence.keys()])
    found = cell_result(cell, run, tuple(found for found in identities if found is not None), together)
    pairs = [] if base is None or cell.is_base else _pairs(base, run)
    return replace(found, changes=measured_changes(pairs))


def _pairs(base: RunResult, cell: RunResult) -> Pairs:
    """The images that start from the same noise; none where it is not known that they do."""
    before = {(image.prompt_id, image.seed): image for prompt in base.prompts for image in prompt.images}
    drawn = [image for prompt in cell.prompts for image in prompt.images if image.seed is not None]
    pairs = [(before.get((image.prompt_id, image.seed)), image) for image in drawn]
    return [(own.prompt_id, plain, own) for plain, own in pairs if plain is not None]


def _similarity(cell: CellResult) -> float:
    found = cell.identities[0].similarity if cell.identities else None
    return -1.0 if found is None else found


def _pictures(cell: CellResult, run: RunResult, rows: Mapping[str, str]) -> list[SweepPicture]:
    return [
        SweepPicture(
            prompt_id=prompt.prompt.id,
            cell=cell.name,
            name=rows.get(str(image.file), image.name if image.seed is None else str(image.seed)),
            file=image.file,
            verdict=image.verdict,
            present=tuple(c.name for c in prompt.prompt.concepts if image.shows(c.name)),
            dvd=image.dvd,
            could_be=image.could_be,
            scores=image.scores,
        )
        for prompt in run.prompts
        for image in prompt.images
    ]


def _axes(cells: Sequence[Cell]) -> tuple:
    acting = [cell for cell in cells if not cell.is_base and not cell.swapped]
    found = {
        "strength": {cell.strengths for cell in acting},
        "start": {cell.start for cell in acting},
        "checkpoint": {cell.checkpoint for cell in acting},
    }
    varied = tuple(axis for axis, values in found.items() if len(values) > 1)
    return varied or (("checkpoint",) if all(cell.model for cell in acting) else ("strength",))


def _differ(planned: Planned, runs: dict[str, RunResult], folder: Path) -> int | None:
    """The largest difference in grey levels between a control and the cell that it checks."""
    control = next((cell for cell, _ in planned.cells if cell.swapped), None)
    if control is None:
        return None
    like = next(
        c for c, _ in planned.cells if not c.swapped and (c.strengths, c.start) == (control.strengths, control.start)
    )
    pairs = zip(_files(runs[control.name]), _files(runs[like.name]), strict=True)
    found = []
    for one, other in pairs:
        opened = [None if file is None else open_image(folder / file) for file in (one, other)]
        arrays = [np.asarray(i, dtype=int) for i in opened if i is not None and not isinstance(i, ItemError)]
        if len(arrays) == 2 and arrays[0].shape == arrays[1].shape:
            found.append(int(np.abs(arrays[0] - arrays[1]).max()))
    return max(found, default=None)


def _files(run: RunResult) -> list[str | None]:
    return [image.file for prompt in run.prompts for image in prompt.images]
