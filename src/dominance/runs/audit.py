"""The audit: from a suite to images, answers, scores, verdicts and the gate."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.bench import QuestionSet, load_questions, load_suite
from dominance.errors import InputError, ModelError, RunError
from dominance.judges import Judge
from dominance.models import GenerationSettings, ModelFolder, find_model
from dominance.records import Gate, RunResult, Suite
from dominance.runs.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.generating import make_images, missing_images
from dominance.runs.judging import ask_judge, judge_for, unanswered
from dominance.runs.ledger import Ledger
from dominance.runs.plan import Plan, ask_all, checked_suite, plan_document, plan_images
from dominance.runs.results import recorded_plan, result_of
from dominance.seeds import DEFAULT_SEEDS, check_seeds

if TYPE_CHECKING:
    from dominance.models.image_model import PipelineModel

ENGINES: tuple[str, ...] = ("local",)
METHODS: tuple[str, ...] = ("none",)


@dataclass(frozen=True)
class AuditOptions:
    """How to audit; what is None is left to the model's own defaults.

    Attributes:
        seeds: one image a prompt is made from each.
        limit: only the suite's first so many prompts.
        batch: images generated at once; None fits it to the size of the latents.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        gate: replaces the suite's own.
        questions: a YAML file that replaces the project's questions.
    """

    seeds: tuple[int, ...] = DEFAULT_SEEDS
    steps: int | None = None
    guidance: float | None = None
    height: int | None = None
    width: int | None = None
    dtype: str = "float32"
    limit: int | None = None
    batch: int | None = None
    device: str = "auto"
    engine: str = "local"
    method: str = "none"
    gate: Gate | None = None
    questions: Path | None = None

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        for name, value, most in (("limit", self.limit, 10**6), ("batch", self.batch, 1024)):
            if value is not None and not 1 <= value <= most:
                raise InputError(f"{name} is {value}; give a whole number from 1 to {most}")
        if self.engine not in ENGINES:
            raise InputError(f"no engine {self.engine[:60]!r}; give one of {', '.join(ENGINES)}")
        if self.method not in METHODS:
            raise InputError(f"no method {self.method[:60]!r}; give one of {', '.join(METHODS)}")


def check_gate(gate: Gate) -> None:
    """Raises an InputError unless every limit is a share from 0 to 1, and one of them says what an image must show."""
    for name, share in asdict(gate).items():
        if share is not None and not 0 <= share <= 1:
            raise InputError(f"the gate's {name.replace('_', '-')} is {share}; give a share from 0 to 1")
    if gate.max_collapse is None and gate.min_presence is None:
        raise InputError(
            "the gate limits only unscored images, so any picture would pass; give max-collapse or min-presence"
        )


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
    source = find_model(model)
    settings = generation_settings(options, source)
    asked = ask_all(loaded, questions.ask)
    seen_by = judge_for(asked, judge, options.device)
    plan = Plan(
        suite=loaded,
        model=model,
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=asked,
        images=plan_images(loaded, options.seeds, source.identity, settings.record()),
        settings=_settings_record(options, settings, questions),
        origin="audit",
    )
    return _run(plan, folder, seen_by, source, settings, options)


def _run(
    plan: Plan, folder: Path, judge: Judge, source: ModelFolder, settings: GenerationSettings, options: AuditOptions
) -> RunResult:
    """Makes what is missing, in a folder that no other process may use meanwhile, and finishes."""
    from dominance.models.devices import find_device

    # A new folder is not even made before the model is known to load; an old one may need no model.
    prepared = None if (folder / LEDGER_NAME).exists() else prepare_model(source, options, plan)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        check_same_suite(plan, ledger, folder)
        missing = missing_images(plan.images, ledger, folder)
        drawer = (prepared or prepare_model(source, options, plan)) if missing else None
        ledger.put("plan", plan_document(plan))
        if drawer is not None:
            ledger.forget_images(image.item for image in missing)
            make_images(missing, drawer, settings, ledger, folder, options.batch or fitting_batch(drawer, settings))
        del prepared, drawer  # the judge needs none of it
        described = {"name": plan.model, "identity": source.identity, "scheduler": source.scheduler}
        device = str(find_device(options.device))
        return finish(plan, ledger, folder, judge, {"model": described, "device": device})


def check_same_suite(plan: Plan, ledger: Ledger, folder: Path) -> None:
    """Raises a RunError if the folder holds a run of another suite, or of images from another source."""
    earlier = recorded_plan(ledger, folder)
    if earlier is None:
        return
    for what, held_here, wanted in (
        ("the suite", earlier.suite.name, plan.suite.name),
        ("the origin of images", earlier.origin, plan.origin),
    ):
        if held_here != wanted:
            raise RunError(f"{folder} holds a run with {what} {held_here!r}, not {wanted!r}; give another --out")


def finish(plan: Plan, ledger: Ledger, folder: Path, judge: Judge, manifest: dict[str, object]) -> RunResult:
    """Asks what is still to be asked, writes manifest and scores, and returns the result."""
    from dominance.runs.manifest import environment

    waiting = unanswered(plan, ledger, folder)
    if waiting:
        ask_judge(waiting, plan, judge, ledger)
    described = {
        **manifest,
        "judge": {"name": judge.name, "identity": judge.identity},
        "settings": plan.settings,
        **environment(),
    }
    ledger.put("manifest", described)
    result = result_of(plan, ledger, folder)
    ledger.put_scores(image for prompt in result.prompts for image in prompt.images)
    return result


def limited(suite: Suite, options: AuditOptions) -> Suite:
    """The suite's first prompts, if a limit is set, under the gate that the options set."""
    gate = options.gate if options.gate is not None else suite.gate
    if gate is not None:
        check_gate(gate)
    return replace(suite, prompts=suite.prompts[: options.limit], gate=gate)


