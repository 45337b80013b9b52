"""What a fine-tuning would still take before it is made: steps, a prior to draw, sample sheets and audits."""

from dataclasses import dataclass, replace
from pathlib import Path

from dominance.records import LeftOut
from dominance.runs.audit.estimate import Estimate, copied_ledger
from dominance.runs.audit.run import estimate_audit
from dominance.runs.stages.drawing import missing_images
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.measurements import TEACHING, claim
from dominance.runs.teaching.drawn import planned_prior, planned_samples, prior_of
from dominance.runs.teaching.options import TeachingOptions
from dominance.runs.teaching.pictures import class_prompt
from dominance.runs.teaching.plan import TeachingPlan, decided
from dominance.runs.teaching.watching import AUDITS, Watch, audit_name


@dataclass(frozen=True, kw_only=True)
class CheckpointEstimate:
    """What looking at one checkpoint would still take.

    Attributes:
        step: 0 is the model as it is.
        there: whether it has been trained.
        samples: images of its sample sheet.
        audit: None without a suite. Of a checkpoint that is still to be trained, all of it is still to do.
    """

    step: int
    there: bool
    samples: int
    samples_to_draw: int
    audit: Estimate | None = None


@dataclass(frozen=True, kw_only=True)
class TeachingEstimate:
    """What a fine-tuning would still take, as things stand in its folder.

    Attributes:
        train: ``lora`` or ``unet``.
        steps: of the optimizer, in all.
        steps_done: that a killed run has behind it, and resumes after.
        pictures: that are learned from.
        prior: pictures of other things of the class.
        prior_to_draw: of those, the ones that the model still has to draw itself.
        images_to_draw: of prior, sample sheets and audits together.
        questions_to_ask: by all audits together, without those about control pictures.
        calls: to an endpoint; None for a judge that is not sent anything.
        notes: what would be done, a line each.
        warnings: what may spoil the fine-tuning, a line each.
        left_out: pictures that were given and would not be used.
    """

    run: str
    model: str
    token: str
    train: str
    steps: int
    steps_done: int
    pictures: int
    prior: int
    prior_to_draw: int
    suite: str | None
    judge: str | None
    checkpoints: tuple[CheckpointEstimate, ...]
    images_to_draw: int
    questions_to_ask: int
    calls: int | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def estimate_dreambooth(
    images: Path | str,
    token: str,
    model: str = "miniature-base",
    out: Path | str | None = None,
    options: TeachingOptions | None = None,
) -> TeachingEstimate:
    """What the same call of ``train_dreambooth`` would still do; loads no weights, draws and writes nothing.

    Raises:
        InputError: as ``train_dreambooth``, except for what shows only when the model is loaded or the judge is
            reached.
    """
    plan = decided(images, token, model, out, options or TeachingOptions())
    with copied_ledger(plan.folder) as ledger:
        claim(ledger, plan.folder, TEACHING, plan.subject)
        return _Estimating(plan, ledger).estimate()


