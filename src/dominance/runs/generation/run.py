"""Draws images in which every concept survives, plain or repaired, and gives up early what will fail."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from dominance.documents import to_json
from dominance.errors import InputError, ModelError
from dominance.guidance.plan import Conditions
from dominance.guidance.registry import Method, find_method
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.numbers import plural
from dominance.records import Concept, Prompt, Question, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.estimate import Estimate, copied_ledger, estimate_of
from dominance.runs.audit.options import Limits, limited
from dominance.runs.audit.result import put_plan
from dominance.runs.audit.sameness import folder_of, take_over
from dominance.runs.engines.choice import at_work
from dominance.runs.generation.options import DEFAULT_METHODS, TIMES_PLAIN, GenerateOptions
from dominance.runs.generation.result import GenerationResult, UsableImage
from dominance.runs.generation.work import Decided, Work, cannot_serve
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.risk.preflight import has_rule
from dominance.runs.stages.early import NONE, EarlyCalibration, calls_back, find_early, look_after
from dominance.runs.stages.judge_fit import warn
from dominance.runs.stages.judging import (
    ReadyJudge,
    check_questions,
    judge_for,
    refuse_asked_here,
    refuse_named,
    unasked,
)
from dominance.runs.stages.methods import Ready, tell_open
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.picture_scores import check_measuring, find_measuring
from dominance.runs.stages.planning import plan_drawing
from dominance.runs.store.bench_ledger import RememberingLedger
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.plan import ask_all
from dominance.runs.store.repeat import Repeat
from dominance.suites import find_suite, load_questions

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

GENERATE = "generate"
"""Key of the result in the ledger, and origin of the plan."""


class Generation:
    """Usable images, one after the other as they are drawn; ``result`` draws the rest and says what all of it took.

    The run folder stays locked until the last image is taken, or ``close`` is called; the same call resumes.
    """

    def __init__(self, run: Decided) -> None:
        self._images = _drawn(run, self)
        self._result: GenerationResult | None = None

    def __iter__(self) -> Iterator[UsableImage]:
        return self

    def __next__(self) -> UsableImage:
        return next(self._images)

    def close(self) -> None:
        """Stops drawing; what there is stays in the folder."""
        self._images.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def result(self) -> GenerationResult:
        """All images and what they took, when the last of them is drawn.

        Raises:
            InputError: the drawing was closed before.
        """
        for _ in self._images:
            pass
        if self._result is None:
            raise InputError("the drawing was closed before its end; make the same call again, which resumes")
        return self._result

    def _finish(self, result: GenerationResult) -> None:
        self._result = result


def generate(
    suite: str | Suite,
    usable: int | None = None,
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: GenerateOptions | None = None,
) -> Generation:
    """Draws images in which the judge sees every concept, for the least computation, and hands them over one by one.

    Prompts at high risk by ``preflight`` begin with the first method, others plain. After 40% of the steps the judge
    looks at the predicted picture, and what will fail is given up. A failure goes to the next method.

    Args:
        suite: a bracketed prompt; or a bundled suite, a file, or a suite, of each of whose prompts images are drawn.
        usable: images wanted of each prompt; None for the options'.
        model: ``miniature``, a diffusers folder, a hub id, or your own pipeline.
        judge: a judge's name, or the judge itself.
        out: the run folder; ``runs/generate-SUITE`` by default.

    Raises:
        InputError: the suite, model, judge, a method, the folder or an option cannot be used; nothing is written.

    >>> for image in dominance.generate("a [castle:landmark] and a [mug]", usable=4):  # doctest: +SKIP
    ...     image.image.save(f"{image.seed}.png")
    """
    return Generation(_loaded(_decided(suite, model, judge, out, _wanting(usable, options))))


def estimate_generation(
    suite: str | Suite,
    usable: int | None = None,
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: GenerateOptions | None = None,
) -> Estimate:
    """What the same call of ``generate`` would still draw and ask at the least; draws, asks and writes nothing.

    That is as if every image that is still to be drawn were usable at once.

    Raises:
        InputError: as ``generate``, except for what shows only when the model is loaded or the judge is reached.
    """
    run = _decided(suite, model, judge, out, _wanting(usable, options), ready=unasked)
    tell_open(run.methods.values())
    with copied_ledger(run.folder) as ledger:
        images = Work(run, ledger).at_least()
    return estimate_of(replace(run.plan, images=images), run.folder, run.judge())


def _wanting(usable: int | None, options: GenerateOptions | None) -> GenerateOptions:
    """The options, with so many images wanted of each prompt; None for the options' own number."""
    options = options or GenerateOptions()
    return options if usable is None else replace(options, usable=usable)


