"""Runs the experiment: draws the sets, teaches, measures, and writes a line for every model."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from dominance.diversity.embedders import TransformersEmbedder, load_embedder
from dominance.errors import InputError, RunError
from dominance.judges.protocol import Judge
from dominance.judges.registry import load_judge
from dominance.laboratory.diversity.arms import Trial
from dominance.laboratory.diversity.breeds import SHAPES
from dominance.laboratory.diversity.likeness import likeness
from dominance.laboratory.diversity.measuring import (
    alone_images,
    audited,
    diversity,
    embedded,
    recalled_in,
    run_folder,
    seen_in,
)
from dominance.laboratory.diversity.pictures import PRIOR_PICTURES, prior_pictures, write_pictures
from dominance.laboratory.diversity.results import DiversityResult, read_results
from dominance.laboratory.diversity.shape_classifier import JudgeOfNewShapes
from dominance.laboratory.diversity.strips import keep_strip, strips_in
from dominance.laboratory.diversity.subjects import Subject, find_subject
from dominance.laboratory.result_lines import append_line
from dominance.laboratory.sharing import claim_folder, claimed, shared_by
from dominance.metrics.identity import copies
from dominance.models.devices import find_device
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.numbers import plural
from dominance.training.dreambooth.encoded import EncodedPictures, encode_pictures
from dominance.training.dreambooth.families.registry import family_of
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.pictures import TrainingPicture
from dominance.training.dreambooth.teach import FineTuned, teach

_LAST = 20


@dataclass(frozen=True)
class ExperimentOptions:
    """How the experiment is run.

    Attributes:
        base: model that is taught.
        judge: that looks at the images.
        folder: of picture sets, models and image runs; a model's are removed once it is measured.
        file: JSON lines of results; what it holds is not done again.
        images: a prompt of the 50, and of the object pairs.
        steps: of training, in place of each arm's; for trying it out.
        keep: whether models and images stay.
        prior: pictures of everything else.
    """

    base: str
    judge: str
    folder: Path
    file: Path
    images: int = 1
    device: str = "cpu"
    steps: int | None = None
    keep: bool = False
    prior: int = PRIOR_PICTURES


def run_experiment(
    chosen: Sequence[Trial], options: ExperimentOptions, tell: Callable[[str], None], processes: int = 1
) -> list[DiversityResult]:
    """Teaches and measures what the file does not hold yet, and returns all that it then holds.

    Several processes, of this call or of others with the same folder and file, share the trials: each takes the next
    one that none is at. A kill loses no measured model: training resumes from its checkpoint, measuring from its run.

    Args:
        tell: is given one line for every model that is finished.

    Raises:
        InputError: the file holds results by another judge, which do not compare, or the folder models of another base.
        RunError: a process failed, or models could not be taught or measured, in which case all others were.
    """
    claim_folder(options.folder, find_model(options.base).identity)
    shared_by(processes, partial(_teach_and_measure, chosen, options), tell)
    return read_results(options.file)


def _teach_and_measure(chosen: Sequence[Trial], options: ExperimentOptions, tell: Callable[[str], None]) -> None:
    _Workshop(options, tell).run(chosen)


class _Workshop:
    """One process: what it has loaded, and what it does with a trial."""

    def __init__(self, options: ExperimentOptions, tell: Callable[[str], None]) -> None:
        self.options, self.tell = options, tell
        self.device = find_device(options.device)
        self.source = find_model(options.base)
        self.judge: Judge = load_judge(options.judge, options.device)
        self._seeing = JudgeOfNewShapes(self.judge, options.folder / "classifiers")
        self.encoder: TransformersEmbedder = load_embedder("miniature", options.device)
        self._pipeline: Any = None
        self._priors: dict[str, tuple[tuple[TrainingPicture, ...], EncodedPictures]] = {}

    def run(self, chosen: Sequence[Trial]) -> None:
        """All that are not done; what cannot be is said, and the others go on.

        Raises:
            RunError: some could not be.
        """
        failed: list[str] = []
        for number, trial in enumerate(chosen, start=1):
            if self._done(trial):
                continue
            with claimed(self.options.folder, trial.name) as mine:
                if not mine or self._done(trial):
                    continue
                began = time.monotonic()
                try:
                    result = self._measured(trial)
                except RunError as error:  # such as a loss that is no number
                    failed.append(trial.name)
                    self.tell(f"{number} of {len(chosen)}: {trial.name} failed: {error}")
                    continue
                append_line(self.options.file, result)
                if not self.options.keep:
                    shutil.rmtree(self.options.folder / trial.name, ignore_errors=True)
                minutes = (time.monotonic() - began) / 60
                self.tell(f"{number} of {len(chosen)}: {trial.name}, DvD {result.dvd:.1f}, {minutes:.1f} minutes")
        if failed:
            raise RunError(f"{plural(len(failed), 'model')} failed, the first {failed[0]}; the others are measured")

    def _done(self, trial: Trial) -> bool:
        results = read_results(self.options.file)
        other = next((r for r in results if r.judge.partition("+")[0] != self.judge.identity), None)
        if other is not None:
            raise InputError(
                f"{self.options.file} contains results by the judge {other.judge}, not {self.judge.identity}; give"
                " --rejudge if its models were kept in --out, else another --results"
            )
        key = (trial.arm.name, trial.subject, trial.level, trial.seed, self.source.identity, self.options.images)
        return any(result.key == key for result in results)

    def _measured(self, trial: Trial) -> DiversityResult:
        subject, folder = find_subject(trial.subject), self.options.folder / trial.name
        began = time.monotonic()
        pictures: tuple[TrainingPicture, ...] = ()
        taught: FineTuned | None = None
        if trial.level:
            pictures = trial.shown.write(folder / "pictures")
            taught = self._taught(trial, subject, pictures, folder / "training")
        trained = time.monotonic()
        lora = taught is not None and trial.arm.train == "lora"
        model = self.options.base if taught is None or lora else str(taught.last)
        adapter = taught.last if taught is not None and lora else None
        judge = self._seeing if subject.drawn in SHAPES else self.judge
        images = self.options.images
        run = audited(
            subject, model, adapter, judge, run_folder(folder, images), trial.arm.guidance, images, self.options.device
        )
        seen = seen_in(run, subject)
        files, alone = [picture.file for picture in pictures], alone_images(run)
        references = embedded(files, self.encoder) if files else None
        copied = recall = None
        if references is not None:
            drawn = embedded(alone, self.encoder)
            copied, recall = copies(drawn, references), recalled_in(drawn, references, trial.shown, self.encoder)
        keep_strip(strips_in(self.options.folder, images) / f"{trial.name}.png", pictures, run, subject)
        return DiversityResult(
            arm=trial.arm.name,
            subject=trial.subject,
            level=trial.level,
            seed=trial.seed,
            base=self.source.identity,
            judge=judge.identity,
            images=self.options.images,
            subject_first=seen.subject_first,
            object_first=seen.object_first,
            scenery=seen.scenery,
            alone=seen.alone,
            pairs=seen.pairs,
            diversity=None if references is None else diversity(references),
            copies=None if copied is None else (int(copied.sum()), len(copied)),
            loss=None if taught is None else fmean(taught.losses[-_LAST:]),
            seconds=(trained - began, time.monotonic() - trained),
            drawn_like=likeness(alone, subject, trial.seed, self.encoder) if files else None,
            shown_like=likeness(files, subject, trial.seed, self.encoder) if files else None,
            recalled=recall,
        )

    def _taught(self, trial: Trial, subject: Subject, pictures: tuple[TrainingPicture, ...], folder: Path) -> FineTuned:
        prior, encoded = self._prior(subject)
        options = trial.arm.options(trial.seed, self.options.steps)
        settings = options.settings(self.source.world)
        tuning = FineTuning(subject.word, pictures, prior, settings, self.source.identity, settings.steps)
        pipeline = self._loaded()
        if options.train == "unet":
            self._pipeline = None  # what was trained itself stays so
        return teach(pipeline, tuning, folder, self.device, prior=encoded)

    def _prior(self, subject: Subject) -> tuple[tuple[TrainingPicture, ...], EncodedPictures]:
        """Drawn and encoded once a process for each subject that is left out of it."""
        name = f"without-{subject.drawn}" if subject.known else "whole"
        if name not in self._priors:
            drawn = prior_pictures(subject, self.options.prior)
            pictures = write_pictures(self.options.folder / "prior" / f"{name}-{self.options.prior}", drawn)
            family = family_of(self._loaded())
            self._priors[name] = (
                pictures, encode_pictures(family, pictures, family.side(), self.device, False, "prior pictures"),
            )  # fmt: skip
        return self._priors[name]

    def _loaded(self) -> Any:
        if self._pipeline is None:
            self._pipeline = self.source.load(Drawing().settings(self.source), Machine(self.options.device))
        return self._pipeline
