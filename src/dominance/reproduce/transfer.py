"""A rule of the first step that was fitted on one model, applied to the prompts of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.files import is_file
from dominance.models.drawing import Drawing, Machine
from dominance.records import PromptResult, RunResult
from dominance.reproduce.impossible import asked_of_model
from dominance.reproduce.kept import kept_each
from dominance.reproduce.recorder import Recorder
from dominance.runs.bench.result import Entry
from dominance.runs.risk.calibrate import calibrate
from dominance.runs.risk.calibration import Calibration, read_calibration, risk_features
from dominance.runs.risk.options import CalibrationOptions

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


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


def fitted_rule(bench: Path, model: "str | DiffusionPipeline", machine: Machine, seeds: tuple[int, ...]) -> Calibration:
    """The calibrated rule of one layer of a bench; nothing of another model decides it. Fitted once, then read.

    Raises:
        ImpossibleError: the bench has too few prompts of one kind, or its attention cannot be recorded.
    """
    file = bench / "calibration-of-one-layer.json"
    if is_file(file):
        return read_calibration(file)
    usual = CalibrationOptions(drawing=Drawing(seeds=seeds), machine=machine)
    with asked_of_model():
        layers = calibrate(bench, model, bench / "calibration-of-all-layers.json", usual).layers
        best = max(layers, key=lambda layer: layer.auc).layer
        return calibrate(bench, model, file, replace(usual, layers=(best,))).calibration


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
