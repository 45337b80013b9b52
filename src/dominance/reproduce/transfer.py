"""A rule of the first step that was fitted on one model, applied to the prompts of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from dominance.models.drawing import Drawing, Machine
from dominance.records import RunResult
from dominance.reproduce.impossible import asked_of_model
from dominance.reproduce.recorder import Recorder
from dominance.runs.bench.result import Entry
from dominance.runs.risk.calibrate import calibrate
from dominance.runs.risk.calibration import Calibration, risk_features
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


def transferred(
    entries: Sequence[Entry],
    bench: Path | str,
    model: "str | DiffusionPipeline",
    runs: Mapping[str, tuple[Recorder, RunResult]],
    machine: Machine,
    seeds: Sequence[int],
) -> Transfer:
    """Fits the rule on a model's bench, and applies it to what each model has drawn of prompts that are not in it.

    Args:
        entries: of the bench, whose folder is ``bench``.
        runs: by model.
        seeds: noises of the first steps.

    Raises:
        ImpossibleError: the bench has too few prompts of one kind, another model has other layers, or its attention
            cannot be recorded.
    """
    rule = _fitted(Path(bench), model, machine, tuple(seeds))
    known = {entry.result.prompt.text for entry in entries}
    found = {}
    for name, (recorder, run) in runs.items():
        judged = [each for each in run.prompts if each.verdict is not None and each.prompt.text not in known]
        looks = recorder.looks([each.prompt for each in judged], seeds, rule.layers) if judged else []
        rows = [risk_features(look.attention, look.start, look.concepts).mean(0) for look in looks]
        chances = rule.probability(torch.stack(rows)).tolist() if rows else []
        pairs = zip(judged, chances, strict=True)
        found[name] = {each.prompt.id: Foretold(chance, each.verdict == "dominance") for each, chance in pairs}
    return Transfer(rule.layers[0], rule.threshold, found)


def _fitted(bench: Path, model: "str | DiffusionPipeline", machine: Machine, seeds: tuple[int, ...]) -> Calibration:
    """The calibrated rule of one layer; nothing of another model decides it."""
    usual = CalibrationOptions(drawing=Drawing(seeds=seeds), machine=machine)
    with asked_of_model():
        layers = calibrate(bench, model, bench / "calibration-of-all-layers.json", usual).layers
        best = max(layers, key=lambda layer: layer.auc).layer
        return calibrate(bench, model, bench / "calibration.json", replace(usual, layers=(best,))).calibration
