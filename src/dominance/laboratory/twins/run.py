"""Trains the twins, measures them, and writes a line for each."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

from dominance.errors import InputError
from dominance.judges.registry import load_judge
from dominance.laboratory.rejudging import measured_again
from dominance.laboratory.result_lines import append_line
from dominance.laboratory.sharing import claim_folder, claimed, shared_by
from dominance.laboratory.twins.measuring import Gallery, judged_again, run_folders, seen_in
from dominance.laboratory.twins.results import TwinResult, read_results
from dominance.laboratory.twins.training import BASE, STEPS, Twin, train_twin
from dominance.models.drawing import Drawing
from dominance.models.folders import find_model

_LAST, _LOSS_DIGITS = 20, 4
"""Losses that are read again have fewer digits than those just computed."""


@dataclass(frozen=True)
class TwinsOptions:
    """How the twins are trained and measured.

    Attributes:
        base: model that the adapters are laid on.
        judge: that looks at the images.
        folder: of adapters and image runs; a twin that is trained there is not trained again.
        file: JSON lines of results; what it holds is not done again.
        images: a prompt of an entity and an object.
        steps: of training; fewer are for trying it out.
        sampling: denoising steps; None for the model's own.
        keep: whether images stay; adapters always do.
    """

    base: str
    judge: str
    folder: Path
    file: Path
    images: int = 4
    device: str = "cpu"
    steps: int = STEPS
    sampling: int | None = None
    keep: bool = False

    def runs_of(self, twin: Twin) -> Path:
        return self.folder / twin.name / "runs"


def run_twins(
    chosen: Sequence[Twin], options: TwinsOptions, tell: Callable[[str], None], processes: int = 1
) -> list[TwinResult]:
    """Trains and measures what the file does not hold yet, and returns all that it then holds.

    A kill loses nothing: training resumes from its checkpoint, measuring from its runs. Several processes share the
    twins: each takes the next one that none is at.

    Args:
        tell: is given one line for every twin that is finished.

    Raises:
        InputError: the file holds results by another judge or on another base, or the folder adapters of another base.
        RunError: a process failed, or the disk refuses.
    """
    claim_folder(options.folder, find_model(options.base).identity)
    shared_by(processes, partial(_train_and_measure, chosen, options), tell)
    return read_results(options.file)


def _train_and_measure(chosen: Sequence[Twin], options: TwinsOptions, tell: Callable[[str], None]) -> None:
    base, judge = find_model(options.base), load_judge(options.judge, options.device)
    sampling = Drawing(steps=options.sampling).settings(base)

    def done(twin: Twin) -> bool:
        results = read_results(options.file)
        for what, was, now in [
            *(("judge", result.judge, judge.identity) for result in results),
            *(("base", result.base, base.identity) for result in results),
        ]:
            if was != now:
                rejudge = "--rejudge if images were kept in --out, else " if what == "judge" else ""
                raise InputError(
                    f"{options.file} contains results with the {what} {was}, not {now}; give {rejudge}another --results"
                )
        return any(result.key == (twin.world, twin.seed, base.identity) for result in results)

    for number, twin in enumerate(chosen, start=1):
        if done(twin):
            continue
        with claimed(options.folder, twin.name) as mine:
            if not mine or done(twin):
                continue
            began = time.monotonic()
            folder = options.folder / twin.name
            taught = (
                None if twin.world == BASE else train_twin(twin, options.base, folder, options.device, options.steps)
            )
            adapter = None if taught is None else taught.last
            gallery = Gallery(options.base, adapter, options.runs_of(twin), options.device, options.sampling)
            seen = seen_in(twin, gallery.drawn(judge), options.images)
            result = TwinResult(
                world=twin.world,
                seed=twin.seed,
                base=base.identity,
                judge=judge.identity,
                images=options.images,
                steps=sampling.steps,
                guidance=sampling.guidance,
                loss=None if taught is None else round(fmean(taught.losses[-_LAST:]), _LOSS_DIGITS),
                **vars(seen),
            )
            append_line(options.file, result)
            if not options.keep:
                shutil.rmtree(options.runs_of(twin), ignore_errors=True)
            tell(f"{number} of {len(chosen)}: {twin.name}, {(time.monotonic() - began) / 60:.1f} minutes")


def rejudge_twins(options: TwinsOptions, tell: Callable[[str], None]) -> list[TwinResult]:
    """Measures all results of another judge again with this one, from the images that were kept.

    Raises:
        InputError: there are no results, they are of another base than the folder, or a twin's images were not kept.
    """
    results = read_results(options.file)
    for base in dict.fromkeys(result.base for result in results):
        claim_folder(options.folder, base)
    judge = load_judge(options.judge, options.device)

    def again(result: TwinResult) -> TwinResult:
        twin = Twin(result.world, result.seed)
        look = judged_again(options.runs_of(twin), judge)
        return replace(result, judge=judge.identity, **vars(seen_in(twin, look, result.images)))

    def runs_of(result: TwinResult) -> list[Path]:
        twin = Twin(result.world, result.seed)
        return run_folders(twin, options.runs_of(twin))

    return measured_again(options.file, results, lambda r: r.judge != judge.identity, runs_of, again, tell)
