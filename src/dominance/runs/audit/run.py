"""The audit: from a suite to images, answers, scores, verdicts and the gate."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.errors import InputError, ModelError, RunError
from dominance.judges import Judge
from dominance.models import GenerationSettings, ModelFolder, find_model
from dominance.models.on_demand import OnDemand
from dominance.records import RunResult, Suite
from dominance.runs.audit.options import ENGINES, JUDGE_MODES, METHODS, AuditOptions, check_gate
from dominance.runs.audit.result import recorded_plan, result_of
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import make_images, missing_images
from dominance.runs.stages.judging import (
    ask_judge,
    check_names,
    check_questions,
    judge_for,
    judge_record,
    note_bare_seeds,
    questions_of,
    unanswered,
)
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.measurements import refuse_measurement
from dominance.runs.store.plan import Plan, ask_all, checked_suite, plan_document, plan_images
from dominance.suites import QuestionSet, load_questions, load_suite

if TYPE_CHECKING:
    from dominance.models.image_model import PipelineModel

__all__ = ["ENGINES", "JUDGE_MODES", "METHODS", "AuditOptions", "audit"]


def audit(
    suite: str | Suite = "miniature",
    model: str = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: AuditOptions | None = None,
) -> RunResult:
    """Generates, judges and scores; resumes whatever the run folder already holds.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself.
        model: ``miniature``, a diffusers folder, or a hub id.
        judge: a judge's name, or the judge itself.
        out: the run folder; by default ``runs/`` and the suite's name.

    Raises:
        InputError: the suite, model, judge, folder or an option cannot be used; nothing was written.
    """
    options = options or AuditOptions()
    loaded = limited(load_suite(suite) if isinstance(suite, str) else checked_suite(suite), options)
    questions = load_questions(options.questions)
    folder = Path(out) if out is not None else Path("runs") / loaded.name
    check_run_folder(folder)
    source = find_model(model, options.revision)
    settings = generation_settings(options, source)
    asked = ask_all(loaded, questions.ask)
    # Loaded before any image is made, so that a judge that cannot be used is known at once.
    seen_by = OnDemand(lambda: judge_for(asked, judge, options.device, options.judge_mode))
    check_questions(seen_by(), asked, options.questions)
    plan = Plan(
        suite=loaded,
        model=model,
        judge=seen_by().name,
        judge_identity=seen_by().identity,
        questions=questions_of(seen_by(), asked),
        images=plan_images(loaded, options.seeds, source.identity, settings.record()),
        settings=_settings_record(options, settings, questions),
        origin="audit",
    )
    check_names(seen_by(), plan)
    note_bare_seeds(seen_by(), plan)
    return _run(plan, folder, seen_by, source, settings, options)


def _run(
    plan: Plan,
    folder: Path,
    seen_by: OnDemand[Judge],
    source: ModelFolder,
    settings: GenerationSettings,
    options: AuditOptions,
) -> RunResult:
    """Makes what is missing, in a folder that no other process may use meanwhile, and finishes."""
    from dominance.models.devices import find_device
    from dominance.models.memory import release_memory

    device = find_device(options.device)
    # A new folder is not even made before the model is known to load; an old one may need no model.
    new = not (folder / LEDGER_NAME).exists()
    if new and device.type == "cuda":
        seen_by.set_aside()
    prepared = prepare_model(source, options, plan) if new else None
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        check_same_suite(plan, ledger, folder)
        missing = missing_images(plan.images, ledger, folder)
        if missing and prepared is None:
            if device.type == "cuda":
                seen_by.set_aside()
            prepared = prepare_model(source, options, plan)
        put_plan(plan, ledger)
        if prepared is not None and missing:
            ledger.forget_images(image.item for image in missing)
            make_images(missing, prepared, settings, ledger, folder, _batches(prepared, settings, options))
        prepared = None  # the judge needs the memory
        if device.type != "cpu":
            release_memory()
        return finish(plan, ledger, folder, seen_by(), _manifest(plan, source, settings, options, str(device)))


def _batches(model: "PipelineModel", settings: GenerationSettings, options: AuditOptions) -> BatchSize:
    """The size that was asked; else one that suits the latents and grows while the GPU has room."""
    from dominance.models.devices import find_device
    from dominance.models.memory import GpuRoom

    if options.batch is not None:
        return BatchSize(options.batch)
    return BatchSize(fitting_batch(model, settings), GpuRoom(find_device(options.device)))


def _manifest(
    plan: Plan, source: ModelFolder, settings: GenerationSettings, options: AuditOptions, device: str
) -> dict[str, object]:
    from dominance.models.schedulers import describe_scheduler

    model = {
        "name": plan.model,
        "identity": source.identity,
        "revision": options.revision,
        "scheduler": settings.scheduler or source.scheduler,
        "scheduler_settings": describe_scheduler(source, settings.scheduler),
    }
    return {"model": model, "device": device, "judge_mode": options.judge_mode}


def check_same_suite(plan: Plan, ledger: Ledger, folder: Path) -> None:
    """Raises a RunError if the folder holds a run of another suite, or of images from another source."""
    earlier = recorded_plan(ledger, folder)
    if earlier is None:
        refuse_measurement(ledger, folder)
        return
    for what, held_here, wanted in (
        ("the suite", earlier.suite.name, plan.suite.name),
        ("the origin of images", earlier.origin, plan.origin),
    ):
        if held_here != wanted:
            raise RunError(f"{folder} holds a run with {what} {held_here!r}, not {wanted!r}; give another --out")


def put_plan(plan: Plan, ledger: Ledger) -> None:
    """Records the plan; a manifest that was written at the end of a run by another plan goes first."""
    document = json.loads(json.dumps(plan_document(plan)))
    if ledger.get("plan") not in (None, document):
        ledger.put("manifest", {})
    ledger.put("plan", document)


def finish(plan: Plan, ledger: Ledger, folder: Path, judge: Judge, manifest: dict[str, object]) -> RunResult:
    """Asks what is still to be asked, writes manifest and scores, and returns the result."""
    from dominance.runs.store.manifest import environment

    waiting = unanswered(plan, ledger, folder)
    if waiting:
        ask_judge(waiting, plan, judge, ledger)
    described = {
        **manifest,
        "judge": judge_record(judge, ledger),
        "settings": plan.settings,
        **environment(),
    }
    ledger.put("manifest", described)
    result = result_of(plan, ledger, folder)
    ledger.put_scores(image for prompt in result.prompts for image in prompt.images)
    return result


def limited(suite: Suite, options: AuditOptions) -> Suite:
    """The suite's first prompts, if a limit is set, under the gate that the options set."""
    gate, prompts = options.gate if options.gate is not None else suite.gate, suite.prompts[: options.limit]
    if gate is not None:
        check_gate(gate, prompts)
    return replace(suite, prompts=prompts, gate=gate)


