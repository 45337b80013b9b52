"""The audit: from a suite to images, answers, scores, verdicts and the gate."""

import contextlib
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.diversity.embedders import load_embedder
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.models.source import triggers_of
from dominance.numbers import plural
from dominance.records import RunResult, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.estimate import Estimate, estimate_of
from dominance.runs.audit.options import AuditOptions, limited
from dominance.runs.audit.other_run import compared
from dominance.runs.audit.result import finish, put_plan, settle_texts
from dominance.runs.audit.sameness import folder_of, take_over
from dominance.runs.engines.choice import at_work
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.identity import embed_pictures, find_taught
from dominance.runs.stages.judge_fit import warn
from dominance.runs.stages.judging import (
    ReadyJudge,
    check_names,
    check_questions,
    judge_for,
    note_bare_seeds,
    unasked,
)
from dominance.runs.stages.methods import left_open, left_plain, tell_open
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.picture_scores import check_measuring, find_measuring
from dominance.runs.stages.planning import plan_drawing
from dominance.runs.stages.texts import Texts
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, PlannedImage, ask_all, plan_images
from dominance.runs.store.repeat import Repeat
from dominance.suites import QuestionSet, find_suite, load_questions

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def audit(
    suite: str | Suite = "miniature",
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: AuditOptions | None = None,
) -> RunResult:
    """Generates, judges and scores images; resumes an earlier run in the folder.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself.
        model: ``miniature``, a diffusers folder, a hub id, or your own pipeline.
        judge: a judge's name, or the judge itself.
        out: the run folder; ``runs/SUITE`` by default.

    Raises:
        InputError: the suite, model, judge, folder or an option cannot be used; nothing is written.
    """
    options = options or AuditOptions()
    plan, folder, seen_by, drawn, repeat = _decided(judge_for, suite, model, judge, out, options)
    return _run(_localised(plan, options, drawn, seen_by), folder, seen_by, drawn, repeat)


def estimate_audit(
    suite: str | Suite = "miniature",
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: AuditOptions | None = None,
) -> Estimate:
    """What the same call of ``audit`` would still draw and ask; draws, asks and writes nothing.

    Raises:
        InputError: as ``audit``, except for what shows only when the model is loaded or the judge is reached.
    """
    plan, folder, seen_by, drawn, _ = _decided(unasked, suite, model, judge, out, options or AuditOptions())
    tell_open([drawn.method])
    return estimate_of(plan, folder, seen_by())


def check_audit(
    suite: str | Suite,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str,
    options: AuditOptions,
) -> None:
    """Refuses what the same call of ``audit`` would refuse before it draws, as far as judge and embedder can be had.

    They are loaded, and let go again; the model is not. Nothing is drawn, asked or written.

    Raises:
        InputError: as ``audit``.
    """
    plan, _, seen_by, drawn, _ = _decided(judge_for, suite, model, judge, out, options)
    seen_by.set_aside()
    if plan.taught is not None and plan.taught.embedder is not None:
        load_embedder(plan.taught.embedder, drawn.device)


_Plan = tuple[Plan, Path, OnDemand[Judge], RunModel, Repeat]


def _decided(
    ready: ReadyJudge,
    suite: str | Suite,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str | None,
    options: AuditOptions,
) -> _Plan:
    """Everything that is decided before anything is made."""
    repeat = Repeat("audit", {"suite": suite, "model": model, "judge": judge, "out": out}, options)
    loaded = limited(find_suite(suite, options.concepts), options.limit, options.limits)
    questions = load_questions(options.asking.questions)
    check_run_folder(Path(out or Path("runs") / loaded.name))
    drawn = RunModel(model, options.drawing, options.machine, loaded.prompts, method=options.method)
    taught = find_taught(
        options.taught.taught,
        options.taught.references,
        options.taught.embedder,
        loaded,
        drawn.source.world,
        triggers_of(drawn.source),
        unnamed=True,
    )
    asked = ask_all(loaded, questions.ask, taught)
    # Loaded before any image is made, so that an unusable judge fails at once.
    seen_by = OnDemand(lambda: ready(asked, judge, options.machine.device, options.asking, drawn.crew))
    check_questions(seen_by(), asked, options.asking.questions)
    plan = plan_drawing(
        loaded,
        drawn.source,
        seen_by(),
        asked,
        images=_images(loaded, options, drawn),
        settings=_settings(options, drawn, questions),
        origin="audit",
        taught=taught,
        measuring=find_measuring(options.measuring),
    )
    check_names(seen_by(), plan)
    folder = folder_of(plan, out, loaded.name)
    plan = compared(plan, folder, options.beside, options.limits.baseline)
    note_bare_seeds(seen_by(), plan)
    _note_plain(plan, drawn)
    return plan, folder, seen_by, drawn, repeat


