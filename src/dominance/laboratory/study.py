"""The study: trains the miniature model under each condition and counts what its entity–object prompts show."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from dominance.errors import InputError
from dominance.judges.protocol import Judge
from dominance.judges.registry import load_judge
from dominance.laboratory.entity_counts import EntityCounts, entity_counts, mean
from dominance.laboratory.outcomes import Outcomes, outcomes
from dominance.laboratory.result_lines import append_line, read_lines
from dominance.laboratory.singles import image_seeds, presence_alone
from dominance.miniature.captions import SINGLE_TEMPLATES
from dominance.miniature.concepts import ENTITIES
from dominance.miniature.world import World
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.records import RunResult, Suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.suites import load_suite
from dominance.training.conditions import Condition
from dominance.training.denoiser import channels_of
from dominance.training.miniature import MiniatureSettings, train_miniature


@dataclass(frozen=True)
class StudyTrial:
    """One model of the study: a condition, a world under it, and a training seed."""

    condition: Condition
    world_name: str
    world: World
    seed: int

    @property
    def name(self) -> str:
        return f"{self.condition.name}/{self.world_name}/seed-{self.seed}"


@dataclass(frozen=True)
class TrialResult:
    """What was measured of one model at one guidance scale.

    Attributes:
        images: a prompt of an entity and an object; the fewer, the harder the verdict dominance is to reach. Held-out
            pairs have as many (in the first results one), single prompts half as many.
    """

    condition: str
    world: str
    seed: int
    guidance: float
    pictures: int
    images: int
    base: str | None
    judge: str
    entities: tuple[EntityCounts, ...]
    held_out: Outcomes
    held_out_dvd: float
    singles: dict[str, tuple[int, int]]

    @property
    def key(self) -> tuple[str, str, int, float]:
        return (self.condition, self.world, self.seed, self.guidance)


_RESULTS = TypeAdapter(TrialResult)


def trials(conditions: Sequence[Condition], seeds: Iterable[int]) -> Iterator[StudyTrial]:
    """Every model of the study, the first seed of every condition before the second."""
    for seed in seeds:
        for condition in conditions:
            for name, world in condition.worlds():
                yield StudyTrial(condition, name, world, seed)


def read_results(file: Path) -> list[TrialResult]:
    """The results of a study's file, one a line; none when there is no file.

    Raises:
        InputError: a line is not a result.
    """
    return read_lines(file, _RESULTS, "a result of a study")


@dataclass(frozen=True)
class StudyOptions:
    """How a study is run.

    Attributes:
        base: model from which training goes on.
        judge: that looks at the images.
        folder: of checkpoints and image runs, removed model by model once it is measured.
        file: JSON lines of results; what it holds is not done again.
        images: a prompt, from as many seeds.
        guidances: only these guidance scales; None for all of each condition.
        keep: whether models and images stay.
    """

    base: str
    judge: str
    folder: Path
    file: Path
    images: int = 4
    device: str = "cpu"
    guidances: tuple[float, ...] | None = None
    keep: bool = False


def run_study(chosen: Sequence[StudyTrial], options: StudyOptions, tell: Callable[[str], None]) -> list[TrialResult]:
    """Trains and measures what the file does not hold yet, and returns all that it then holds.

    ``tell`` is given one line for every model that is finished. A kill loses no measured model: training
    resumes from its checkpoint, measuring from its run folder.

    Raises:
        InputError: a guidance scale that no chosen condition is measured at, or the file holds results of another
            base or another judge, which do not compare.
    """
    _check_guidances(chosen, options)
    judge = load_judge(options.judge, options.device)
    earlier = read_results(options.file)
    _check_comparable(earlier, judge.identity, options)
    done = {result.key for result in earlier}
    for number, trial in enumerate(chosen, start=1):
        wanted = [g for g in trial.condition.guidances if options.guidances is None or g in options.guidances]
        missing = [g for g in wanted if (*_key(trial), g) not in done]
        if not missing:
            continue
        began = time.monotonic()
        folder = options.folder / trial.name
        for result in _measured(trial, missing, folder, judge, options):
            append_line(options.file, result)
        if not options.keep:
            shutil.rmtree(folder)
        tell(f"{number} of {len(chosen)}: {trial.name}, {(time.monotonic() - began) / 60:.1f} minutes")
    return read_results(options.file)


def _check_guidances(chosen: Sequence[StudyTrial], options: StudyOptions) -> None:
    measured_at = sorted({guidance for trial in chosen for guidance in trial.condition.guidances})
    for guidance in options.guidances or ():
        if guidance not in measured_at:
            raise InputError(
                f"no chosen condition is measured at guidance scale {guidance:g}; give some of"
                f" {', '.join(f'{scale:g}' for scale in measured_at)}"
            )


def _check_comparable(earlier: list[TrialResult], judge: str, options: StudyOptions) -> None:
    base = find_model(options.base).identity
    for result in earlier:
        for what, was, now in (("base", result.base, base), ("judge", result.judge, judge)):
            if was is not None and was != now:  # a model that was trained from nothing has no base
                where = f"{result.condition}, {result.world}, seed {result.seed}"
                raise InputError(
                    f"{options.file} contains {where} with the {what} {was}, not {now}; give another --results"
                )


def _key(trial: StudyTrial) -> tuple[str, str, int]:
    return (trial.condition.name, trial.world_name, trial.seed)


def trial_settings(trial: StudyTrial, base: str) -> MiniatureSettings:
    """How a trial's model is trained."""
    source = find_model(base)
    settings = MiniatureSettings(
        seed=trial.seed,
        pictures=trial.condition.pictures,
        world=trial.world,
        learning_rate=trial.condition.learning_rate,
        rate_left=trial.condition.rate_left,
    )
    if trial.condition.from_nothing:
        return replace(settings, autoencoder=source.identity)
    return replace(settings, base=source.identity, channels=channels_of(source.path))


