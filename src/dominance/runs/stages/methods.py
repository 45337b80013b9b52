"""A method, ready to steer the drawing of a run."""

import contextlib
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dominance.errors import InputError
from dominance.guidance.plan import Conditions, Plan
from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.models.drawing import Drawing
from dominance.records import Prompt
from dominance.runs.stages.named import Named, Names

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.runs.stages.steering import Encoded


Ready = Callable[[str], Method | None]
"""Makes the method of a name ready to steer the run's model."""


@dataclass(frozen=True)
class SteeredBy:
    """A bundled method: its recipe's plans, carried out.

    Attributes:
        layers: whose maps show where concepts lie, where the method looks at any.
        identity: changes whenever an image drawn by the method could.
    """

    chosen: ChosenRecipe
    layers: tuple[int, ...] = ()
    _encoded: "Encoded" = field(default_factory=dict, repr=False, compare=False)

    def __reduce__(self) -> tuple[object, ...]:
        """Is sent to workers without the texts that it has encoded."""
        return type(self), (self.chosen, self.layers)

    @property
    def identity(self) -> str:
        looked_at = f" at layers {','.join(map(str, self.layers))}" if self.layers else ""
        return f"{self.chosen.identity}{looked_at}"

    @contextlib.contextmanager
    def steer(self, pipeline: "DiffusionPipeline", prompts: Sequence[Prompt]) -> Generator[None]:
        """As ``guidance.registry.Method`` has it.

        Raises:
            InputError: a prompt whose concepts the method cannot use.
            ModelError: a pipeline that it cannot steer.
        """
        from dominance.runs.stages.steering import steered

        by_text = {prompt.text: prompt for prompt in prompts}

        def planned(texts: Sequence[str]) -> list[Plan]:
            return [self.chosen.recipe.plan(by_text[text]) for text in texts]

        texts = [prompt.text for prompt in prompts]
        with steered(pipeline, planned, self.layers, texts, encoded=self._encoded):
            yield


@contextlib.contextmanager
def mitigate(
    pipeline: "DiffusionPipeline",
    concepts: Names | Sequence[Names],
    method: str = "regions",
    *,
    layers: Sequence[int] | None = None,
    prompts: Sequence[str] | None = None,
    guided: bool | None = None,
) -> Generator[None]:
    """Steers the images that a pipeline of the caller's own draws in the block; nothing is left behind.

    Args:
        concepts: that every prompt names, as names or with their kinds; a list of lists has those of each prompt, in
            the prompts' order, of which one at least needs what the method acts on.
        method: a bundled one, with settings as in ``overlap:loss=com``; see ``dominance list methods``.
        layers: whose maps show where concepts lie; what ``localise`` found, which runs first where nothing was found.
        prompts: the texts, where the pipeline is given embeddings instead.
        guided: as for ``record_attention``.

    Raises:
        InputError: no such bundled method, concepts that it cannot use, or nothing that it would act on.
        ModelError: a pipeline that it cannot steer.

    >>> with dominance.mitigate(pipeline, concepts=["tower", "mug"], method="regions"):  # doctest: +SKIP
    ...     pipeline("a tower and a mug")
    """
    from dominance.models.own_pipeline import OwnPipeline
    from dominance.runs.stages.conditions import check_acts
    from dominance.runs.stages.localisation import layers_of
    from dominance.runs.stages.steering import steered

    found, named = find_method(method), Named(concepts, prompts)
    if found is None:
        yield
        return
    if not isinstance(found, ChosenRecipe):
        if prompts is None:
            raise InputError(f"the method {method[:60]!r} is of another package; give the texts as prompts=")
        with found.steer(pipeline, named.of(prompts)):
            yield
        return
    recipe = found.recipe
    named.check(method, recipe.needs)
    if layers is None and recipe.looks:
        source = OwnPipeline(pipeline, sampled=True)
        layers = layers_of(source, Drawing().settings(source), lambda: pipeline)

    def planned(texts: Sequence[str]) -> list[Plan]:
        plans = [recipe.plan(prompt) for prompt in named.of(texts)]
        check_acts(pipeline, plans)
        return plans

    with steered(pipeline, planned, layers or (), prompts, guided):
        yield


def method_of(name: str, layers: Callable[[], tuple[int, ...]]) -> Method | None:
    """The method of that name; None for ``none``.

    Args:
        layers: gives the layers that show where concepts lie; called only for a method that looks at them.

    Raises:
        InputError, ModelError: as ``find_method``.
    """
    found = find_method(name)
    if isinstance(found, ChosenRecipe):
        return SteeredBy(found, layers() if found.recipe.looks else ())
    return found


def left_plain(method: Method | ChosenRecipe | None, prompts: Sequence[Prompt], on: Conditions) -> dict[str, str]:
    """Why a method leaves prompts plain, by their ids; what a method of another package does is not known.

    Raises:
        InputError: a prompt that a method's recipe cannot use.
    """
    chosen = method.chosen if isinstance(method, SteeredBy) else method
    if not isinstance(chosen, ChosenRecipe):
        return {}
    whys = {prompt.id: chosen.why_plain(prompt, on) for prompt in prompts}
    return {id: why for id, why in whys.items() if why is not None}


def left_open(method: Method | None) -> bool:
    """Whether a method looks at layers that nobody has found yet."""
    return isinstance(method, SteeredBy) and method.chosen.recipe.looks and not method.layers


def tell_open(methods: Iterable[Method | None]) -> None:
    """Says on standard error of an estimate that the run would find layers first."""
    if any(map(left_open, methods)):
        sys.stderr.write(
            "note: the run would first find the layers that show where concepts lie; images that were drawn by them are"
            " counted as still to draw\n"
        )
