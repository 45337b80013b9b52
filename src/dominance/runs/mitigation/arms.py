"""The arms of a comparison: plain drawing and each method, with the images of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from dominance.errors import InputError
from dominance.guidance.plan import Conditions
from dominance.guidance.registry import ChosenRecipe, Method, find_method
from dominance.models.settings import GenerationSettings
from dominance.numbers import plural
from dominance.records import Suite
from dominance.runs.stages.method_names import PLAIN
from dominance.runs.stages.methods import Ready, left_plain
from dominance.runs.store.plan import PlannedImage, plan_images
from dominance.wording import on_one_line


@dataclass(frozen=True)
class Arm:
    """One way to draw the suite.

    Attributes:
        name: of the method as it was given; ``plain`` without one.
        settings: of the method, by their names; empty for a method of another package.
        images: one a prompt and seed, in the same order in every arm; the plain ones of a prompt that the method
            leaves plain.
        left_plain: why the method leaves a prompt plain, by the prompt's id.
    """

    name: str
    method: Method | None
    settings: dict[str, object]
    images: tuple[PlannedImage, ...]
    left_plain: Mapping[str, str] = field(default_factory=dict)


def find_arms(
    names: Sequence[str],
    suite: Suite,
    seeds: Sequence[int],
    model_identity: str,
    settings: GenerationSettings,
    on: Conditions,
    ready: Ready,
) -> tuple[Arm, ...]:
    """The plain arm first, then one a method; methods that are the same to the last setting are one.

    Images have the keys that an audit of the same method gives them.

    Args:
        on: what the methods meet in the model's drawing.

    Raises:
        InputError: no such method or setting, prompts whose concepts a method cannot use, or methods that leave all of
            them plain.
        SuiteError: two prompts have the same text and different concepts.
    """
    arms: dict[str, Arm] = {}
    plain = plan_images(suite, seeds, model_identity, settings, None)
    for name in (PLAIN, *names):
        chosen = None if name == PLAIN else find_method(name)
        left = left_plain(chosen, suite.prompts, on)  # before a model is loaded to find where its concepts lie
        method = None if name == PLAIN else ready(name)
        planned = plan_images(suite, seeds, model_identity, settings, method)
        if method is not None:
            planned = tuple(
                own if image.prompt_id in left else replace(image, name=f"{image.name}, {name}")
                for own, image in zip(plain, planned, strict=True)
            )
        key = PLAIN if method is None else method.identity
        arms.setdefault(key, Arm(name, method, _settings(chosen), planned, left))
    _check_something_acts([arm for arm in arms.values() if arm.name != PLAIN], suite)
    return tuple(arms.values())


def _check_something_acts(arms: Sequence[Arm], suite: Suite) -> None:
    """Raises an InputError where no method does anything to any prompt."""
    if not arms or any(len(arm.left_plain) < len(suite.prompts) for arm in arms):
        return
    told = "; ".join(f"{on_one_line(arm.name, 60)}: {next(iter(arm.left_plain.values()))}" for arm in arms)
    raise InputError(
        f"nothing would be repaired, since every prompt of the suite {suite.name!r} is left plain ({told}); give other"
        " methods or settings"
    )


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


def baseline_in(arms: Sequence[Arm], against: str) -> str | None:
    """The name of the arm that methods are also compared with; None where that is plain drawing alone.

    Raises:
        InputError: the others are the same method to the last setting.
    """
    if against in (PLAIN, "none"):
        return None
    wanted = find_method(against)
    known = {arm.name: find_method(arm.name) for arm in arms if arm.method is not None}
    name = next((n for n, own in known.items() if wanted and own and own.identity == wanted.identity), against)
    if not known.keys() - {name}:
        raise InputError(
            f"every method is the same as {on_one_line(against, 60)} to the last setting, so that nothing can be"
            " compared with it; give another one as well"
        )
    return name


def images_of(arms: Sequence[Arm]) -> tuple[PlannedImage, ...]:
    """The images of all arms, each once: those that a method leaves plain are the plain arm's."""
    return tuple(dict.fromkeys(image for arm in arms for image in arm.images))
