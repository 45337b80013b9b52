"""The arms of a comparison: plain drawing and each method, with the images of each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from dominance.errors import InputError
from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.models.settings import GenerationSettings
from dominance.numbers import plural
from dominance.records import Prompt, Suite
from dominance.runs.stages.method_names import PLAIN
from dominance.runs.stages.methods import Ready
from dominance.runs.store.plan import PlannedImage, plan_images


@dataclass(frozen=True)
class Arm:
    """One way to draw the suite.

    Attributes:
        name: of the method as it was given; ``plain`` without one.
        settings: of the method, by their names; empty for a method of another package.
        images: one a prompt and seed, in the same order in every arm.
    """

    name: str
    method: Method | None
    settings: dict[str, object]
    images: tuple[PlannedImage, ...]


def find_arms(
    names: Sequence[str],
    suite: Suite,
    seeds: Sequence[int],
    model_identity: str,
    settings: GenerationSettings,
    ready: Ready,
) -> tuple[Arm, ...]:
    """The plain arm first, then one a method; methods that are the same to the last setting are one.

    Images have the keys that an audit of the same method gives them.

    Raises:
        InputError: no such method or setting, or prompts whose concepts a method cannot use.
        SuiteError: two prompts have the same text and different concepts.
    """
    arms: dict[str, Arm] = {}
    for name in (PLAIN, *names):
        chosen = None if name == PLAIN else find_method(name)
        _check(chosen, suite.prompts)  # before a model is loaded to find where its concepts lie
        method = None if name == PLAIN else ready(name)
        planned = plan_images(suite, seeds, model_identity, settings, method)
        if method is not None:
            planned = tuple(replace(image, name=f"{image.name}, {name}") for image in planned)
        key = PLAIN if method is None else method.identity
        arms.setdefault(key, Arm(name, method, _settings(chosen), planned))
    return tuple(arms.values())


def _check(chosen: Method | ChosenRecipe | None, prompts: Sequence[Prompt]) -> None:
    """Raises an InputError for a prompt that a method's recipe cannot use."""
    if isinstance(chosen, ChosenRecipe):
        for prompt in prompts:
            chosen.recipe.plan(prompt)


def _settings(chosen: Method | ChosenRecipe | None) -> dict[str, object]:
    if not isinstance(chosen, ChosenRecipe):
        return {}
    return {item.name: getattr(chosen.recipe, item.name) for item in fields(chosen.recipe)}  # ty: ignore


def with_pairs(suite: Suite) -> tuple[Suite, str | None]:
    """The prompts that name two concepts or more, without a gate, and a note on the others.

    Raises:
        InputError: there is none.
    """
    kept = tuple(prompt for prompt in suite.prompts if len(prompt.concepts) > 1)
    if not kept:
        raise InputError(
            f"no prompt of the suite {suite.name!r} names two concepts, so none can take over from another; mark two or"
            " more in each prompt, as in “a [tower:landmark] and a [mug]”"
        )
    out = len(suite.prompts) - len(kept)
    said = f"{plural(out, 'prompt')} with a single concept left out: there is nothing to lose" if out else None
    return Suite(suite.name, kept, suite.description), said
