"""Dominance prompts of the bench with attention heads removed, for all claims about heads in one folder."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.size import SET_HEADS
from dominance.reproduce.suites import dominance_suite
from dominance.runs.ablation.options import AblationOptions, Sweep
from dominance.runs.ablation.result import AblationResult
from dominance.runs.ablation.run import ablate_suite
from dominance.runs.bench.result import DOMINANCE, Entry

if TYPE_CHECKING:
    from dominance.reproduce.experiments import Experiments

_SWEEPS: tuple[Sweep, ...] = ("heads", "multi", "controls")


def ablated_of(experiments: "Experiments") -> AblationResult:
    """Each head removed alone, the mitigating ones together, and pairs of the others."""
    return _ablated(experiments, _entries(experiments), AblationOptions(sweep=_SWEEPS))


def head_sets_of(experiments: "Experiments") -> AblationResult:
    """The same and every set of the strongest heads; what the folder holds is drawn once.

    Raises:
        ImpossibleError: there is only one dominance prompt.
    """
    entries = _entries(experiments)
    if len(entries) < 2:
        raise ImpossibleError("there is only one dominance prompt, so sets of heads cannot be chosen on others")
    return _ablated(experiments, entries, AblationOptions(sweep=(*_SWEEPS, "sets"), set_heads=SET_HEADS))


def _entries(experiments: "Experiments") -> tuple[Entry, ...]:
    _ = experiments.layers  # a model whose layers are not known is refused before anything is drawn
    return experiments.entries(DOMINANCE, experiments.size.ablated)


def _ablated(experiments: "Experiments", entries: Sequence[Entry], options: AblationOptions) -> AblationResult:
    drawing = experiments.drawing(experiments.fresh(experiments.size.ablated_seeds))
    given = experiments.options
    options = replace(options, drawing=drawing, asking=given.asking, machine=given.machine)
    folder = experiments.folder / "ablation"
    return ablate_suite(dominance_suite(entries), experiments.model, experiments.judge, folder, options)
