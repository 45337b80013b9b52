"""A method, ready to steer the drawing of a run."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.records import Prompt

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

Layers = Callable[["DiffusionPipeline"], Sequence[int]]
"""The layers of a pipeline whose maps show where concepts lie."""


@dataclass(frozen=True)
class SteeredBy:
    """A bundled method: its recipe's plans, carried out.

    Attributes:
        identity: changes whenever an image drawn by the method could.
    """

    chosen: ChosenRecipe
    layers: Layers

    @property
    def identity(self) -> str:
        return self.chosen.identity

    @contextlib.contextmanager
    def steer(self, pipeline: "DiffusionPipeline", prompts: Sequence[Prompt]) -> Generator[None]:
        """As ``guidance.registry.Method`` has it.

        Raises:
            InputError: a prompt whose concepts the method cannot use.
            ModelError: a pipeline that it cannot steer.
        """
        from dominance.runs.stages.steering import steered

        plans = [self.chosen.recipe.plan(prompt) for prompt in prompts]
        layers = self.layers(pipeline) if any(plan.looks for plan in plans) else ()
        with steered(pipeline, plans, layers, [prompt.text for prompt in prompts]):
            yield


def method_of(name: str, layers: Layers) -> Method | None:
    """The method of that name; None for ``none``.

    Raises:
        InputError, ModelError: as ``find_method``.
    """
    found = find_method(name)
    return SteeredBy(found, layers) if isinstance(found, ChosenRecipe) else found
