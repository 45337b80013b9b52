"""The work of a run: prompt after prompt, try after try, each remembered as soon as it is done."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from dominance.documents import from_json, to_json
from dominance.errors import InputError
from dominance.guidance.plan import Conditions
from dominance.guidance.plan import Plan as SteeringPlan
from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.progress import Progress
from dominance.records import Prompt, ScoredImage
from dominance.runs.audit.result import finish, put_plan, scored_images
from dominance.runs.engines.work import Ended
from dominance.runs.generation.course import Bounds, Course, PlainCourse, Risk, Unfinished
from dominance.runs.generation.drawing import Drawer
from dominance.runs.generation.measuring import measure, with_finished
from dominance.runs.generation.options import GenerateOptions
from dominance.runs.generation.policy import Step, ways_of
from dominance.runs.generation.result import Attempt, GeneratedPrompt, GenerationResult, UsableImage
from dominance.runs.generation.trying import Line, Making, Task, Tried, TryingWork, made
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.risk.preflight import predict
from dominance.runs.stages.counting import counted
from dominance.runs.stages.drawing import Elsewhere
from dominance.runs.stages.early import EarlyCalibration
from dominance.runs.stages.elsewhere import JudgingWork
from dominance.runs.stages.judging import tell_unscored
from dominance.runs.stages.model import RunModel
from dominance.runs.stages.picture_scores import measure_pictures
from dominance.runs.store.journal import Failed, enter
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, PlannedImage
from dominance.runs.store.repeat import Repeat

_TRIES, _RISKS = "tries", "risks"
"""Keys in the ledger: of every prompt's risk; and, in folders of older versions, of every try by what it was."""
_TRY = "try "
"""What a try is measured as begins with it; the rest says by which way, and how it was judged."""


@dataclass(frozen=True)
class Decided:
    """A run that is decided, its model loaded and its prompts read.

    Attributes:
        methods: by name, ready to steer.
        risk: how preflight is asked; None where it says nothing of this model.
        plain: network evaluations of one plain image.
        budget: most network evaluations of a prompt.
        by_attention: whether regions act in the model's attention.
        notes: what the result should say.
    """

    plan: Plan
    folder: Path
    judge: OnDemand[Judge]
    model: RunModel
    methods: dict[str, Method | None]
    early: EarlyCalibration | None
    risk: PreflightOptions | None
    options: GenerateOptions
    plain: int
    budget: int
    by_attention: bool
    notes: tuple[str, ...]
    repeat: Repeat


