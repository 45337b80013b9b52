"""Sweeps an adapter over strengths, start steps or checkpoints: what it brings, and what it costs the prompt."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.documents import to_json
from dominance.errors import InputError
from dominance.judges.protocol import Judge
from dominance.mentions import spans_by_name
from dominance.models.on_demand import OnDemand
from dominance.models.settings import GenerationSettings
from dominance.models.source import find_base
from dominance.records import Prompt, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.estimate import Estimate, estimate_of
from dominance.runs.audit.options import Limits, limited
from dominance.runs.audit.run import carried_out
from dominance.runs.audit.sameness import folder_of
from dominance.runs.stages.drawing import make_planned
from dominance.runs.stages.identity import find_taught, named_concepts, unknown_taught
from dominance.runs.stages.judging import ReadyJudge, check_questions, judge_for, refuse_named, unasked
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.picture_scores import find_measuring
from dominance.runs.stages.planning import plan_drawing
from dominance.runs.store.folder import check_run_folder
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, PlannedImage, TaughtPlan, ask_all, plan_images
from dominance.runs.store.repeat import Repeat, read_repeat
from dominance.runs.sweep.cells import CHECKPOINTS, Cell, Grid, find_grid
from dominance.runs.sweep.drawing import CellDrawer, draw_by_model
from dominance.runs.sweep.measuring import Planned, measure
from dominance.runs.sweep.options import SweepOptions
from dominance.runs.sweep.result import AdapterSweep
from dominance.suites import find_suite, load_questions
from dominance.wording import quoted, suggestion

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

SWEEP = "sweep"
"""Key of the result in the ledger, and origin of the plan."""


def sweep_suite(
    suite: str | Suite,
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: SweepOptions | None = None,
) -> AdapterSweep:
    """Draws a suite under every cell of a grid, from the same noise, and measures identity against composition.

    The model is loaded once; images of different cells share batches. Checkpoints that are whole models are loaded one
    after the other. The same call resumes.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself.
        model: that the adapter was made for: ``miniature-base``, a diffusers folder, a single file or a hub id.
        judge: a judge's name, or the judge itself.
        out: the run folder; ``runs/sweep-SUITE`` by default.

    Raises:
        InputError: the suite, model, adapter, judge, folder or an option cannot be used; nothing is written.
    """
    options = options or SweepOptions()
    sweep, plan, folder, seen_by, drawn = _decided(judge_for, suite, model, judge, out, options)
    repeat = Repeat("sweep", {"suite": suite, "model": model, "judge": judge, "out": out}, options)

    def draw(missing: Sequence[PlannedImage], ledger: Ledger) -> None:
        if sweep.grid.models:
            draw_by_model(missing, sweep.grid, sweep.cell_of_item, drawn, ledger, folder)
            return
        cells = drawn.draws_by(CellDrawer(drawn, sweep.grid, sweep.cell_of_item))
        make_planned(missing, cells, drawn.settings, ledger, folder, drawn.batches())

    with carried_out(plan, folder, seen_by, drawn, repeat, draw) as (ledger, whole):
        result = measure(sweep.planned, whole, ledger, folder, (options.min_presence, options.min_identity))
        ledger.put(SWEEP, to_json(result))
        return result


def estimate_sweep(
    suite: str | Suite,
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: SweepOptions | None = None,
) -> Estimate:
    """What the same call of ``sweep_suite`` would still draw and ask; draws, asks and writes nothing.

    Raises:
        InputError: as ``sweep_suite``, except for what shows only when the model is loaded or the judge is reached.
    """
    _, plan, folder, seen_by, _ = _decided(unasked, suite, model, judge, out, options or SweepOptions())
    return estimate_of(plan, folder, seen_by())


class _Sweep:
    """The cells of a sweep and their images."""

    def __init__(self, grid: Grid, planned: Sequence[tuple[Cell, tuple[PlannedImage, ...]]], taught: "_Taught") -> None:
        self.grid = grid
        self.planned = Planned(
            tuple((cell, images) for cell, images in planned),
            taught,
            tuple(f"{path.name} ({identity})" for path, identity in grid.added_to_base),
        )
        self.cell_of_item = {image.item: cell for cell, images in planned for image in images}


_Taught = tuple[TaughtPlan, ...]


def _triggers(grid: Grid, checkpoints: Path | None) -> list[object]:
    """The words that what is swept was taught under: as adapters note them, and as a training's own run.yaml says."""
    noted = [adapter.notes.get("trigger_phrase") for adapter in grid.adapters]
    if checkpoints is None:
        return noted
    given = read_repeat(checkpoints.parent if checkpoints.name == CHECKPOINTS else checkpoints) or {}
    if given.get("command") != "train dreambooth":
        return noted
    token, kind = given.get("token"), given.get("class")
    return [*noted, given.get("taught"), f"{token} {kind}" if kind else None, token]