def generation_settings(options: AuditOptions, source: ModelFolder) -> GenerationSettings:
    """The options, filled up with what the model's folder suggests, else with what its pipeline draws with by itself.

    Raises:
        ModelError: the folder suggests what is no number, or holds no text-to-image pipeline.
        InputError: a setting out of range, or a scheduler that the model cannot use.
    """
    asked = {"steps": options.steps, "guidance": options.guidance}
    chosen = {**source.defaults, **{name: value for name, value in asked.items() if value is not None}}
    if not asked.keys() <= chosen.keys():
        from dominance.models.calls import suggested_settings

        chosen = {"steps": 50, "guidance": 7.5, **suggested_settings(source), **chosen}
    steps, guidance = chosen["steps"], chosen["guidance"]
    if not isinstance(steps, int) or not isinstance(guidance, int | float):
        raise ModelError(
            f"the dominance.json of the model {source.name!r} gives steps {steps!r} and guidance {guidance!r}, not two"
            " numbers; mend it, or give --steps and --guidance"
        )
    scheduler = None
    if options.scheduler is not None:
        from dominance.models.schedulers import find_scheduler

        scheduler = find_scheduler(options.scheduler, source)
    return GenerationSettings(
        steps, float(guidance), options.height, options.width, options.dtype, scheduler, options.vae_tiling
    )


def prepare_model(source: ModelFolder, options: AuditOptions, plan: Plan) -> "PipelineModel":
    """Loads the pipeline and refuses settings and prompts that it cannot follow.

    Raises:
        ModelError: it cannot be loaded.
        InputError: a setting that it does not take, or a concept beyond what its text encoder reads.
    """
    from dominance.models.image_model import PipelineModel, load_pipeline

    settings = generation_settings(options, source)
    pipeline = load_pipeline(source, options.device, options.dtype, settings.scheduler, options.thrift())
    model = PipelineModel(source, pipeline)
    model.check(settings)
    for prompt, concept, limit in model.cut_concepts(plan.suite.prompts):
        raise InputError(
            f"prompt {prompt.id!r} is longer than the {limit} tokens that {source.name!r} reads, and its concept"
            f" {concept!r} lies beyond them; shorten the prompt"
        )
    return model


def fitting_batch(model: "PipelineModel", settings: GenerationSettings) -> int:
    """Images at once: 32 at small latents, fewer as they grow; 512² pictures at eight pixels a latent ride by 16."""
    from dominance.models.calls import latent_sides

    rows, columns = latent_sides(model.pipeline, settings)
    return max(1, min(32, 2**16 // (rows * columns)))


def _settings_record(options: AuditOptions, settings: GenerationSettings, questions: QuestionSet) -> dict[str, object]:
    """All settings of the run; options that were not used leave no trace, so that a run's document stays readable."""
    record: dict[str, object] = {"seeds": list(options.seeds), **settings.record()}
    record |= {"limit": options.limit, "engine": options.engine, "method": options.method}
    record |= {"questions": questions.name, "batch": options.batch or "auto", "judge_mode": options.judge_mode}
    used = {"preset": options.preset, "revision": options.revision}
    used["offload"] = None if options.offload == "none" else options.offload
    return record | {name: value for name, value in used.items() if value is not None}
