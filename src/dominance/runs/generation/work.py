"""The work of a run: prompt after prompt, try after try, each remembered as soon as it is done."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from dominance.documents import from_json, to_json
from dominance.errors import InputError
from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.progress import Progress
from dominance.records import Prompt
from dominance.runs.audit.result import finish, put_plan
from dominance.runs.generation.drawing import Drawer
from dominance.runs.generation.measuring import measure, with_finished
from dominance.runs.generation.options import GenerateOptions
from dominance.runs.generation.policy import Try, next_try, ways_of
from dominance.runs.generation.result import (
    Attempt,
    Ended,
    GeneratedPrompt,
    GenerationResult,
    Rejection,
    UsableImage,
)
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.risk.preflight import predict
from dominance.runs.stages.counting import counted
from dominance.runs.stages.early import EarlyCalibration
from dominance.runs.stages.method_names import PLAIN
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan
from dominance.runs.store.repeat import Repeat

_TRIES, _RISKS = "tries", "risks"
"""Keys in the ledger: of every try by what it was, and of every prompt's risk."""


@dataclass(frozen=True)
class Decided:
    """A run that is decided, its model loaded and its prompts read.

    Attributes:
        methods: by name, ready to steer.
        risk: how preflight is asked; None where it says nothing of this model.
        plain: network evaluations of one plain image.
        budget: most network evaluations of a prompt.
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
    notes: tuple[str, ...]
    repeat: Repeat


@dataclass(frozen=True)
class _Risk:
    """What preflight says of a prompt, and the network evaluations that it took."""

    risk: str | None = None
    score: float | None = None
    threshold: float | None = None
    evaluations: float = 0.0


@dataclass
class _Course:
    """A prompt on its way."""

    prompt: Prompt
    risk: _Risk
    ways: tuple[str, ...]
    attempts: list[Attempt] = field(default_factory=list)
    ended: Ended = "done"
    problem: str | None = None

    @property
    def usable(self) -> int:
        return sum(each.outcome == "usable" for each in self.attempts)

    @property
    def spent(self) -> float:
        return self.risk.evaluations + sum(each.evaluations or 0.0 for each in self.attempts)

    @property
    def out(self) -> set[str]:
        """Ways that ended before the denoiser ran: they cannot serve the prompt."""
        return {each.way for each in self.attempts if each.outcome == "error" and not each.evaluations}


class Work:
    """Draws for a run that is decided, in its ledger."""

    def __init__(self, run: Decided, ledger: Ledger) -> None:
        self._run, self._ledger = run, ledger
        self._drawer = Drawer(run.model, run.judge, run.methods, run.plan, ledger, run.folder, run.early)
        self._wanted = run.options.usable
        self._courses: list[_Course] = []
        self._tries = cast(dict[str, object], ledger.get(_TRIES) or {})

    def images(self) -> Iterator[UsableImage]:
        """Draws until every prompt has its images, its budget is spent, or nothing is left to try."""
        prompts = self._run.plan.suite.prompts
        risks = self._risks()
        with Progress("usable", total=self._wanted * len(prompts), each="a usable image") as progress:
            for prompt in prompts:
                course = self._course(prompt, risks.get(prompt.id, _Risk()))
                self._courses.append(course)
                for image in self._drawn(course):
                    progress.advance()
                    yield image

    def _drawn(self, course: _Course) -> Iterator[UsableImage]:
        """The usable images of a prompt."""
        if course.problem is not None:
            return
        spent, looks = 0.0, 0
        while course.usable < self._wanted:
            attempt = self._next(course)
            if attempt is None:
                return
            course.attempts.append(attempt)
            looks += attempt.looks
            if attempt.outcome == "usable" and attempt.file is not None:
                took = course.spent - spent
                yield UsableImage(
                    course.prompt.text, attempt.seed, attempt.way, self._run.folder / attempt.file, took, looks
                )
                spent, looks = course.spent, 0

    def _next(self, course: _Course) -> Attempt | None:
        """The next try; None where there is none, which the course then says."""
        tried = [Try(each.way, each.seed, each.outcome) for each in course.attempts]
        prompt = course.prompt
        chosen = next_try(tried, course.ways, prompt.seeds or self._run.options.drawing.seeds, course.out)
        if chosen is None and course.out.issuperset(course.ways) and PLAIN not in course.ways:
            course.ways = (*course.ways, PLAIN)  # at high risk, but no method can serve it
            return self._next(course)
        if chosen is None:
            course.ended = "no way" if course.out.issuperset(course.ways) else "noises"
            course.problem = next((each.problem for each in course.attempts if each.way in course.out), None)
            return None
        way, seed = chosen
        key = self._key(prompt, way, seed)
        known = self._known(key)
        if known is not None:
            return known
        costs = [each.evaluations or 0.0 for each in course.attempts if each.way == way]
        if course.spent + max([float(self._run.plain), *costs]) > self._run.budget:
            course.ended = "budget"
            return None
        attempt = self._drawer.attempt(prompt, way, seed)
        if attempt.evaluations is None and attempt.outcome != "error":  # a denoiser that cannot be seen into
            share = self._run.early.at if self._run.early and attempt.outcome == "given up" else 1.0
            attempt = replace(attempt, evaluations=share * self._run.plain)
        if attempt.outcome != "error":  # the next run tries that again
            self._tries[key] = to_json(attempt)
            self._ledger.put(_TRIES, self._tries)
        return attempt

    def _key(self, prompt: Prompt, way: str, seed: int) -> str:
        """What a try is known by: another threshold, judge or question makes it another."""
        early = None if self._run.early is None else self._run.early.threshold
        asked = _digest("\n".join(question.text for question in self._run.plan.asked_about(prompt)).encode())
        return f"{self._drawer.planned(prompt, way, seed).item} {way} {early} {self._run.plan.judge_identity} {asked}"

    def _known(self, key: str) -> Attempt | None:
        """The try as it was remembered, if its pictures are there."""
        if key not in self._tries:
            return None
        attempt = from_json(Attempt, self._tries[key])
        return attempt if self._drawer.there(attempt) else None

    def _course(self, prompt: Prompt, risk: _Risk) -> _Course:
        refused = self._run.plan.refused.get(prompt.id)
        unfit = {name: cannot_serve(name, prompt) for name in self._run.methods}
        ways = ways_of(risk.risk, [name for name, why in unfit.items() if why is None])
        return _Course(prompt, risk, ways, ended="done" if refused is None else "refused", problem=refused)

    def _risks(self) -> dict[str, _Risk]:
        """The risk of every prompt that names two concepts or more; asked once a folder and rule."""
        run = self._run
        wanted = [p for p in run.plan.suite.prompts if len(p.concepts) > 1 and p.id not in run.plan.refused]
        if run.risk is None or not run.methods:
            return {}
        kept = cast(dict[str, object], self._ledger.get(_RISKS) or {})
        file = run.options.calibration
        rule = "bundled" if file is None else _digest(file.read_bytes())
        asked = [prompt for prompt in wanted if _risk_key(prompt, rule) not in kept]
        if asked:
            with counted(run.model().pipeline) as count:
                found = predict(run.model, asked, run.risk, told=True)
                took = (count() or 0) / len(asked)
            for prompt, each in zip(asked, found, strict=True):
                known = _Risk(each.risk, each.score, each.threshold, 0.0 if each.problem else took)
                kept[_risk_key(prompt, rule)] = to_json(known)
            self._ledger.put(_RISKS, kept)
        return {prompt.id: from_json(_Risk, kept[_risk_key(prompt, rule)]) for prompt in wanted}

    # What came of it

    def result(self) -> GenerationResult:
        """The result, when everything is drawn."""
        run, prompts = self._run, [self._said(course) for course in self._courses]
        if run.options.check:
            prompts = self._checked(prompts)
        by_id = {course.prompt.id: course for course in self._courses}
        images = [
            self._drawer.planned(by_id[prompt.id].prompt, each.way, each.seed)
            for prompt in prompts
            for each in prompt.attempts
            if each.file is not None
        ]
        plan = replace(run.plan, images=tuple(images))
        put_plan(plan, self._ledger)
        manifest = {**run.model.manifest(), "judge_mode": plan.settings.judge_mode}
        if run.early is not None:
            manifest["early"] = to_json(run.early)
        whole = finish(plan, self._ledger, run.folder, run.judge(), manifest, device=run.model.device)
        return measure(prompts, whole, run.early, self._wanted, run.budget, run.plain, run.notes)

    def _said(self, course: _Course) -> GeneratedPrompt:
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
        finished: dict[str, bool] = {}
        with Progress("checked", total=len(prompts), each="a prompt") as progress:
            for course in self._courses:
                for each in course.attempts:
                    if each.outcome == "given up":
                        image, _ = self._drawer.finish(course.prompt, each.way, each.seed)
                        if image.verdict is not None:
                            finished[f"{each.item} {each.way}"] = image.verdict == "balanced"
            found = []
            for prompt, course in zip(prompts, self._courses, strict=True):
                rejection = None if course.ended == "refused" else self._rejected(course.prompt)
                found.append(replace(with_finished(prompt, finished), rejection=rejection))
                progress.advance()
        return found

    def _rejected(self, prompt: Prompt) -> Rejection:
        """Plain images until as many as wanted are usable, or the budget or the noises are spent."""
        tried: list[Try] = []
        images, spent = 0, 0.0
        while sum(each.outcome == "usable" for each in tried) < self._wanted:
            chosen = next_try(tried, (PLAIN,), prompt.seeds or self._run.options.drawing.seeds)
            if chosen is None or spent + self._run.plain > self._run.budget:
                break
            image, took = self._drawer.finish(prompt, *chosen)
            tried.append(Try(*chosen, "usable" if image.verdict == "balanced" else "failed"))
            images, spent = images + 1, spent + (took or self._run.plain)
        return Rejection(images, sum(each.outcome == "usable" for each in tried), spent)


def _risk_key(prompt: Prompt, rule: str) -> str:
    return f"{prompt.text} {', '.join(concept.name for concept in prompt.concepts)} {rule}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def cannot_serve(name: str, prompt: Prompt) -> str | None:
    """Why a method cannot serve a prompt; None if it can, as far as is known before drawing."""
    if len(prompt.concepts) < 2:
        return "a single concept has no rival"
    chosen = find_method(name)
    if isinstance(chosen, ChosenRecipe):
        try:
            chosen.recipe.plan(prompt)
        except InputError as error:
            return str(error)
    return None