def _images(suite: Suite, options: AuditOptions, model: RunModel) -> tuple[PlannedImage, ...]:
    return plan_images(suite, options.seeds, model.source.identity, model.settings, model.method)


def _localised(plan: Plan, options: AuditOptions, model: RunModel, judge: OnDemand[Judge]) -> Plan:
    """The plan with the images of a method that knows where concepts lie; what measures images is refused before."""
    if left_open(model.method):
        check_measuring(plan, model.device)
        if plan.taught is not None and plan.taught.embedder is not None:
            load_embedder(plan.taught.embedder, model.device)
    return replace(plan, images=_images(plan.suite, options, model)) if model.localise(judge) else plan


def _note_plain(plan: Plan, model: RunModel) -> None:
    """Names a method that has nothing to do for some prompts."""
    whys = list(left_plain(model.method, plan.suite.prompts, model.conditions).values())
    for why in dict.fromkeys(whys):
        sys.stderr.write(f"note: {plan.settings.steered} leaves {plural(whys.count(why), 'prompt')} plain: {why}\n")


def _run(plan: Plan, folder: Path, judge: OnDemand[Judge], model: RunModel, repeat: Repeat) -> RunResult:
    """Makes the missing images, and finishes."""

    def draw(missing: Sequence[PlannedImage], ledger: Ledger) -> None:
        make_images(missing, model.draws(), model.settings, ledger, folder, model.batches())

    with carried_out(plan, folder, judge, model, repeat, draw) as (_, result):
        return result


@contextlib.contextmanager
def carried_out(
    plan: Plan,
    folder: Path,
    judge: OnDemand[Judge],
    model: RunModel,
    repeat: Repeat,
    draw: Callable[[Sequence[PlannedImage], Ledger], None],
) -> Generator[tuple[Ledger, RunResult]]:
    """Makes and judges the images of a plan in its folder, which stays locked while the block runs.

    Args:
        draw: makes these images, which are missing.
    """

    def texts() -> Texts:
        model.make_room(judge)
        return model.texts()

    # A new folder is created only once the model has loaded; an existing one may need no model.
    if not (folder / LEDGER_NAME).exists():
        check_measuring(plan, model.device)
        texts()
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger, at_work(model.crew):
        take_over(plan, ledger, folder)
        plan, missing = settle_texts(plan, ledger, folder, texts)
        put_plan(plan, ledger)
        repeat.keep(folder)
        warn(plan.judge_warnings)
        if missing:
            plan = embed_pictures(plan, (), folder, model.device)  # an embedder that cannot be had shows before drawing
            ledger.forget_images(image.item for image in missing)
            draw(missing, ledger)
        model.set_aside()  # the judge needs the memory
        manifest = {**model.manifest(), "judge_mode": plan.settings.judge_mode}
        yield ledger, finish(plan, ledger, folder, judge(), manifest, device=model.device, crew=model.crew)


def _settings(options: AuditOptions, model: RunModel, questions: QuestionSet) -> RunSettings:
    """All settings of the run, without unused options."""
    drawing, machine = options.drawing, options.machine
    record: dict[str, object] = {"seeds": options.seeds, **model.settings.record()}
    record |= {"limit": options.limit, "engine": machine.engine, "method": options.method}
    record |= {"questions": questions.name, "batch": machine.batch or "auto", **options.asking.record()}
    used = {"preset": drawing.preset, "revision": drawing.revision, "variant": drawing.variant}
    used["model_config"] = drawing.model_config
    used["allow_unfit_judge"] = options.limits.allow_unfit_judge or None
    used["offload"] = None if machine.offload == "none" else machine.offload
    return RunSettings.of(record | {name: value for name, value in used.items() if value is not None})
