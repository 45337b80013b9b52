"""Builds DominanceBench for a model: tries candidates in seeded order and keeps those that collapse or balance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.documents import to_json
from dominance.errors import InputError, RunError
from dominance.judges.protocol import Judge
from dominance.models.settings import GenerationSettings
from dominance.models.source import find_source
from dominance.records import Concept, Kind, Prompt, Question, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.result import finish
from dominance.runs.bench.candidates import BALANCED, candidate_streams
from dominance.runs.bench.options import BenchOptions, chosen_categories
from dominance.runs.bench.result import BENCH, DOMINANCE, BenchRecord, BenchResult, Kept, bench_of
from dominance.runs.bench.selection import Shelf, caps_of, needed, shares_of
from dominance.runs.bench.trial import CandidateTrial
from dominance.runs.bench.workshop import Workshop
from dominance.runs.engines.choice import at_work
from dominance.runs.stages.judge_fit import warn
from dominance.runs.stages.judging import ReadyJudge, check_questions, judge_for, refuse_named
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.picture_scores import check_measuring, find_measuring
from dominance.runs.stages.planning import plan_drawing
from dominance.runs.store.bench_ledger import RememberingLedger
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.measurements import refuse_measurement
from dominance.runs.store.plan import Plan
from dominance.runs.store.repeat import Repeat
from dominance.suites import load_questions
from dominance.suites.entries import slug
from dominance.suites.pools import Pools, chosen_styles, default_pools, load_pools

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@dataclass(frozen=True)
class DecidedBench:
    """A bench whose candidates, model and judge are decided, before anything is loaded or written.

    Attributes:
        plan: without prompts and images.
        seeds: of every candidate's images.
        trial: of which nothing is tried yet.
    """

    plan: Plan
    model: RunModel
    judge: Judge
    seeds: tuple[int, ...]
    trial: CandidateTrial
    folder: Path
    repeat: Repeat

    @property
    def identities(self) -> dict[str, object]:
        """What a folder's bench must share with this one, beside the limit."""
        return {
            "model": self.model.source.identity,
            "judge": self.judge.identity,
            **self.plan.settings.record(),
        }


