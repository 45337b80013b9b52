"""The ablation of a suite: which part of the model, taken away when, gives a collapsed image its lost concept back."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dominance.errors import InputError, SuiteError
from dominance.judges import Judge
from dominance.judges.protocol import NamedJudge
from dominance.models import GenerationSettings, ModelFolder, find_model
from dominance.models.devices import find_device
from dominance.models.on_demand import OnDemand
from dominance.records import Prompt, Suite
from dominance.runs.ablation.options import AblationOptions
from dominance.runs.ablation.result import AblationResult
from dominance.runs.ablation.study import Study
from dominance.runs.ablation.trials import TrialStage, VariantModel
from dominance.runs.ablation.variants import Anatomy, How, all_heads, anatomy_of, read_anatomy, residuals
from dominance.runs.audit.run import (
    check_same_suite,
    finish,
    fitting_batch,
    generation_settings,
    limited,
    prepare_model,
)
from dominance.runs.stages.drawing import make_images, missing_images
from dominance.runs.stages.judging import judge_for
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, ask_all, checked_suite, plan_document, plan_images
from dominance.suites import load_questions, load_suite
from dominance.wording import on_one_line

if TYPE_CHECKING:
    from dominance.models.image_model import PipelineModel


def ablate_suite(
    suite: str | Suite = "miniature-dominance",
    model: str = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: AblationOptions | None = None,
) -> AblationResult:
    """Draws a suite with parts of the model taken away, and says what that does to its collapsed images.

    Unedited images come first; an ablation is then tried on the collapsed ones alone, a rebalancing on all. The same
    call resumes whatever the run folder already holds, image by image and answer by answer.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself.
        model: ``miniature``, a diffusers folder, or a hub id.
        judge: a judge's name, or the judge itself.
        out: the run folder; by default ``runs/``, the edit's name and the suite's.

    Raises:
        InputError: the suite, model, judge, folder or an option cannot be used; nothing was written.
    """
    options = options or AblationOptions()
    whole = limited(load_suite(suite) if isinstance(suite, str) else checked_suite(suite), options.audit)
    loaded = replace(whole, prompts=_with_two_concepts(whole), gate=None)
    questions = load_questions(options.questions)
    folder = Path(out) if out is not None else Path("runs") / f"{options.edit}-{loaded.name}"
    check_run_folder(folder)
    source = find_model(model)
    settings = generation_settings(options.audit, source)
    options.windows(settings.steps)
    asked = ask_all(loaded, questions.ask)
    seen_by = judge_for(asked, judge, options.device)
    if isinstance(seen_by, NamedJudge):
        raise InputError(
            f"the judge {on_one_line(seen_by.name, 120)} holds answers about images that are there, and an ablation"
            " draws its own; give a judge that looks at images"
        )
    record = {"seeds": list(options.seeds), **settings.record(), "limit": options.limit, "questions": questions.name}
    plan = Plan(
        suite=loaded,
        model=model,
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=asked,
        images=plan_images(loaded, options.seeds, source.identity, settings.record()),
        settings=record | options.record(),
        origin="ablate",
    )
    drawer = _Drawer(source, options, plan, settings)
    if not (folder / LEDGER_NAME).exists():  # a new folder is not even made before all is known to be there
        drawer.check(drawer.anatomy())
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        check_same_suite(plan, ledger, folder)
        anatomy = _anatomy(ledger, drawer)
        drawer.check(anatomy)
        ledger.put("plan", plan_document(plan))
        missing = missing_images(plan.images, ledger, folder)
        if missing:
            ledger.forget_images(image.item for image in missing)
            make_images(missing, drawer.model(), settings, ledger, folder, drawer.batch())
        device = str(find_device(options.device))
        described = {"name": plan.model, "identity": source.identity, "scheduler": source.scheduler}
        unedited = finish(plan, ledger, folder, seen_by, {"model": described, "device": device})
        stage = TrialStage(plan, ledger, folder, seen_by, settings, source.identity, drawer)
        study = Study(options, anatomy, stage, unedited, plan)
        result = study.result(str(folder), tuple(p.id for p in whole.prompts if p not in loaded.prompts))
        ledger.put("ablation", result.document())
        everything = [image for prompt in unedited.prompts for image in prompt.images]
        ledger.put_scores([*everything, *stage.scored.values()])
        return result


def _with_two_concepts(suite: Suite) -> tuple[Prompt, ...]:
    kept = tuple(prompt for prompt in suite.prompts if len(prompt.concepts) > 1)
    if not kept:
        raise SuiteError(
            f"no prompt of {suite.name!r} names two concepts, so none can take over from another; mark two, as in"
            " 'a [tower:landmark] and a [mug]'"
        )
    return kept


def _anatomy(ledger: Ledger, drawer: "_Drawer") -> Anatomy:
    """The model's parts, as the ledger knows them from last time, so that a finished run need not load the model."""
    known = cast(dict, ledger.get("anatomy") or {})
    if known.get("identity") == drawer.identity:
        return read_anatomy(known)
    anatomy = drawer.anatomy()
    ledger.put("anatomy", {"identity": drawer.identity, **anatomy.document()})
    return anatomy


class _Drawer:
    """The model, loaded when it is first needed."""

    def __init__(self, source: ModelFolder, options: AblationOptions, plan: Plan, settings: GenerationSettings) -> None:
        self.identity = source.identity
        self._source, self._options, self._plan, self._settings = source, options, plan, settings
        self.model = OnDemand(self._load)

    def variants(self) -> VariantModel:
        return VariantModel(self.model())

    def batch(self) -> int:
        return self._options.batch or fitting_batch(self.model(), self._settings)

    def anatomy(self) -> Anatomy:
        return anatomy_of(self.model().pipeline)

    def check(self, anatomy: Anatomy) -> None:
        """Refuses layers and residual branches that the model does not have."""
        sweeps, layers, how = self._options.sweeps, self._options.layers, How()
        if self._options.edit == "rebalance":
            return
        if set(sweeps) - {"residual"}:
            all_heads(anatomy, layers)
        if "residual" in sweeps:
            residuals(anatomy, layers, how)

    def _load(self) -> "PipelineModel":
        model = prepare_model(self._source, self._options.audit, self._plan)
        if self._options.edit == "rebalance":
            self._check_tokens(model)
        return model

    def _check_tokens(self, model: "PipelineModel") -> None:
        from dominance.probes.tokens import prompt_tokens

        for prompt in self._plan.suite.prompts:
            prompt_tokens(model.pipeline, prompt.text).concepts([concept.name for concept in prompt.concepts])
