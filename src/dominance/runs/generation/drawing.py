"""Draws one image at a time, with the judge's look at 40% of the steps, and remembers all that it took."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from dominance.errors import InputError, ItemError, ModelError
from dominance.guidance.registry import Method
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.pictures import is_whole, write_png
from dominance.records import Answer, Prompt, ScoredImage, Suite
from dominance.runs.audit.result import scored_images
from dominance.runs.generation.result import Attempt
from dominance.runs.stages.counting import EVALUATIONS, SECONDS, counted
from dominance.runs.stages.early import EarlyCalibration, GivenUpError, Watch, calls_back, early_score
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.method_names import PLAIN
from dominance.runs.stages.model import RunModel, Steered
from dominance.runs.store.journal import Answered, Told
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import Plan, PlannedImage, plan_images
from dominance.wording import complaint


@dataclass(frozen=True)
class _Drawn:
    """What came of drawing an image: itself, or why there is none; None where it was given up."""

    image: Any
    evaluations: float | None
    seconds: float


class _LookError(Exception):
    """The look failed, by its judge or the disk: no fault of the image's, so the run ends as after a finished one."""


class Drawer:
    """Draws and judges the images of a run.

    Args:
        methods: by the names of ways; None for plain.
        plan: of the run, without images.
        early: None to give up none.
    """

    def __init__(
        self,
        model: RunModel,
        judge: OnDemand[Judge],
        methods: Mapping[str, Method | None],
        plan: Plan,
        ledger: Ledger,
        folder: Path,
        early: EarlyCalibration | None,
    ) -> None:
        self._model, self._judge, self._methods = model, judge, methods
        self._plan, self._ledger, self._folder = plan, ledger, folder
        self._early = early if early is not None and early.threshold is not None else None
        # On a CPU, other processes slow the clock on the wall.
        self._clock = time.process_time if model.source.device(model.machine).type == "cpu" else time.perf_counter

    def planned(self, prompt: Prompt, way: str, seed: int) -> PlannedImage:
        """The image of a way and a noise; its key is that of an audit by the same method."""
        alone = Suite(prompt.id, (replace(prompt, seeds=None),))
        (image,) = plan_images(
            alone, (seed,), self._model.source.identity, self._model.settings, self._methods.get(way)
        )
        return image if way == PLAIN else replace(image, name=f"{image.name}, {way}")

    def attempt(self, prompt: Prompt, way: str, seed: int) -> Attempt:
        """Draws an image as far as it is worth it, unless the folder holds it, and judges it."""
        image = self.planned(prompt, way, seed)
        early = self._early_image(image)
        score = self._known_score(prompt, early)
        if score is not None and self._below(score):  # whether or not a check has finished the image
            return self._given_up(image, early, way, seed, score, self._cost(early))
        if not self._has(image):
            self._forget(image, *([] if self._has(early) else [early]))
            drawn = self._draw(prompt, image, way, early if score is None else None)
            score = self._known_score(prompt, early)
            if drawn.image is None:
                return self._given_up(image, early, way, seed, score, (drawn.evaluations, drawn.seconds))
            if isinstance(drawn.image, ItemError):
                self._ledger.add_failure(image.item, "image", str(drawn.image))
                return Attempt(
                    item=image.item,
                    seed=seed,
                    way=way,
                    outcome="error",
                    evaluations=drawn.evaluations,
                    seconds=drawn.seconds,
                    problem=str(drawn.image),
                )
        found, (evaluations, seconds) = self._judged(prompt, image), self._cost(image)
        outcome = "error" if found.verdict is None else "usable" if found.verdict == "balanced" else "failed"
        return Attempt(
            item=image.item,
            seed=seed,
            way=way,
            outcome=outcome,
            file=image.file,
            early_file=early.file if self._has(early) else None,
            early_score=score,
            verdict=found.verdict,
            present=tuple(concept.name for concept in prompt.concepts if found.shows(concept.name)),
            evaluations=evaluations,
            seconds=seconds,
            looks=1 + self._has(early),
            problem=found.problem,
        )

    def finish(self, prompt: Prompt, way: str, seed: int) -> tuple[ScoredImage, float]:
        """The image drawn to its end, judged, and the network evaluations that drawing it takes.

        The judge looks at the picture predicted on the way all the same, and what it sees is remembered: if the image
        is tried later, the same comes of that as without this.
        """
        image = self.planned(prompt, way, seed)
        early = self._early_image(image)
        if not self._has(image):
            looked = self._known_score(prompt, early) is not None
            drawn = self._draw(prompt, image, way, None if looked else early, to_its_end=True)
            if isinstance(drawn.image, ItemError):
                return ScoredImage(prompt.id, image.name, None, problem=str(drawn.image)), drawn.evaluations or 0.0
        return self._judged(prompt, image), self._cost(image)[0] or 0.0

    def plan_of(self, prompt: Prompt, way: str, seed: int) -> Plan:
        """Of the image and its predicted picture alone."""
        image = self.planned(prompt, way, seed)
        return replace(self._plan, images=(image, self._early_image(image)))

    def done(self, prompt: Prompt, way: str, seed: int) -> bool:
        """Whether the image is there, drawn to its end, and judged."""
        image = self.planned(prompt, way, seed)
        return self._has(image) and not unanswered(self._alone(image), self._ledger, self._folder)

    def known(self, prompt: Prompt, way: str, seed: int) -> tuple[tuple[Told, ...], dict[str, bytes]]:
        """What the ledger has of an image and its predicted picture, and their files, for whoever goes on with it."""
        there = [each for each in self.plan_of(prompt, way, seed).images if self._has(each)]
        judge, asked = self._plan.judge_identity, self._plan.asked_about(prompt)
        told: list[Told] = [self._ledger.images()[each.item] for each in there]
        for each in there:
            given = self._ledger.answers(judge).get(each.item, {})
            answers = tuple(Answer(question, *given[question.text]) for question in asked if question.text in given)
            told.append(Answered(judge, ((each.item, answers),)))
        return tuple(told), {each.file: (self._folder / each.file).read_bytes() for each in there}

    def there(self, attempt: Attempt) -> bool:
        """Whether the files of an attempt are still whole."""
        files = [file for file in (attempt.file, attempt.early_file) if file is not None]
        return all(is_whole(self._folder / file) for file in files)

    # Drawing

    def _draw(
        self, prompt: Prompt, image: PlannedImage, way: str, early: PlannedImage | None, *, to_its_end: bool = False
    ) -> _Drawn:
        from dominance.probes.predicted import predictions

        model, settings = self._model(), self._model.settings.of(prompt)
        method = self._methods.get(way)
        draws = model if method is None else Steered(model, method, {prompt.text: prompt})
        began, made = self._clock(), None
        with predictions(model.pipeline) as seen, counted(model.pipeline) as count:
            watch = self._watch(prompt, early, seen, lambda: (count(), self._clock() - began), to_its_end=to_its_end)
            try:
                watched = {} if watch is None else {"watch": watch}
                (made,) = draws.generate([prompt.text], [image.seed or 0], settings, **watched)
            except GivenUpError as stopped:
                made = stopped.args[0] if stopped.args else None
            except _LookError as failed:
                raise cast(Exception, failed.__cause__) from None
            except (InputError, ModelError) as error:
                if method is None:
                    raise
                made = ItemError(str(error))
            except ItemError as error:
                made = ItemError(str(error))  # without a traceback, which would keep the latents
            except Exception as error:  # a model may raise anything
                made = ItemError(f"{type(error).__name__}: {complaint(error)}")
            samples = count()
        took = _Drawn(made, samples, round(self._clock() - began, 6))
        if made is not None and not isinstance(made, ItemError):
            write_png(self._folder / image.file, made)
            self._keep(image, prompt, took.evaluations, took.seconds, {} if method is None else {"method": way})
        return took

    def _watch(
        self,
        prompt: Prompt,
        early: PlannedImage | None,
        seen: Any,
        took: Callable[[], tuple[int | None, float]],
        *,
        to_its_end: bool,
    ) -> Watch | None:
        """What looks at the predicted picture; None where nothing is to be given up, or the pipeline calls nothing.

        Args:
            to_its_end: whether the image goes on whatever it sees.
        """
        calibration = self._early
        if early is None or calibration is None or not calls_back(self._model().pipeline):
            return None
        settings = self._model.settings

        def look(pictures: list[Any]) -> bool:
            (picture,) = pictures
            if isinstance(picture, ItemError):
                raise GivenUpError(picture)
            try:
                write_png(self._folder / early.file, picture)
                self._keep(early, prompt, *took(), {"at": calibration.at})
                self._judged(prompt, early)
            except Exception as error:
                raise _LookError from error
            score = self._known_score(prompt, early)
            return to_its_end or score is None or not self._below(score)

        return Watch(seen, calibration.at, (settings.height, settings.width), look)

    def _keep(
        self, image: PlannedImage, prompt: Prompt, samples: float | None, seconds: float, more: dict[str, object]
    ) -> None:
        took: dict[str, object] = {SECONDS: round(seconds, 6)}
        if samples is not None:
            took[EVALUATIONS] = samples
        settings = {**self._model.settings.of(prompt).record(), **more, **took}
        self._ledger.add_image(ImageRow(image.item, image.text, image.seed, image.file, settings))

    def _forget(self, *images: PlannedImage) -> None:
        """What a broken-off run left of them."""
        self._ledger.forget_images(image.item for image in images)

    # Judging

    def _early_image(self, image: PlannedImage) -> PlannedImage:
        at = self._early.at if self._early is not None else 0.0
        item = hashlib.sha256(f"{image.item} at {at:g}".encode()).hexdigest()[:32]
        file = Path(image.file).with_name(f"{Path(image.file).stem}-early.png").as_posix()
        return replace(image, item=item, name=f"{image.name}, at {at:.0%}", file=file)

    def _judged(self, prompt: Prompt, image: PlannedImage) -> ScoredImage:
        """The image's score; the judge is asked unless it has answered."""
        one = self._alone(image)
        waiting = unanswered(one, self._ledger, self._folder)
        if waiting:
            ask_judge(waiting, one, self._judge(), self._ledger)
        return self._scored(prompt, image)

    def _scored(self, prompt: Prompt, image: PlannedImage) -> ScoredImage:
        (found,) = scored_images(self._alone(image), self._ledger)[prompt.id]
        return found

    def _alone(self, image: PlannedImage) -> Plan:
        return replace(self._plan, images=(image,))

    def _known_score(self, prompt: Prompt, early: PlannedImage) -> float | None:
        """What the judge made of the predicted picture; None where it gave no answer."""
        if self._early is None or not self._has(early):
            return None
        return early_score(prompt, self._scored(prompt, early).answers)

    def _below(self, score: float) -> bool:
        return self._early is not None and self._early.threshold is not None and score < self._early.threshold

    def _has(self, image: PlannedImage) -> bool:
        return image.item in self._ledger.images() and is_whole(self._folder / image.file)

    def _cost(self, image: PlannedImage) -> tuple[float | None, float | None]:
        settings = self._ledger.images()[image.item].settings
        values = [settings.get(name) for name in (EVALUATIONS, SECONDS)]
        evaluations, seconds = (float(value) if isinstance(value, int | float) else None for value in values)
        return evaluations, seconds

    def _given_up(
        self,
        image: PlannedImage,
        early: PlannedImage,
        way: str,
        seed: int,
        score: float | None,
        took: tuple[float | None, float | None],
    ) -> Attempt:
        file = early.file if self._has(early) else None
        return Attempt(
            image.item, seed, way, "given up", None, file, score, evaluations=took[0], seconds=took[1], looks=1
        )