@dataclass(frozen=True, eq=False)
class _Estimating:
    """One estimate; its ledger is a copy."""

    plan: TeachingPlan
    ledger: Ledger

    def estimate(self) -> TeachingEstimate:
        plan, prior = self.plan, self.plan.prior
        count, to_draw = self._prior()
        done = self._done(to_draw)
        checkpoints = self._checkpoints(done)
        audits = [audit for checkpoint in checkpoints if (audit := checkpoint.audit)]
        calls = [audit.calls for audit in audits if audit.calls is not None]
        drawn = sum(c.samples_to_draw for c in checkpoints) + sum(audit.images_to_draw for audit in audits)
        return TeachingEstimate(
            run=str(plan.folder),
            model=plan.model,
            token=plan.token,
            train=plan.options.training.train,
            steps=plan.settings.steps,
            steps_done=done,
            pictures=len(plan.pictures.pictures),
            prior=count,
            prior_to_draw=to_draw,
            suite=None if plan.suite is None else plan.suite.name,
            judge=audits[0].judge if audits else None,
            checkpoints=checkpoints,
            images_to_draw=to_draw + drawn,
            questions_to_ask=sum(audit.questions_to_ask for audit in audits),
            calls=sum(calls) if calls else None,
            notes=plan.said.notes,
            warnings=plan.said.warnings,
            left_out=(*plan.pictures.left_out, *(prior.left_out if prior else ())),
        )

    def _prior(self) -> tuple[int, int]:
        """The pictures of the prior, and how many of them are still to be drawn."""
        if self.plan.prior is not None:
            return len(self.plan.prior.pictures), 0
        planned = self._planned_prior()
        return len(planned), len(missing_images(planned, self.ledger, self.plan.folder))

    def _planned_prior(self) -> tuple:
        count, concept_class = self.plan.options.prior_images, self.plan.options.concept_class
        return planned_prior(class_prompt(concept_class), count, self.plan.base) if count and concept_class else ()

    def _done(self, prior_to_draw: int) -> int:
        """The steps that are behind a killed run.

        Raises:
            InputError: they were made with other settings, as far as that can be told before the prior is drawn.
        """
        from dominance.training.checkpoints import check_resumable, step_of
        from dominance.training.dreambooth.teach import STATE

        state = self.plan.folder / STATE
        if not prior_to_draw:
            drawn = self._planned_prior()
            caption = drawn[0].text if drawn else ""
            prior = self.plan.prior.pictures if self.plan.prior else prior_of(drawn, caption, self.plan.folder)
            check_resumable(state, self.plan.fine_tuning(prior).record())
        return step_of(state)

    def _checkpoints(self, done: int) -> tuple[CheckpointEstimate, ...]:
        """The base, what is trained, and what is still to be."""
        from dominance.training.dreambooth.saving import checkpoints_in

        plan, watch = self.plan, self.plan.watch(self.ledger)
        steps, every = plan.settings.steps, plan.options.distance(plan.settings.steps)
        there = {0: None, **{step: path for step, path in checkpoints_in(plan.folder).items() if step <= done}}
        usual = {*range(every, steps, every), steps}
        whole = self._audit_of(watch, None, plan.folder / AUDITS / "new")
        return tuple(
            self._checkpoint(watch, step, there[step], whole) if step in there else self._to_come(watch, step, whole)
            for step in sorted({*there, *(step for step in usual if step > done)})
        )

    def _checkpoint(self, watch: Watch, step: int, path: Path | None, whole: Estimate | None) -> CheckpointEstimate:
        """Of one that is there, and may have been looked at."""
        name, drawing = watch.drawn_with(path)
        source = RunModel(name, drawing, self.plan.options.machine)
        planned = planned_samples(watch.samples, self.plan.options.watching.all_seeds, source)
        if self.ledger.get(watch.key(step, source)) is not None:
            seen = None if whole is None else _as_of(whole, self._audits(step), everything=False)
            return CheckpointEstimate(step=step, there=True, samples=len(planned), samples_to_draw=0, audit=seen)
        missing = missing_images(planned, self.ledger, self.plan.folder)
        audit = self._audit_of(watch, path, self._audits(step))
        return CheckpointEstimate(
            step=step, there=True, samples=len(planned), samples_to_draw=len(missing), audit=audit
        )

    def _to_come(self, watch: Watch, step: int, whole: Estimate | None) -> CheckpointEstimate:
        samples = len(watch.samples) * len(self.plan.options.watching.all_seeds)
        audit = None if whole is None else _as_of(whole, self._audits(step), everything=True)
        return CheckpointEstimate(step=step, there=False, samples=samples, samples_to_draw=samples, audit=audit)

    def _audit_of(self, watch: Watch, path: Path | None, folder: Path) -> Estimate | None:
        if watch.suite is None or watch.concept is None:
            return None
        watching = self.plan.options.watching
        model, drawing = watch.drawn_with(path)
        options = watch.audit_options(drawing, watch.concept)
        return estimate_audit(watching.audit or watch.suite, model, watching.judge, folder, options)

    def _audits(self, step: int) -> Path:
        return self.plan.folder / audit_name(step)


def _as_of(whole: Estimate, folder: Path, *, everything: bool) -> Estimate:
    """The same audit in another folder, where everything is still to do, or nothing.

    Args:
        whole: of an audit of which everything is still to do.
    """
    if everything:
        return replace(whole, run=str(folder))
    return replace(
        whole,
        run=str(folder),
        images_there=whole.images,
        images_to_draw=0,
        questions_answered=whole.questions,
        questions_to_ask=0,
        denoising_steps=0,
        calls=None if whole.calls is None else 0,
        control_questions=0,
    )