def _measured(
    trial: StudyTrial, guidances: list[float], folder: Path, judge: Judge, options: StudyOptions
) -> Iterator[TrialResult]:
    settings = trial_settings(trial, options.base)
    source = find_model(options.base).path
    start = None if trial.condition.from_nothing else source
    model = train_miniature(settings, folder, options.device, sheet_columns=0, base=start, autoencoder=source)
    for guidance in guidances:
        yield measured(trial, guidance, str(model), folder / f"runs-{guidance:g}", judge, settings, options)


def measured(
    trial: StudyTrial,
    guidance: float,
    model: str,
    runs: Path,
    judge: Judge,
    settings: MiniatureSettings,
    options: StudyOptions,
) -> TrialResult:
    """Audits one trained model: entity–object prompts, held-out object pairs, single concepts."""

    def audited(suite: Suite, seeds: tuple[int, ...], name: str | None = None) -> RunResult:
        how = AuditOptions(drawing=Drawing(seeds=seeds, guidance=guidance), machine=Machine(options.device))
        return audit(suite, model, judge, runs / (name or suite.name), how)

    mixed = audited(load_suite("miniature-dominance"), image_seeds(options.images), "entity-object")
    held_out = audited(load_suite("miniature-balanced"), image_seeds(options.images), "held-out")
    alone = presence_alone(max(1, options.images // 2) * len(SINGLE_TEMPLATES), audited)
    return TrialResult(
        condition=trial.condition.name,
        world=trial.world_name,
        seed=trial.seed,
        guidance=guidance,
        pictures=settings.pictures,
        images=options.images,
        base=settings.base,
        judge=judge.identity,
        entities=tuple(entity_counts(mixed, name, trial.world.diversity[name]) for name in ENTITIES),
        held_out=outcomes(held_out.prompts),
        held_out_dvd=mean([i.dvd for p in held_out.prompts for i in p.images if i.dvd is not None]),
        singles={name: (share.count, share.n) for name, share in alone.items()},
    )