def build_bench(
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: BenchOptions | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> BenchResult:
    """Finds prompts on which the model lets one concept dominate, and as many on which it shows both.

    In a dominance prompt, 7 of 10 images collapse in the same direction; a balanced one shows both concepts in 7 of 10.
    Candidates are kept in seeded order, under caps and without near duplicates, so the result depends only on settings
    and outcomes. An interrupted build resumes, and no image is made twice.

    Args:
        out: the bench's run folder; ``runs/bench-MODEL`` by default.
        tell: receives a line of progress after every few candidates.

    Raises:
        InputError: pools, model, judge, folder or an option cannot be used; nothing is written.
        RunError: the folder holds another bench, or no image can be made or judged.

    Source: Jeong & Lee (2025), DominanceBench; pools, order, caps and control set are ours.
    """
    decided = decided_bench(model, judge, out, options or BenchOptions())
    return _build(decided, tell)


def decided_bench(
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str | None,
    options: BenchOptions,
    ready: ReadyJudge = judge_for,
) -> DecidedBench:
    """Everything that is decided before the model is loaded; writes nothing."""
    repeat = Repeat("bench build", {"model": model, "judge": judge, "out": out}, options)
    source = find_source(model, options.drawing)
    pools = chosen_styles(load_pools(options.pools or default_pools(source.world)), options.styles)
    categories = chosen_categories(options, pools)
    streams = candidate_streams(pools, categories, options.order_seed)
    shelves = make_shelves(options, pools, categories)
    name = f"bench-{slug(Path(source.name).name)}"
    folder = Path(out) if out is not None else Path("runs") / name
    check_run_folder(folder)
    drawn = RunModel(source, options.drawing, options.machine)
    questions = load_questions(options.asking.questions)
    asked = {noun.concept: questions.ask(noun.concept) for nouns in pools.nouns.values() for noun in nouns}
    seen_by = ready(asked, judge, options.machine.device, options.asking, drawn.crew)
    refuse_named(seen_by, "a bench makes its own images")
    check_questions(seen_by, asked, options.asking.questions)
    plan = plan_drawing(
        Suite(name[:80], (), f"DominanceBench of {source.name}, judged by {seen_by.name}"),
        source,
        seen_by,
        asked,
        images=(),
        settings=RunSettings.of(_recipe(options, pools, categories, shelves, drawn.settings, questions.name)),
        origin=BENCH,
        measuring=find_measuring(options.measuring),
    )
    trial = CandidateTrial(streams, shelves, needed(len(options.seeds)), options.limit)
    return DecidedBench(plan, drawn, seen_by, options.seeds, trial, folder, repeat)


def _build(decided: DecidedBench, tell: Callable[[str], None]) -> BenchResult:
    plan, model, judge = decided.plan, decided.model, decided.judge
    folder, trial = decided.folder, decided.trial
    if not (folder / LEDGER_NAME).exists():  # a new folder is created only once the models have loaded
        check_measuring(plan, model.device)
        model()
    identities = decided.identities
    otherwise = ", or add --limit to finish with what was found"
    with held(folder, otherwise), RememberingLedger(folder / LEDGER_NAME) as ledger, at_work(model.crew):
        check_same_bench(identities, ledger, folder)
        ledger.put(BENCH, to_json(BenchRecord(finished=False)))
        ledger.put("bench settings", identities)
        ledger.put("plan", to_json(plan))
        decided.repeat.keep(folder)
        warn(plan.judge_warnings)
        workshop = Workshop(plan, decided.seeds, model, judge, ledger, folder)
        trial.run(workshop.attempt, tell)
        return _conclude(trial, workshop, judge, ledger, folder, model)


def _conclude(
    trial: CandidateTrial, workshop: Workshop, judge: Judge, ledger: Ledger, folder: Path, model: RunModel
) -> BenchResult:
    """Writes the plan of the kept prompts, scores them, and marks the bench as finished."""
    kept, prompts = [], []
    for shelf in trial.shelves.values():
        part = BALANCED if shelf.name == BALANCED else DOMINANCE
        for c in shelf.kept:
            kept.append(Kept(c.prompt.id, part, c.category, c.style, c.concept, c.object))
            prompts.append(replace(c.prompt, group=part))
    plan = workshop.plan_of(prompts)
    plan = replace(plan, questions=_questions_of(prompts, plan.questions))
    ledger.put("plan", to_json(plan))
    model.set_aside()  # what measures needs the memory
    run = finish(plan, ledger, folder, judge, model.manifest(), device=model.device, crew=model.crew)
    record = BenchRecord(True, tuple(kept), trial.tallies(), trial.stopped())
    ledger.put(BENCH, to_json(record))
    return bench_of(run, record.kept, record.tallies, record.stopped)


def _questions_of(
    prompts: Sequence[Prompt], asked: dict[Concept, tuple[Question, ...]]
) -> dict[Concept, tuple[Question, ...]]:
    return {concept: asked[concept] for prompt in prompts for concept in prompt.concepts}


def make_shelves(options: BenchOptions, pools: Pools, categories: Sequence[Kind]) -> dict[str, Shelf]:
    """An empty shelf for each category and for the control set, with targets and caps.

    Raises:
        InputError: the given cap makes a target impossible.
    """
    objects = len(pools.nouns["object"])
    shelves = {}
    for kind, share in zip(categories, shares_of(options.target, len(categories)), strict=True):
        concepts = len(pools.nouns[kind])
        if options.cap is not None and options.cap * min(concepts, objects) < share:
            raise InputError(
                f"{concepts} concepts and {objects} objects, with at most {options.cap} prompts each, cannot give"
                f" {share} prompts of the category {kind}; raise --cap, lower --target, or add to the pools"
            )
        shelves[str(kind)] = Shelf(kind, share, caps_of(share, concepts, objects, options.cap))
    concepts = sum(len(pools.nouns[kind]) for kind in categories)
    # A pair of objects counts twice on the shelf of objects, hence twice the share.
    caps = caps_of(2 * options.target, concepts, objects, options.cap)
    shelves[BALANCED] = Shelf(BALANCED, options.target, caps)
    return shelves


def _recipe(
    options: BenchOptions,
    pools: Pools,
    categories: Sequence[Kind],
    shelves: Mapping[str, Shelf],
    settings: GenerationSettings,
    questions: str,
) -> dict[str, object]:
    """Everything that determines the kept prompts, besides model and judge; and the limit."""
    return {
        "target": options.target,
        "categories": list(categories),
        "pools": pools.name,
        "pools_identity": pools.identity,
        "styles": [style.name for style in pools.styles],
        "caps": {name: [shelf.caps.concept, shelf.caps.object] for name, shelf in shelves.items()},
        "order_seed": options.order_seed,
        "needed": needed(len(options.seeds)),
        "seeds": options.seeds,
        **settings.record(),
        "questions": questions,
        **options.asking.record(),
        "limit": options.limit,
    }


def check_same_bench(settings: Mapping[str, object], ledger: Ledger, folder: Path) -> None:
    """Raises a RunError if the folder holds a bench with other settings, or a run that is not a bench.

    The limit may change: a bench that stopped at one resumes with another.
    """
    refuse_measurement(ledger, folder)
    earlier = ledger.get("bench settings")
    if earlier is None and ledger.get("plan") is not None:
        raise RunError(f"{folder} holds a run that is not a bench; give another --out")
    if not isinstance(earlier, dict):
        return
    for name in (*settings, *earlier):
        was, wanted = earlier.get(name), settings.get(name)
        if name != "limit" and was != wanted:
            raise RunError(f"{folder} holds a bench with {name} {was!r}, not {wanted!r}; give another --out")
