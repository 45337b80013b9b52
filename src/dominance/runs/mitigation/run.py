"""Draws the same prompts and seeds plain and by each method, and compares them pair by pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.diversity.embedders import load_embedder
from dominance.documents import from_json, to_json
from dominance.errors import InputError
from dominance.judges.options import Asking
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.models.source import triggers_of
from dominance.records import Concept, Question, RunResult, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.estimate import Estimate, copied_ledger, estimate_of
from dominance.runs.audit.options import Limits, limited
from dominance.runs.audit.result import finish, put_plan
from dominance.runs.audit.run import carried_out
from dominance.runs.audit.sameness import folder_of
from dominance.runs.engines.supply import even_size
from dominance.runs.mitigation.arms import Arm, baseline_in, find_arms, images_of, with_pairs
from dominance.runs.mitigation.drawing import ArmsDrawer, ArmsModel, in_turns
from dominance.runs.mitigation.likeness import likeness
from dominance.runs.mitigation.measuring import Seen, against_of, measure, seen
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.mitigation.result import MitigationResult, SecondOpinion
from dominance.runs.mitigation.second import second_opinion
from dominance.runs.mitigation.taught import identities
from dominance.runs.stages.drawing import make_planned, missing_images
from dominance.runs.stages.identity import find_taught, fitting_embedder
from dominance.runs.stages.judging import ReadyJudge, check_questions, judge_for, refuse_named, unasked
from dominance.runs.stages.methods import Ready, left_open, tell_open
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.picture_scores import check_measuring, find_measuring
from dominance.runs.stages.planning import plan_drawing
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, PlannedImage, ask_all
from dominance.runs.store.repeat import Repeat
from dominance.suites import find_suite, load_questions
from dominance.wording import on_one_line

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

MITIGATE = "mitigate"
"""Key of the result in the ledger, and origin of the plan."""


def mitigate_suite(
    suite: str | Suite = "miniature",
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: MitigateOptions | None = None,
    second_judge: str | Judge | None = None,
) -> MitigationResult:
    """Draws a suite plain and by each method from the same noise, and says what each repairs, harms and costs.

    With ``only_failing``, plain images are judged first, and only those that lose a concept are drawn again. The same
    call resumes.

    Args:
        suite: a bundled suite, a file, a bracketed prompt, or the suite itself; prompts with one concept are left out.
        model: ``miniature``, a diffusers folder, a hub id, or your own pipeline.
        judge: a judge's name, or the judge itself.
        out: the run folder; ``runs/mitigate-SUITE`` by default.
        second_judge: asked about all images in the end, without a part in selecting; none by default. A finished run
            takes one later, too.

    Raises:
        InputError: the suite, model, a judge, a method, the folder or an option cannot be used; nothing is written.
    """
    options = options or MitigateOptions()
    run = _decided(judge_for, suite, model, judge, out, options, second_judge)
    named = {"suite": suite, "model": model, "judge": judge, "second_judge": second_judge, "out": out}
    repeat = Repeat("mitigate", named, options)
    if run.embedder is not None:  # one that cannot be had shows before anything is drawn
        load_embedder(run.embedder, options.machine.device)
    run = run.localised(options)
    if not (run.folder / LEDGER_NAME).exists():  # a method that cannot serve the model shows before anything is written
        run.model.make_room(run.judge)
        run.drawer()
    begun = replace(run.plan, images=run.arms[0].images) if options.only_failing else run.plan
    with carried_out(begun, run.folder, run.judge, run.model, repeat, run.draw) as (ledger, judged):
        whole = run.draw_failing(ledger) if options.only_failing else judged
        plan = from_json(Plan, ledger.get("plan"))
        found = seen(run.arms, plan, ledger, options.only_failing)
        files = dict.fromkeys(shot.file for each in found for shot in each.shots.values() if shot.file is not None)
        alike = likeness(run.embedder, files, run.folder, options.machine.device)
        result = measure(run.arms, found, whole, plan, alike, options.only_failing, run.notes)
        kept = identities(run.arms, found, plan, ledger, run.folder, options.only_failing)
        against = against_of(run.baseline, run.arms, found, alike)
        second = run.judged_again(found, plan, ledger, options)
        result = replace(result, identities=kept, against=against, second=second)
        ledger.put(MITIGATE, to_json(result))
        return result


def estimate_mitigation(
    suite: str | Suite = "miniature",
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: MitigateOptions | None = None,
) -> Estimate:
    """What the same call of ``mitigate_suite`` would still draw and ask; draws, asks and writes nothing.

    With ``only_failing``, an image that is not judged yet counts as one that every method draws again: it is the most.

    Raises:
        InputError: as ``mitigate_suite``, except for what shows only when the model is loaded or the judge is reached.
    """
    options = options or MitigateOptions()
    run = _decided(unasked, suite, model, judge, out, options)
    tell_open(arm.method for arm in run.arms)
    plan = run.plan
    if options.only_failing:
        with copied_ledger(run.folder) as ledger:
            plan = replace(plan, images=_at_most(run.arms, plan, ledger))
    return estimate_of(plan, run.folder, run.judge())


def _at_most(arms: Sequence[Arm], plan: Plan, ledger: Ledger) -> tuple[PlannedImage, ...]:
    """The plain images, and those that would be drawn again if all that is not judged yet should fail."""
    wanted = []
    for place, each in enumerate(seen(arms, plan, ledger, only_failing=False)):
        done = each.shots[arms[0].name].verdict == "balanced"
        wanted.append(arms[0].images[place])
        for arm in arms[1:]:
            if done:
                break
            if each.prompt.id in arm.left_plain:
                continue
            wanted.append(arm.images[place])
            done = each.shots[arm.name].verdict == "balanced"
    return tuple(wanted)


@dataclass(frozen=True)
class _Run:
    """A mitigation that is decided.

    Attributes:
        plan: with the images of all arms.
        loads: the model with all arms, and warms it up.
        drawer: that, once it is loaded here.
        notes: what the result should say of its suite.
        embedder: what compares repaired with plain pictures, if anything does.
        second: a judge that does not select.
        baseline: the arm that methods are compared with beside the plain one.
    """

    arms: tuple[Arm, ...]
    plan: Plan
    folder: Path
    judge: OnDemand[Judge]
    model: RunModel
    loads: ArmsDrawer
    drawer: OnDemand[ArmsModel]
    notes: tuple[str, ...]
    embedder: str | None
    second: OnDemand[Judge] | None = None
    baseline: str | None = None

    def localised(self, options: MitigateOptions) -> "_Run":
        """The same with methods that know where concepts lie: what is not known of the model is measured, last of all.

        Raises:
            InputError: of every prompt, a concept is cut off.
            ModelError: no layer of the model shows where concepts lie, or what measures images cannot be loaded.
        """
        if not any(left_open(arm.method) for arm in self.arms):
            return self
        check_measuring(self.plan, self.model.device)
        self.model.make_room(self.judge)
        self.model.texts()
        arms = _arms(self.plan.suite, self.model, options, self.model.ready)
        loads = ArmsDrawer(self.model, arms, self.plan.suite.prompts)
        plan = replace(self.plan, images=images_of(arms))
        return replace(self, arms=arms, plan=plan, loads=loads, drawer=OnDemand(loads))

    def judged_again(
        self, found: Sequence[Seen], plan: Plan, ledger: Ledger, options: MitigateOptions
    ) -> SecondOpinion | None:
        """What the second judge says, if there is one."""
        if self.second is None:
            return None
        self.judge.set_aside()  # the other needs the memory
        questions = load_questions(options.asking.questions)
        return second_opinion(
            self.second(),
            self.arms,
            found,
            plan,
            ledger,
            self.folder,
            questions,
            baseline=self.baseline,
            batch=options.machine.batch,
        )

    def draw(self, missing: Sequence[PlannedImage], ledger: Ledger) -> None:
        """Draws these images, in batches of one arm each."""
        batches = self.model.batches()
        workers = 1 if self.model.crew is None else self.model.crew.most()
        waiting = in_turns(missing, self.arms, even_size(len(missing), batches.size, workers))
        if self.model.crew is not None:
            self.drawer.set_aside()  # workers have their own
        drawn_by = self.model.draws_by(self.loads, here=self.drawer)
        make_planned(waiting, drawn_by, self.model.settings, ledger, self.folder, batches)
        self.drawer.set_aside()

    def draw_failing(self, ledger: Ledger) -> RunResult:
        """Draws what fails by one method after the other, and judges it; gives all images together."""
        whole = None
        for _ in self.arms[1:]:
            plan = from_json(Plan, ledger.get("plan"))
            plan = replace(plan, images=self._wanted(plan, ledger))
            missing = missing_images(plan.to_draw, ledger, self.folder)
            put_plan(plan, ledger)
            if missing:
                self.model.make_room(self.judge)
                ledger.forget_images(image.item for image in missing)
                self.draw(missing, ledger)
                self.model.set_aside()
            manifest = {**self.model.manifest(), "judge_mode": plan.settings.judge_mode}
            whole = finish(
                plan, ledger, self.folder, self.judge(), manifest, device=self.model.device, crew=self.model.crew
            )
        if whole is None:
            raise RuntimeError("there is no method")
        return whole

    def _wanted(self, plan: Plan, ledger: Ledger) -> tuple[PlannedImage, ...]:
        """The plain images, and those of the methods that failing ones are given to, as far as that is known yet."""
        found = seen(self.arms, plan, ledger, only_failing=True)
        again = [
            arm.images[place] for arm in self.arms[1:] for place, each in enumerate(found) if arm.name in each.tried
        ]
        return (*self.arms[0].images, *again)


def _arms(suite: Suite, model: RunModel, options: MitigateOptions, ready: Ready) -> tuple[Arm, ...]:
    identity, settings, on = model.source.identity, model.settings, model.conditions
    return find_arms(options.named, suite, options.seeds, identity, settings, on, ready)


def _decided(
    ready: ReadyJudge,
    suite: str | Suite,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    out: Path | str | None,
    options: MitigateOptions,
    second_judge: str | Judge | None = None,
) -> _Run:
    """Everything that is decided before anything is made."""
    loaded, note = with_pairs(limited(find_suite(suite, options.concepts), options.limit, Limits()))
    questions = load_questions(options.asking.questions)
    name = f"mitigate-{loaded.name}"
    check_run_folder(Path(out or Path("runs") / name))
    drawn = RunModel(model, options.drawing, options.machine, loaded.prompts)
    embedder = fitting_embedder(options.embedder, drawn.source.world)
    arms = _arms(loaded, drawn, options, drawn.known)
    baseline = baseline_in(arms, options.against)
    how, compared = options.taught, None if options.taught.references is None else options.embedder
    taught = find_taught(
        how.taught, how.references, compared, loaded, drawn.source.world, triggers_of(drawn.source), unnamed=True
    )
    asked = ask_all(loaded, questions.ask, taught)
    seen_by = OnDemand(lambda: ready(asked, judge, options.machine.device, options.asking, drawn.crew))
    check_questions(seen_by(), asked, options.asking.questions)
    refuse_named(seen_by(), "a mitigation draws its own images")
    second = _second(second_judge, seen_by(), asked, ready, options)
    settings = {"seeds": options.seeds, **drawn.settings.record(), "limit": options.limit}
    settings |= {"methods": [arm.name for arm in arms[1:]], "only_failing": options.only_failing}
    settings |= {} if baseline is None else {"against": baseline}
    settings |= {"questions": questions.name, "batch": options.machine.batch or "auto", **options.asking.record()}
    plan = plan_drawing(
        loaded,
        drawn.source,
        seen_by(),
        asked,
        images=images_of(arms),
        settings=RunSettings.of(settings),
        origin=MITIGATE,
        taught=taught,
        measuring=find_measuring(options.measuring),
    )
    loads = ArmsDrawer(drawn, arms, loaded.prompts)
    notes = () if note is None else (note,)
    folder, drawer = folder_of(plan, out, name), OnDemand(loads)
    return _Run(arms, plan, folder, seen_by, drawn, loads, drawer, notes, embedder, second, baseline)


def _second(
    judge: str | Judge | None,
    first: Judge,
    asked: Mapping[Concept, tuple[Question, ...]],
    ready: ReadyJudge,
    options: MitigateOptions,
) -> OnDemand[Judge] | None:
    """The second judge, known to be able to answer; it is set aside until everything is drawn.

    Raises:
        InputError: it is the first one, it cannot answer the questions, or it knows images by their names.
    """
    if judge is None:
        return None
    own = Asking(questions=options.asking.questions)
    second = OnDemand(lambda: ready(asked, judge, options.machine.device, own, None))
    if second().identity == first.identity:
        raise InputError(
            f"the second judge {on_one_line(second().name, 120)} is the first one, which would agree with itself; give"
            " another one"
        )
    check_questions(second(), asked, options.asking.questions)
    refuse_named(second(), "a mitigation draws its own images")
    second.set_aside()
    return second