def _decided(
    suite: str | Suite,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str | None,
    options: GenerateOptions,
    ready: ReadyJudge = judge_for,
) -> Decided:
    """Everything that is decided before the model is loaded."""
    loaded = replace(limited(find_suite(suite, options.concepts), options.limit, Limits()), gate=None)
    questions = load_questions(options.asking.questions)
    name = f"generate-{loaded.name}"
    check_run_folder(Path(out or Path("runs") / name))
    drawn = RunModel(model, options.drawing, options.machine, loaded.prompts)
    asked = ask_all(loaded, questions.ask)
    seen_by = OnDemand(lambda: ready(asked, judge, options.machine.device, options.asking, drawn.crew))
    _check_judge(seen_by(), asked, options, drawn)
    early = find_early(options.early, drawn.source.identity, seen_by().identity)
    risk = PreflightOptions(calibration=options.calibration, machine=options.machine.by_itself())
    ruled = str(options.calibration) != NONE and has_rule(drawn.source, risk)
    methods, _ = _methods(drawn.known, loaded.prompts, options)
    plan = plan_drawing(
        loaded,
        drawn.source,
        seen_by(),
        asked,
        images=(),
        settings=_settings(options, drawn, questions.name),
        origin=GENERATE,
        measuring=find_measuring(options.measuring),
    )
    plain = drawn.settings.steps * (2 if drawn.settings.guidance > 1 else 1)
    return Decided(
        plan=plan,
        folder=folder_of(plan, out, name),
        judge=seen_by,
        model=drawn,
        methods=methods,
        early=early,
        risk=risk if ruled else None,
        options=options,
        plain=plain,
        budget=_most(options, plain),
        by_attention=True,
        notes=tuple(_missing(early, options, ruled=ruled)),
        repeat=Repeat("generate", {"suite": suite, "model": model, "judge": judge, "out": out}, options),
    )


def _check_judge(
    judge: Judge, asked: Mapping[Concept, tuple[Question, ...]], options: GenerateOptions, model: RunModel
) -> None:
    """Refuses a judge that cannot look at new images, or not where they are drawn."""
    check_questions(judge, asked, options.asking.questions)
    refuse_named(judge, "usable images are drawn anew")
    if model.crew is not None:
        refuse_asked_here(judge, "looks at images while workers draw them")


def _loaded(run: Decided) -> Decided:
    """With what shows when the models are loaded, which refuse what they cannot do before anything is written."""
    from dominance.probes.first_step import tells_guidance
    from dominance.probes.sites import acts_by_attention

    drawn = run.model
    if not (run.folder / LEDGER_NAME).exists():
        check_measuring(run.plan, drawn.device)
    texts = drawn.texts()
    texts.tell()
    plain = drawn.settings.steps if tells_guidance(drawn().pipeline) else run.plain
    asked = len(run.risk.seeds) if run.risk is not None and run.methods else 0
    budget = _budget(run.options, plain, asked)
    methods, unfit = _methods(drawn.ready, run.plan.suite.prompts, run.options)  # last: it may localise the model
    return replace(
        run,
        methods=methods,
        plan=replace(run.plan, refused=dict(texts.refused), notes=dict(texts.notes)),
        plain=plain,
        budget=budget,
        by_attention=acts_by_attention(drawn().pipeline),
        notes=(
            *run.notes,
            *unfit,
            *_unserved(methods, run.plan.suite.prompts, drawn.conditions),
            *_blind(drawn, run.early),
        ),
    )


def _drawn(run: Decided, told: Generation) -> Generator[UsableImage]:
    """Draws, and hands over what is usable."""
    with held(run.folder), RememberingLedger(run.folder / LEDGER_NAME) as ledger, at_work(run.model.crew):
        take_over(run.plan, ledger, run.folder)
        put_plan(run.plan, ledger)
        run.repeat.keep(run.folder)
        warn(run.plan.judge_warnings)
        work = Work(run, ledger)
        yield from work.images()
        result = work.result()
        ledger.put(GENERATE, to_json(result))
    told._finish(result)