class Work:
    """Draws for a run that is decided, in its ledger."""

    def __init__(self, run: Decided, ledger: Ledger) -> None:
        self._run, self._ledger = run, ledger
        self._plan = replace(run.plan, measuring=None)  # the judge alone chooses
        self._drawer = Drawer(run.model, run.judge, run.methods, self._plan, ledger, run.folder, run.early)
        self._bounds = Bounds(run.options.usable, run.budget, run.plain, run.options.drawing.seeds)
        self._courses: list[Course] = []
        self._tries = _remembered_tries(ledger)

    def images(self) -> Iterator[UsableImage]:
        """Draws until every prompt has its images, its budget is spent, or nothing is left to try."""
        prompts = self._run.plan.suite.prompts
        risks = self._risks()
        self._courses = [self._course(prompt, risks.get(prompt.id, Risk())) for prompt in prompts]
        began: dict[Line, tuple[float, int]] = {}
        making = Making(self._known, self._attempt, self._task, self._attempted)
        crew = self._run.model.crew
        with Progress("usable", total=self._bounds.wanted * len(prompts), each="a usable image") as progress:
            for line, attempt in made(self._courses, making, self._elsewhere()):
                if attempt.outcome != "usable" or attempt.file is None:
                    continue
                progress.advance(note=None if crew is None else crew.pace())
                course = cast(Course, line)
                spent, looks = began.get(line, (0.0, 0))
                began[line] = (course.spent, sum(each.looks for each in course.attempts))
                yield UsableImage(
                    prompt=course.prompt.text,
                    seed=attempt.seed,
                    way=attempt.way,
                    file=self._run.folder / attempt.file,
                    evaluations=course.spent - spent,
                    looks=began[line][1] - looks,
                )

    def at_least(self) -> tuple[PlannedImage, ...]:
        """The usable images of all prompts, if whatever is still to be drawn is usable at once; nothing is drawn."""
        images, risks = [], self._risks(ask=False)
        for prompt in self._run.plan.suite.prompts:
            course = self._course(prompt, risks.get(prompt.id, Risk()))
            while steps := course.steps(1):
                way, seed = steps[0]
                image = self._drawer.planned(prompt, way, seed)
                hoped = Attempt(image.item, seed, way, "usable", image.file, evaluations=float(self._bounds.plain))
                attempt = self._known(course, steps[0]) or hoped
                course.take(steps[0], attempt)
                images += [image] if attempt.outcome == "usable" else []
        return tuple(images)

    # A try

    def _known(self, line: Line, step: Step) -> Attempt | None:
        """The try as it was remembered, if its pictures are there."""
        key = self._key(line.prompt, *step)
        if key not in self._tries:
            return None
        attempt = from_json(Attempt, self._tries[key])
        return attempt if self._drawer.there(attempt) else None

    def _attempt(self, line: Line, step: Step) -> Attempt:
        return self._remembered(line, step, self._drawer.attempt(line.prompt, *step))

    def _remembered(self, line: Line, step: Step, attempt: Attempt) -> Attempt:
        if attempt.evaluations is None and attempt.outcome != "error":  # a denoiser that cannot be seen into
            share = self._run.early.at if self._run.early and attempt.outcome == "given up" else 1.0
            attempt = replace(attempt, evaluations=share * self._run.plain)
        if attempt.outcome != "error":  # the next run tries that again
            key = self._key(line.prompt, *step)
            self._tries[key] = to_json(attempt)
            self._ledger.add_measured({key: self._tries[key]})
        return attempt

    def _key(self, prompt: Prompt, way: str, seed: int) -> tuple[str, str]:
        """What a try is known by: its image, and how; another threshold, judge or question makes it another."""
        early = None if self._run.early is None else self._run.early.threshold
        asked = _digest("\n".join(question.text for question in self._run.plan.asked_about(prompt)).encode())
        item = self._drawer.planned(prompt, way, seed).item
        return item, f"{_TRY}{way} {early} {self._run.plan.judge_identity} {asked}"

    # By workers

    def _elsewhere(self) -> Elsewhere | None:
        """The workers; None where this process draws."""
        run, crew = self._run, self._run.model.crew
        if crew is None:
            return None
        loader = cast(JudgingWork, crew.lent(run.judge())).judge
        return run.model.by_workers(crew, TryingWork(run.model, loader, run.methods, self._plan, run.early))

    def _task(self, line: Line, step: Step, *, whole: bool = False) -> Task:
        known, files = self._drawer.known(line.prompt, *step)
        return Task(line.prompt, *step, whole, known, files)

    def _entered(self, line: Line, step: Step, tried: Tried | Ended) -> str | None:
        """Enters what a worker has done; gives why there is nothing, where the image cost several of them.

        Raises:
            DominanceError: what ended the try is wrong for every other.
        """
        if isinstance(tried, Ended):
            item = self._drawer.planned(line.prompt, *step).item
            problem = f"every worker that drew this image {tried.how}"
            self._ledger.add_failure(item, "image", problem)
            return problem
        enter(tried.told, tried.files, self._ledger, self._run.folder)
        judged = [entry for entry in tried.told if isinstance(entry, Failed) and entry.stage == "judge"]
        tell_unscored({entry.item: entry.message for entry in judged}, self._drawer.plan_of(line.prompt, *step))
        if tried.stopped is not None:
            raise tried.stopped
        return None

    def _attempted(self, line: Line, step: Step, tried: Tried | Ended) -> Attempt:
        problem = self._entered(line, step, tried)
        if isinstance(tried, Tried):
            attempt: Attempt = tried.outcome
        else:
            way, seed = step
            item = self._drawer.planned(line.prompt, way, seed).item
            attempt = Attempt(item, seed, way, "error", problem=problem)
        return self._remembered(line, step, attempt)

    def _course(self, prompt: Prompt, risk: Risk) -> Course:
        refused = self._run.plan.refused.get(prompt.id)
        steps, ended = self._run.model.settings.steps, "done" if refused is None else "refused"
        on = self._run.model.conditions
        unfit = {name: cannot_serve(name, prompt, on) for name in self._run.methods}
        ways = ways_of(risk.risk, [name for name, why in unfit.items() if why is None])
        plans = {name: plan_by(name, prompt) for name, why in unfit.items() if why is None}
        takes = {
            name: self._bounds.plain + plan.more_evaluations(steps, by_attention=self._run.by_attention)
            for name, plan in plans.items()
            if plan is not None
        }
        return Course(prompt, risk, ways, self._bounds, takes, ended=ended, problem=refused)

    def _risks(self, *, ask: bool = True) -> dict[str, Risk]:
        """The risk of every prompt that names two concepts or more; asked once a folder and rule.

        Args:
            ask: whether those are asked that are not known.
        """
        run = self._run
        wanted = [p for p in run.plan.suite.prompts if len(p.concepts) > 1 and p.id not in run.plan.refused]
        if run.risk is None or not run.methods:
            return {}
        kept = cast(dict[str, object], self._ledger.get(_RISKS) or {})
        file = run.options.calibration
        rule = "bundled" if file is None else _digest(file.read_bytes())
        asked = [prompt for prompt in wanted if _risk_key(prompt, rule) not in kept]
        if asked and ask:
            with counted(run.model().pipeline) as count:
                found = predict(run.model, asked, run.risk, told=True)
                took = (count() or 0) / len(asked)
            for prompt, each in zip(asked, found, strict=True):
                known = Risk(each.risk, each.score, each.threshold, 0.0 if each.problem else took)
                kept[_risk_key(prompt, rule)] = to_json(known)
            self._ledger.put(_RISKS, kept)
        known = [prompt for prompt in wanted if _risk_key(prompt, rule) in kept]
        return {prompt.id: from_json(Risk, kept[_risk_key(prompt, rule)]) for prompt in known}

    # What came of it

    def result(self) -> GenerationResult:
        """The result, when everything is drawn."""
        run, prompts = self._run, [self._said(course) for course in self._courses]
        if run.options.check:
            prompts = self._checked(prompts)
        by_id = {course.prompt.id: course.prompt for course in self._courses}
        finished = [
            (self._drawer.planned(by_id[prompt.id], each.way, each.seed), each.outcome)
            for prompt in prompts
            for each in prompt.attempts
            if each.file is not None
        ]
        plan = replace(run.plan, images=tuple(image for image, _ in finished))
        put_plan(plan, self._ledger)
        manifest = {**run.model.manifest(), "judge_mode": plan.settings.judge_mode}
        if run.early is not None:
            manifest["early"] = to_json(run.early)
        run.model.set_aside()  # what is left is for the judge, and for what measures
        device, crew = run.model.device, run.model.crew
        usable = replace(plan, images=tuple(image for image, outcome in finished if outcome == "usable"))
        manifest |= measure_pictures(usable, self._ledger, run.folder, device)
        judged = replace(plan, measuring=None)
        whole = finish(judged, self._ledger, run.folder, run.judge(), manifest, device=device, crew=crew)
        scored = scored_images(usable, self._ledger)
        return measure(prompts, whole, scored, run.early, self._bounds.wanted, run.budget, run.plain, run.notes)

    def _said(self, course: Course) -> GeneratedPrompt:
        prompt, risk = course.prompt, course.risk
        return GeneratedPrompt(
            id=prompt.id,
            text=prompt.text,
            group=prompt.group,
            concepts=tuple(concept.name for concept in prompt.concepts),
            risk=risk.risk,
            score=risk.score,
            threshold=risk.threshold,
            risk_evaluations=risk.evaluations,
            attempts=tuple(course.attempts),
            ended=course.ended,
            problem=course.problem,
        )

    def _checked(self, prompts: list[GeneratedPrompt]) -> list[GeneratedPrompt]:
        """With plain rejection beside, and what was given up finished."""
        given_up = [Unfinished.of(course) for course in self._courses]
        plain = [PlainCourse(c.prompt, self._bounds) for c in self._courses if c.ended != "refused"]
        making = Making(self._finished, self._finish, lambda *of: self._task(*of, whole=True), self._whole)
        with Progress("checked", total=sum(len(each.left) for each in given_up), each="an image") as progress:
            for _ in made(given_up, making, self._elsewhere()):
                progress.advance()
        with Progress("plain rejection", total=self._bounds.wanted * len(plain), each="a usable image") as progress:
            for _, (usable, _) in made(plain, making, self._elsewhere()):
                progress.advance(bool(usable))
        finished = {item: usable for each in given_up for item, usable in each.usable.items()}
        rejections = {each.prompt.id: each.rejection() for each in plain}
        return [replace(with_finished(prompt, finished), rejection=rejections.get(prompt.id)) for prompt in prompts]

    def _finished(self, line: Line, step: Step) -> tuple[bool | None, float] | None:
        """Whether the image is usable, and what it took, where that is known."""
        return _judged(self._drawer.finish(line.prompt, *step)) if self._drawer.done(line.prompt, *step) else None

    def _finish(self, line: Line, step: Step) -> tuple[bool | None, float]:
        return _judged(self._drawer.finish(line.prompt, *step))

    def _whole(self, line: Line, step: Step, tried: Tried | Ended) -> tuple[bool | None, float]:
        self._entered(line, step, tried)
        return (None, 0.0) if isinstance(tried, Ended) else _judged(tried.outcome)


