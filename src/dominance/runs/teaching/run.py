"""Teaches a model one concept, and looks at it while it learns."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from dominance.documents import to_json
from dominance.errors import RunError
from dominance.models.devices import find_device
from dominance.records import JudgeWarning
from dominance.runs.audit.estimate import copied_ledger
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.manifest import environment
from dominance.runs.store.measurements import TEACHING, claim
from dominance.runs.store.repeat import Repeat, flat
from dominance.runs.teaching.drawn import draw_prior
from dominance.runs.teaching.options import TeachingOptions
from dominance.runs.teaching.pictures import class_prompt
from dominance.runs.teaching.plan import TeachingPlan, decided
from dominance.runs.teaching.result import Checkpoint, Looked, TeachingResult, fall
from dominance.runs.teaching.watching import Watch, pairs
from dominance.training.dreambooth.pictures import TrainingPicture

if TYPE_CHECKING:
    from dominance.training.dreambooth.fine_tuning import FineTuning

TEACHING_RESULT = "teaching"
"""The ledger's name of the result."""


def train_dreambooth(
    images: Path | str,
    token: str,
    model: str = "miniature-base",
    out: Path | str | None = None,
    options: TeachingOptions | None = None,
) -> TeachingResult:
    """Teaches a model one concept from pictures, and audits it while it learns; resumes an earlier run in the folder.

    Args:
        images: a folder of pictures with their captions, or a list of them; see ``captioned_images``.
        token: the word that it is taught under.
        model: ``miniature-base``, a diffusers folder, a single file, or a hub id.
        out: the run folder; ``runs/TOKEN`` by default.

    Raises:
        InputError: pictures, model, suite, judge, folder or an option cannot be used; nothing is written.
        RunError: the loss is not a number, or the disk refuses; checkpoints are kept, and the folder reports them.
    """
    options = options or TeachingOptions()
    repeat = Repeat("train dreambooth", {"images": images, "token": token.strip(), "model": model, "out": out}, options)
    plan = decided(images, token, model, out, options)
    plan.said.tell()
    # A new folder is created only once judge and embedder are known to do, and the model has loaded.
    if not (plan.folder / LEDGER_NAME).exists():
        _check_watching(plan)
    with held(plan.folder), Ledger(plan.folder / LEDGER_NAME) as ledger:
        claim(ledger, plan.folder, TEACHING, plan.subject)
        return _Run(plan, plan.folder, ledger, repeat).teach()


def _check_watching(plan: TeachingPlan) -> None:
    """Loads judge and embedder, lets go of them, and loads the model; refuses what could not be looked at.

    Raises:
        InputError, ModelError: one of them cannot be had, the judge does not know what it would be asked about, or the
            model does not draw as it is asked to.
    """
    with copied_ledger(plan.folder) as ledger:
        watch = plan.watch(ledger)
    watch.check()
    _, drawing = watch.drawn_with(None)
    plan.base().check(drawing.settings(plan.base.source))


