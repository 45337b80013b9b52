"""A rule of the first step that was fitted on one model, applied to the prompts of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.files import is_file
from dominance.models.drawing import Drawing, Machine
from dominance.models.source import find_source
from dominance.records import PromptResult, RunResult
from dominance.reproduce.impossible import asked_of_model
from dominance.reproduce.kept import kept_each
from dominance.reproduce.looks import kept_looks
from dominance.reproduce.recorder import Recorder
from dominance.runs.bench.result import Entry
from dominance.runs.risk.calibrate import calibrate
from dominance.runs.risk.calibration import Calibration, read_calibration, risk_features
from dominance.runs.risk.options import CalibrationOptions

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.reproduce.experiments import Experiments


@dataclass(frozen=True)
class Foretold:
    """One prompt: the probability of dominance by the rule, and whether it is dominated."""

    probability: float
    dominance: bool


@dataclass(frozen=True)
class Transfer:
    """What a rule says of prompts that it was not fitted on.

    Attributes:
        layer: the one whose focus score tells the bench's prompts apart best; the rule looks at nothing else.
        threshold: lowest probability of high risk.
        models: by model, the one of the rule first, and by prompt.
    """

    layer: int
    threshold: float
    models: dict[str, dict[str, Foretold]]


def transfer_of(experiments: "Experiments") -> Transfer:
    """The rule of the model's bench, and what it says of the independent prompts in every model.

    Raises:
        ImpossibleError: no other model is known, or the bench is too small to fit a rule on.
    """
    twin, other = experiments.rivals.needs_twin(), experiments.rivals.other  # before anything is drawn
    options, seeds, known = experiments.options, experiments.fresh(experiments.size.noises), experiments.both

    def reader(name: str) -> Recorder:
        return Recorder(find_source(name, options.drawing), options)

    runs = {
        experiments.source.name: (experiments.recorder, experiments.independent),
        twin: (reader(twin), experiments.twin_independent),
    }
    if other is not None:
        runs[other] = (reader(other), experiments.other_independent)
    folder, bench = experiments.folder / "transfer", Path(experiments.bench.run.run)
    rule = fitted_rule(bench, experiments.model, options.machine.by_itself(), seeds, folder / "bench")
    return transferred(rule, known, runs, seeds, folder)


def fitted_rule(
    bench: Path, model: "str | DiffusionPipeline", machine: Machine, seeds: tuple[int, ...], looks: Path
) -> Calibration:
    """The calibrated rule of one layer of a bench; nothing of another model decides it. Fitted once, then read.

    Args:
        looks: keeps each prompt's first steps, so that neither a kill nor the fit on one layer looks again.

    Raises:
        ImpossibleError: the bench has too few prompts of one kind, or its attention cannot be recorded.
    """
    file = bench / "calibration-of-one-layer.json"
    if is_file(file):
        return read_calibration(file)
    usual = CalibrationOptions(drawing=Drawing(seeds=seeds), machine=machine)
    with asked_of_model():
        looking = kept_looks(looks)
        layers = calibrate(bench, model, bench / "calibration-of-all-layers.json", usual, looking).layers
        best = max(layers, key=lambda layer: layer.auc).layer
        return calibrate(bench, model, file, replace(usual, layers=(best,)), looking).calibration


def transferred(
    rule: Calibration,
    entries: Sequence[Entry],
    runs: Mapping[str, tuple[Recorder, RunResult]],
    seeds: Sequence[int],
    folder: Path,
) -> Transfer:
    """Applies the rule of a model's bench to what each model has drawn of prompts that are not in that bench.

    Args:
        entries: of the bench.
        runs: by model.
        seeds: noises of the first steps.
        folder: keeps what is said of each prompt, a folder a model.

    Raises:
        ImpossibleError: another model has other layers, or its attention cannot be recorded.
    """
    known = {entry.result.prompt.text for entry in entries}
    found = {}
    for place, (name, (recorder, run)) in enumerate(runs.items()):
        judged = {each.prompt.id: each for each in run.prompts if each.verdict and each.prompt.text not in known}
        foretell = partial(_foretold, rule, recorder, seeds)
        found[name] = kept_each(folder / str(place), "first steps", Foretold, judged, foretell)
    return Transfer(rule.layers[0], rule.threshold, found)


def _foretold(rule: Calibration, recorder: Recorder, seeds: Sequence[int], result: PromptResult) -> Foretold:
    look = recorder.look(result.prompt, seeds, rule.layers)
    features = risk_features(look.attention, look.start, look.concepts).mean(0)
    return Foretold(float(rule.probability(features[None])[0]), result.verdict == "dominance")
