"""Ablates a suite: which part of the model, removed at which steps, restores a lost concept?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dominance.documents import from_json, to_json
from dominance.errors import SuiteError
from dominance.judges.protocol import Judge
from dominance.records import Prompt, Suite
from dominance.run_settings import RunSettings
from dominance.runs.ablation.options import SWEEPS, AblationOptions, Window
from dominance.runs.ablation.result import AblationResult
from dominance.runs.ablation.study import Study
from dominance.runs.ablation.trials import TrialStage
from dominance.runs.ablation.variants import Anatomy, all_heads, anatomy_of, residuals
from dominance.runs.audit.options import Limits, limited
from dominance.runs.audit.result import finish, put_plan, settle_texts
from dominance.runs.audit.sameness import folder_of, take_over
from dominance.runs.engines.choice import at_work
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.judge_fit import warn
from dominance.runs.stages.judging import check_questions, judge_for, refuse_named
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.planning import plan_drawing
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
    run = _decided(suite, model, judge, out, options)
    folder, drawn = run.folder, run.model
    if not (folder / LEDGER_NAME).exists():  # a new folder is created only once all parts are known to exist
        _check_parts(options, anatomy_of(drawn().pipeline))
        drawn.texts()
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger, at_work(drawn.crew):
        take_over(run.plan, ledger, folder)
        plan, missing = settle_texts(run.plan, ledger, folder, drawn.texts)
        anatomy = _anatomy(ledger, drawn)
        _check_parts(options, anatomy)
        put_plan(plan, ledger)
        repeat.keep(folder)
        warn(plan.judge_warnings)
        if missing:
            ledger.forget_images(image.item for image in missing)
            make_images(missing, drawn.draws(), drawn.settings, ledger, folder, drawn.batches())
        unedited = finish(plan, ledger, folder, run.judge, drawn.manifest(), crew=drawn.crew)
        stage = TrialStage(plan, ledger, folder, run.judge, drawn)
        result = Study(options, anatomy, stage, unedited, plan).result(str(folder), run.left_out)
        ledger.put("ablation", to_json(result))
        everything = [image for prompt in unedited.prompts for image in prompt.images]
        ledger.put_scores([*everything, *stage.scored.values()])
        return result


@dataclass(frozen=True)
class _Decided:
    """Everything that is decided before anything is drawn.

    Attributes:
        left_out: ids of the prompts with fewer than two concepts.
    """

    plan: Plan
    folder: Path
    judge: Judge
    model: RunModel
    left_out: tuple[str, ...]


def _decided(
    suite: str | Suite,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str | None,
    options: AblationOptions,
) -> _Decided:
    whole = limited(find_suite(suite, options.concepts), options.limit, Limits())
    loaded = replace(whole, prompts=_with_two_concepts(whole), gate=None)
    if "sets" in options.sweep and options.sweep != SWEEPS and len(loaded.prompts) < 2:
        raise SuiteError(
            "the sweep sets chooses heads on one half of the prompts and reports on the other; give two prompts with"
            " two concepts or more"
        )
    questions = load_questions(options.asking.questions)
    name = f"{options.edit}-{loaded.name}"
    check_run_folder(Path(out or Path("runs") / name))
    drawn = RunModel(model, options.drawing, options.machine, loaded.prompts, _check_of(options, loaded))
    options.windows(drawn.settings.steps)
    asked = ask_all(loaded, questions.ask)
    seen_by = judge_for(asked, judge, options.machine.device, options.asking, drawn.crew)
    refuse_named(seen_by, "an ablation draws its own images")
    check_questions(seen_by, asked, options.asking.questions)
    plan = plan_drawing(
        loaded,
        drawn.source,
        seen_by,
        asked,
        images=plan_images(loaded, options.seeds, drawn.source.identity, drawn.settings),
        settings=_settings(options, drawn, questions),
        origin="ablate",
    )
    left_out = tuple(prompt.id for prompt in whole.prompts if prompt not in loaded.prompts)
    return _Decided(plan, folder_of(plan, out, name), seen_by, drawn, left_out)


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
        heads = all_heads(anatomy, options.layers)
        if "sets" in options.sweep:
            options.heads_in_sets(len(heads))
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
