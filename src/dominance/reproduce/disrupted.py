"""Dominance prompts drawn with a disruption in a part of the steps, and which disruptions a model does not allow."""

from typing import TYPE_CHECKING

from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.methods import DISRUPTED_METHODS
from dominance.reproduce.suites import dominance_suite
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.mitigation.result import MitigationResult

if TYPE_CHECKING:
    from dominance.reproduce.experiments import Experiments


def undisrupted_of(experiments: "Experiments") -> dict[str, str]:
    """Why the model cannot be disrupted by a method, by the method: no guidance, or no layers that show places.

    Raises:
        ImpossibleError: it can by none, since its attention is of a kind that is not known.
    """
    _ = experiments.layers
    found = {}
    if (why := experiments.recorder.opened.conditions.unguided) is not None:
        found["unguided"] = why
    try:
        experiments.recorder.needs_places()
    except ImpossibleError as error:
        found["regions"] = str(error)
    return found


def disrupted_of(experiments: "Experiments") -> MitigationResult:
    """Dominance prompts plain, and disrupted in some of the steps in each way that is possible."""
    without = experiments.undisrupted  # before anything is drawn
    methods = tuple(name for name in DISRUPTED_METHODS if name.partition(":")[0] not in without)
    suite = dominance_suite(experiments.entries(DOMINANCE, experiments.size.disrupted))
    return experiments.mitigated(suite, methods, experiments.size.disrupted_seeds, "disrupted")