def _judged(found: tuple[ScoredImage, float]) -> tuple[bool | None, float]:
    """Whether an image is usable, None without a verdict, and what it took."""
    image, took = found
    return None if image.verdict is None else image.verdict == "balanced", took


def _remembered_tries(ledger: Ledger) -> dict[tuple[str, str], object]:
    """Every try that the folder remembers, by what it is known by."""
    older = cast(dict[str, object], ledger.get(_TRIES) or {})
    found = {(key.partition(" ")[0], _TRY + key.partition(" ")[2]): tried for key, tried in older.items()}
    return found | {key: tried for key, tried in ledger.measured().items() if key[1].startswith(_TRY)}


def _risk_key(prompt: Prompt, rule: str) -> str:
    return f"{prompt.text} {', '.join(concept.name for concept in prompt.concepts)} {rule}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def cannot_serve(name: str, prompt: Prompt, on: Conditions) -> str | None:
    """Why a method cannot serve a prompt, or leaves it plain; None if it can, as far as is known before drawing."""
    if len(prompt.concepts) < 2:
        return "a single concept has no rival"
    chosen = find_method(name)
    try:
        return chosen.why_plain(prompt, on) if isinstance(chosen, ChosenRecipe) else None
    except InputError as error:
        return str(error)


def plan_by(name: str, prompt: Prompt) -> SteeringPlan | None:
    """What a bundled method does with a prompt; None for one of another package.

    Raises:
        InputError: it cannot use the prompt.
    """
    chosen = find_method(name)
    return chosen.recipe.plan(prompt) if isinstance(chosen, ChosenRecipe) else None