def generation_settings(options: AuditOptions, source: ModelFolder) -> GenerationSettings:
    """The options, filled up with what the model's folder suggests, else 50 steps at guidance 7.5."""
    steps = options.steps if options.steps is not None else source.defaults.get("steps", 50)
    guidance = options.guidance if options.guidance is not None else source.defaults.get("guidance", 7.5)
    if not isinstance(steps, int) or not isinstance(guidance, int | float):
        raise ModelError(
            f"the dominance.json of the model {source.name!r} gives steps {steps!r} and guidance {guidance!r}, not two"
            " numbers; mend it, or give --steps and --guidance"
        )
    return GenerationSettings(steps, float(guidance), options.height, options.width, options.dtype)


def prepare_model(source: ModelFolder, options: AuditOptions, plan: Plan) -> "PipelineModel":
    """Loads the pipeline and refuses prompts whose concepts lie beyond what its text encoder reads."""
    from dominance.models.image_model import PipelineModel, load_pipeline

    model = PipelineModel(source, load_pipeline(source, options.device, options.dtype))
    for prompt, concept, limit in model.cut_concepts(plan.suite.prompts):
        raise InputError(
            f"prompt {prompt.id!r} is longer than the {limit} tokens that {source.name!r} reads, and its concept"
            f" {concept!r} lies beyond them; shorten the prompt"
        )
    return model


def fitting_batch(model: "PipelineModel", settings: GenerationSettings) -> int:
    """Images at once: 32 at small latents, fewer as they grow; 512² pictures at eight pixels a latent ride by 16."""
    denoiser = getattr(model.pipeline, "unet", None) or getattr(model.pipeline, "transformer", None)
    side = getattr(getattr(denoiser, "config", None), "sample_size", 128)
    side = side if isinstance(side, int) else 128
    scale = getattr(model.pipeline, "vae_scale_factor", 8)
    rows, columns = (side if asked is None else asked // scale for asked in (settings.height, settings.width))
    return max(1, min(32, 2**16 // (rows * columns)))


def _settings_record(options: AuditOptions, settings: GenerationSettings, questions: QuestionSet) -> dict[str, object]:
    record: dict[str, object] = {"seeds": list(options.seeds), **settings.record()}
    record |= {"limit": options.limit, "engine": options.engine, "method": options.method}
    return record | {"questions": questions.name}