def _methods(
    ready: Ready, prompts: Sequence[Prompt], options: GenerateOptions
) -> tuple[dict[str, Method | None], list[str]]:
    """The methods, as far as they are ready to steer the model, and notes on those by default that cannot serve it.

    Raises:
        InputError, ModelError: a method that was asked for cannot serve the model, or does not exist.
    """
    found: dict[str, Method | None] = {}
    notes = []
    pairs = any(len(prompt.concepts) > 1 for prompt in prompts)
    for name in options.named:
        find_method(name)
        if not pairs:
            continue  # nothing can take over from a single concept
        try:
            found[name] = ready(name)
        except ModelError as error:
            if options.methods != DEFAULT_METHODS:
                raise
            notes.append(f"not by {name}: {error}")
    return found, notes


def _unserved(methods: Collection[str], prompts: Sequence[Prompt], on: Conditions) -> list[str]:
    """Of how many prompts that name two concepts a method draws no image, and why."""
    pairs = [prompt for prompt in prompts if len(prompt.concepts) > 1]
    notes = []
    for name in methods:
        whys = [why for prompt in pairs if (why := cannot_serve(name, prompt, on)) is not None]
        notes += [f"not by {name}, {plural(whys.count(why), 'prompt')}: {why}" for why in dict.fromkeys(whys)]
    return notes


def _most(options: GenerateOptions, plain: int) -> int:
    """Most network evaluations of a prompt, of which one plain image takes so many."""
    return options.budget if options.budget is not None else TIMES_PLAIN * plain * options.usable


def _budget(options: GenerateOptions, plain: int, preflight: int) -> int:
    """The same, where it is enough for anything.

    Args:
        plain, preflight: what one image and what preflight take.

    Raises:
        InputError: less than both.
    """
    budget = _most(options, plain)
    if budget < plain + preflight:
        more = f", and preflight {preflight}" if preflight else ""
        raise InputError(
            f"budget is {budget}, but one image takes {plain} network evaluations{more}; give --budget"
            f" {plain + preflight} or more, or fewer --steps"
        )
    return budget


def _missing(early: EarlyCalibration | None, options: GenerateOptions, *, ruled: bool) -> list[str]:
    """What is not known of the model, what is done instead, and which command finds it out."""
    said = []
    if not ruled and str(options.calibration) != NONE:
        said.append(
            "no rule of risk is fitted to this model, so every prompt begins plain; `dominance calibrate RUN` fits one"
            " on an audited run (--calibration)"
        )
    if early is None and str(options.early) != NONE:
        said.append(
            "it is not known what this judge sees in this model's pictures at 40% of the steps, so no image is given up"
            " early; `dominance calibrate RUN --early` finds it out on an audited run (--early)"
        )
    return said


def _blind(drawn: RunModel, early: EarlyCalibration | None) -> list[str]:
    """Why no image can be given up although a threshold is known, or why that may not hold here."""
    if early is None:
        return []
    if early.threshold is None:
        return [f"at {early.at:.0%} of the steps this judge cannot tell what will fail, so no image is given up early"]
    if look_after(drawn.settings.steps, early.at) is None:
        return ["in a single step there is nothing to save, so no image is given up early"]
    pipeline = drawn().pipeline
    if not calls_back(pipeline):
        return [f"{type(pipeline).__name__} calls nothing after its steps, so no image is given up early"]
    if early.steps != drawn.settings.steps:
        return [
            f"the threshold of giving up comes from images of {plural(early.steps, 'step')}, and these have"
            f" {drawn.settings.steps}, so more of the usable ones may be given up; --check counts them"
        ]
    return []


def _settings(options: GenerateOptions, model: RunModel, questions: str) -> RunSettings:
    """All settings of the run, without unused options."""
    record: dict[str, object] = {"seeds": options.drawing.seeds, **model.settings.record(), "limit": options.limit}
    record |= {"usable": options.usable, "budget": options.budget, "methods": list(options.named)}
    used = {"calibration": options.calibration, "early": options.early, "preset": options.drawing.preset}
    record |= {name: str(value) for name, value in used.items() if value is not None}
    record |= {"check": options.check, "questions": questions, **options.asking.record()}
    return RunSettings.of(record)