@dataclass(frozen=True, eq=False)
class _Run:
    """One fine-tuning in its folder."""

    plan: TeachingPlan
    folder: Path
    ledger: Ledger
    repeat: Repeat

    def teach(self) -> TeachingResult:
        """Draws the prior, looks at the base, trains, looks at every checkpoint, and keeps the result.

        Raises:
            InputError: the folder holds the checkpoints of other settings; it stays as it is.
            RunError: training stopped; what there is is kept as a result first.
        """
        from dominance.training.checkpoints import check_resumable
        from dominance.training.dreambooth.saving import checkpoints_in
        from dominance.training.dreambooth.teach import STATE, teach

        plan, seen = self.plan, dict[int, tuple[Path | None, Looked]]()
        tuning = plan.fine_tuning(self._prior())
        check_resumable(self.folder / STATE, tuning.record())
        self.repeat.keep(self.folder)
        watch = plan.watch(self.ledger)

        def look(step: int, path: Path | None) -> None:
            seen[step] = (path, watch.look(step, path))

        look(0, None)
        try:
            device = find_device(plan.options.device)
            taught = teach(
                plan.base().pipeline, tuning, self.folder, device,
                offload=plan.options.offload != "none", on_checkpoint=look,
            )  # fmt: skip
        except RunError as error:
            with _said_beside():
                for step, path in checkpoints_in(self.folder).items():
                    look(step, path)
            with _said_beside():
                self._keep(tuning, watch, seen, str(error))
            raise
        plan.base.set_aside()
        for step, path in taught.checkpoints.items():
            look(step, path)
        return self._keep(tuning, watch, seen, None)

    def _prior(self) -> tuple[TrainingPicture, ...]:
        plan = self.plan
        if plan.prior is not None:
            return plan.prior.pictures
        count, concept_class = plan.options.prior_images, plan.options.concept_class
        if not count or not concept_class:
            return ()
        return draw_prior(class_prompt(concept_class), count, plan.base, self.ledger, self.folder)

    def _keep(
        self,
        tuning: "FineTuning",
        watch: Watch,
        seen: dict[int, tuple[Path | None, Looked]],
        stopped: str | None,
    ) -> TeachingResult:
        """The result, also in the ledger."""
        plan, options, pictures = self.plan, self.plan.options, self.plan.pictures
        checkpoints = self._checkpoints(seen)
        floor = options.watching.min_presence
        composes, falls = fall(checkpoints, floor)
        taught = plan.token if watch.concept is None else watch.concept.name
        result = TeachingResult(
            run=str(self.folder),
            model=plan.model,
            token=plan.token,
            taught=taught,
            train=options.training.train,
            steps=plan.settings.steps,
            images=len(tuning.pictures),
            prior=len(tuning.prior),
            captions=pictures.captions[:8],
            notes=plan.said.notes,
            warnings=plan.said.warnings,
            settings=self._settings(),
            suite=None if plan.suite is None else plan.suite.name,
            judge=None if plan.suite is None else options.watching.judge,
            floor=floor,
            checkpoints=checkpoints,
            composes=composes,
            falls=falls,
            pairs=_sides(self.folder, checkpoints, composes, falls, taught),
            manifest=self._manifest(),
            judge_warnings=_warnings([looked for _, looked in seen.values()]),
            left_out=(*pictures.left_out, *(plan.prior.left_out if plan.prior else ())),
            stopped=stopped,
        )
        self.ledger.put(TEACHING_RESULT, to_json(result))
        return result

    def _checkpoints(self, seen: dict[int, tuple[Path | None, Looked]]) -> tuple[Checkpoint, ...]:
        from dominance.training.dreambooth.losses import Losses
        from dominance.training.dreambooth.teach import LOSSES

        losses, found, before = Losses(self.folder / LOSSES).values, [], 0
        for step, (path, looked) in sorted(seen.items()):
            part = losses[before:step]
            where = None if path is None else path.relative_to(self.folder).as_posix()
            found.append(Checkpoint(step, where, fmean(part) if part else None, looked.samples, looked.watched))
            before = step
        return tuple(found)

    def _settings(self) -> dict[str, object]:
        settings, options = self.plan.settings, self.plan.options
        given = {name: value for name, value in flat(options).items() if value not in (None, (), [], "")}
        decided = {"steps": settings.steps, "rate": settings.rate, "batch": settings.batch}
        every = options.distance(settings.steps)
        return {**given, **decided, "targets": list(settings.targets), "every": every}

    def _manifest(self) -> dict[str, object]:
        return {**self.plan.base.manifest(), "settings": self._settings(), **environment()}


@contextmanager
def _said_beside() -> Generator[None]:
    """Turns an error into a line, for a run that is ending with another: on a full disk, nothing else may work."""
    try:
        yield
    except Exception as error:  # images, ledger and pages each raise their own
        sys.stderr.write(f"note: not every checkpoint could be looked at and kept: {error}\n")


def _sides(
    folder: Path, checkpoints: Sequence[Checkpoint], composes: int | None, falls: int | None, taught: str
) -> tuple:
    """Pictures of the last step that composes and the first that does not; of the first and last where none falls."""
    audited = {checkpoint.step: checkpoint.watched for checkpoint in checkpoints if checkpoint.watched}
    if len(audited) < 2:
        return ()
    first, last = min(audited), max(audited)
    before = first if falls is None or composes is None else composes
    after = last if falls is None or composes is None else falls
    earlier, later = audited[before], audited[after]
    return pairs(folder, earlier.run, later.run, taught)


def _warnings(looked: Sequence[Looked]) -> tuple[JudgeWarning, ...]:
    return tuple(dict.fromkeys(warning for one in looked for warning in one.judge_warnings))