def _decided(
    ready: ReadyJudge,
    suite: str | Suite,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str | None,
    options: SweepOptions,
) -> tuple[_Sweep, Plan, Path, OnDemand[Judge], RunModel]:
    """Everything that is decided before anything is made."""
    if not isinstance(model, str):
        raise InputError("a sweep loads its adapters into the model itself; give the model's name, folder or hub id")
    options.check_adapters()
    loaded = limited(find_suite(suite, options.concepts), options.limit, Limits())
    questions = load_questions(options.asking.questions)
    grid = find_grid(find_base(model, options.drawing), options)
    taught = taught_of(options, loaded, grid.base.world, _triggers(grid, options.checkpoints))
    loaded = replace(loaded, prompts=(*loaded.prompts, *_other_orders(loaded, taught)), gate=None)
    name = f"sweep-{loaded.name}"
    check_run_folder(Path(out or Path("runs") / name))
    plain = replace(options.drawing, adapters=())
    drawn = RunModel(grid.loaded(), plain, options.machine, loaded.prompts)
    asked = ask_all(loaded, questions.ask)
    seen_by = OnDemand(lambda: ready(asked, judge, options.machine.device, options.asking, drawn.crew))
    check_questions(seen_by(), asked, options.asking.questions)
    refuse_named(seen_by(), "a sweep draws its own images")
    planned = [(cell, _images(grid, cell, loaded, options.seeds, drawn.settings)) for cell in grid.cells]
    settings = {"seeds": options.seeds, **plain.settings(grid.base).record(), "limit": options.limit}
    settings |= {"adapters": tuple(adapter.recorded for adapter in grid.adapters), "questions": questions.name}
    if grid.models:
        settings["checkpoints"] = tuple(model.identity for model in grid.models.values())
    settings |= {"strengths": options.values, "starts": options.starts, **options.asking.record()}
    plan = plan_drawing(
        loaded,
        grid.base,
        seen_by(),
        asked,
        images=_in_order(planned),
        settings=RunSettings.of(settings),
        origin=SWEEP,
        taught=taught[0],
        measuring=find_measuring(options.measuring),
    )
    return _Sweep(grid, planned, taught), plan, folder_of(plan, out, name), seen_by, drawn


def taught_of(options: SweepOptions, suite: Suite, world: str | None, triggers: Sequence[object]) -> _Taught:
    """The taught concept; of two adapters, both, the first one's with the references.

    Raises:
        InputError: none is known, or the suite does not name one.
    """
    how, two = options.taught, len(options.drawing.adapters) == 2
    words = [str(word) for word in dict.fromkeys(triggers) if word]
    given = [name.strip() for name in how.taught.split(",")] if how.taught and two else [how.taught]
    if two and given == [None]:
        given = list(words)
    if two and len(set(given)) != 2:
        raise InputError(
            f"of two adapters, {len(set(given))} taught concepts are known; give both, as the prompts name them:"
            " --taught FIRST,SECOND"
        )
    known = named_concepts(suite)
    if two and (missing := next((str(name) for name in given if str(name).casefold() not in known), None)):
        first, second = given
        raise InputError(
            f"no prompt of the suite {suite.name!r} names {quoted(missing)}{suggestion(missing, sorted(known))} with"
            f" two adapters, add a prompt that names both of their concepts, such as “a [{first}] and a [{second}]”"
        )
    first = find_taught(
        given[0], how.references, how.embedder, suite, world, None if given[0] else _named(words, suite)
    )
    if first is None:
        raise unknown_taught(suite, words)
    second = find_taught(given[1], None, None, suite, world) if two else None
    return (first,) if second is None else (first, second)


def _named(words: Sequence[str], suite: Suite) -> list[str] | None:
    """The words that the suite names as concepts; None for none."""
    return [word for word in words if word.casefold() in named_concepts(suite)] or None


def _other_orders(suite: Suite, taught: _Taught) -> list[Prompt]:
    """With two taught concepts, each prompt that names both, with their names exchanged."""
    if len(taught) < 2:
        return []
    names = {one.concept.name for one in taught}
    texts = {prompt.text for prompt in suite.prompts}
    found = []
    for prompt in suite.prompts:
        if not names <= {concept.name for concept in prompt.concepts}:
            continue
        text = exchanged(prompt.text, *names)
        if text in texts:
            continue
        by_name = {concept.name: concept for concept in prompt.concepts}
        other = dict(zip(names, reversed([*names]), strict=True))
        concepts = tuple(by_name[other.get(c.name, c.name)] for c in prompt.concepts)
        texts.add(text)
        found.append(replace(prompt, id=f"{prompt.id}-exchanged", text=text, concepts=concepts))
    return found


def exchanged(text: str, first: str, second: str) -> str:
    """The text with two names exchanged wherever they stand.

    >>> exchanged("a castle and a clown", "castle", "clown")
    'a clown and a castle'
    """
    other = {first: second, second: first}
    pieces, end = [], 0
    for start, stop, name in spans_by_name(text, (first, second)):
        pieces += [text[end:start], other[name]]
        end = stop
    return "".join([*pieces, text[end:]])


def _images(
    grid: Grid, cell: Cell, suite: Suite, seeds: Sequence[int], settings: GenerationSettings
) -> tuple[PlannedImage, ...]:
    """The images of a cell, which are what an audit of its model would draw; all cells have the same settings."""
    source = grid.source(cell)
    planned = plan_images(suite, seeds, source.identity, replace(settings, adapters=source.added))
    return planned if cell.is_base else tuple(replace(i, name=f"{i.name}, {cell.name}") for i in planned)


def _in_order(planned: Sequence[tuple[Cell, tuple[PlannedImage, ...]]]) -> tuple[PlannedImage, ...]:
    """All images, those of one prompt and seed beside each other, so that the cells share batches; controls last."""
    own = [images for cell, images in planned if not cell.swapped]
    controls = [image for cell, images in planned if cell.swapped for image in images]
    return (*itertools.chain.from_iterable(zip(*own, strict=True)), *controls)
