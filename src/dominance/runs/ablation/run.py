"""Ablates a suite: which part of the model, removed at which steps, restores a lost concept?"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dominance.documents import from_json, to_json
from dominance.errors import SuiteError
from dominance.judges.protocol import Judge
from dominance.records import Prompt, Suite
from dominance.run_settings import RunSettings
from dominance.runs.ablation.options import AblationOptions, Window
from dominance.runs.ablation.result import AblationResult
from dominance.runs.ablation.study import Study
from dominance.runs.ablation.trials import TrialStage
from dominance.runs.ablation.variants import Anatomy, all_heads, anatomy_of, residuals
from dominance.runs.audit.options import Limits, limited
from dominance.runs.audit.result import finish, put_plan, settle_texts
from dominance.runs.audit.sameness import folder_of, take_over
from dominance.runs.engines.choice import at_work
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.judge_fit import OPEN_WORLD, of_model, warn, world_warnings
from dominance.runs.stages.judging import judge_for, refuse_named
from dominance.runs.stages.model import RunModel
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, ask_all, plan_images
from dominance.runs.store.repeat import Repeat
from dominance.suites import QuestionSet, find_suite, load_questions

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.image_model import PipelineModel


def ablate_suite(
    suite: str | Suite = "miniature-dominance",
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: AblationOptions | None = None,
) -> AblationResult:
    """Draws a suite with parts of the model removed, and counts what that does to its collapsed images.

    Unedited images come first; ablations are then tried on the collapsed ones only, rebalancing on all. The same call
    resumes an earlier run in the folder.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself.
        model: ``miniature``, a diffusers folder, a hub id, or your own pipeline.
        judge: a judge's name, or the judge itself.
        out: the run folder; ``runs/EDIT-SUITE`` by default.

    Raises:
        InputError: the suite, model, judge, folder or an option cannot be used; nothing is written.
    """
    options = options or AblationOptions()
    repeat = Repeat("ablate", {"suite": suite, "model": model, "judge": judge, "out": out}, options)
    whole = limited(find_suite(suite, options.concepts), options.limit, Limits())
    loaded = replace(whole, prompts=_with_two_concepts(whole), gate=None)
    questions = load_questions(options.asking.questions)
    name = f"{options.edit}-{loaded.name}"
    check_run_folder(Path(out or Path("runs") / name))
    drawn = RunModel(model, options.drawing, options.machine, loaded.prompts, _check_of(options, loaded))
    options.windows(drawn.settings.steps)
    asked = ask_all(loaded, questions.ask)
    seen_by = judge_for(asked, judge, options.machine.device, options.asking, drawn.crew)
    refuse_named(seen_by, "an ablation draws its own images")
    plan = Plan(
        suite=loaded,
        model=drawn.source.name,
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=asked,
        images=plan_images(loaded, options.seeds, drawn.source.identity, drawn.settings),
        settings=_settings(options, drawn, questions),
        origin="ablate",
        world=drawn.source.world or OPEN_WORLD,
        judge_warnings=world_warnings(seen_by, drawn.source.world, of_model(drawn.source.name)),
        model_identity=drawn.source.identity,
    )
    folder = folder_of(plan, out, name)
    if not (folder / LEDGER_NAME).exists():  # a new folder is created only once all parts are known to exist
        _check_parts(options, anatomy_of(drawn().pipeline))
        drawn.texts()
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger, at_work(drawn.crew):
        take_over(plan, ledger, folder)
        plan, missing = settle_texts(plan, ledger, folder, drawn.texts)
        anatomy = _anatomy(ledger, drawn)
        _check_parts(options, anatomy)
        put_plan(plan, ledger)
        repeat.keep(folder)
        warn(plan.judge_warnings)
        if missing:
            ledger.forget_images(image.item for image in missing)
            make_images(missing, drawn.draws(), drawn.settings, ledger, folder, drawn.batches())
        unedited = finish(plan, ledger, folder, seen_by, drawn.manifest(), crew=drawn.crew)
        stage = TrialStage(plan, ledger, folder, seen_by, drawn)
        study = Study(options, anatomy, stage, unedited, plan)
        result = study.result(str(folder), tuple(p.id for p in whole.prompts if p not in loaded.prompts))
        ledger.put("ablation", to_json(result))
        everything = [image for prompt in unedited.prompts for image in prompt.images]
        ledger.put_scores([*everything, *stage.scored.values()])
        return result


def _with_two_concepts(suite: Suite) -> tuple[Prompt, ...]:
    kept = tuple(prompt for prompt in suite.prompts if len(prompt.concepts) > 1)
    if not kept:
        raise SuiteError(
            f"the suite {suite.name!r} has no prompt with two concepts, so no concept can take over; mark two, as in"
            " 'a [tower:landmark] and a [mug]'"
        )
    return kept


def _settings(options: AblationOptions, model: RunModel, questions: QuestionSet) -> RunSettings:
    record = {"seeds": options.seeds, **model.settings.record(), "limit": options.limit}
    record |= {"questions": questions.name, **options.asking.record()}
    return RunSettings.of(record | options.record())


def _anatomy(ledger: Ledger, model: RunModel) -> Anatomy:
    """The model's parts, from the ledger if known, so that a finished run need not load the model."""
    known = cast(dict, ledger.get("anatomy") or {})
    if known.get("identity") == model.source.identity:
        return from_json(Anatomy, known)
    anatomy = anatomy_of(model().pipeline)
    ledger.put("anatomy", {"identity": model.source.identity, **to_json(anatomy)})
    return anatomy


def _check_parts(options: AblationOptions, anatomy: Anatomy) -> None:
    """Refuses layers and residual branches that the model lacks."""
    if options.edit == "rebalance":
        return
    if set(options.sweep) - {"residual"}:
        all_heads(anatomy, options.layers)
    if "residual" in options.sweep:
        residuals(anatomy, options.layers, options.how(Window(0, 0)))


def _check_of(options: AblationOptions, suite: Suite) -> Callable[["PipelineModel", object], None]:
    """For rebalancing, refuses a model for which a concept has no tokens of its own."""

    def check(model: "PipelineModel", _: object) -> None:
        from dominance.models.tokens import prompt_tokens

        for prompt in suite.prompts if options.edit == "rebalance" else ():
            names = [concept.name for concept in prompt.concepts]
            tokens = prompt_tokens(model.pipeline, prompt.text)
            if not tokens.reading(names).cut:  # such a prompt is left out
                tokens.concepts(names)

    return check
