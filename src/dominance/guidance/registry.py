"""Methods that steer the drawing, by the names that users give to ``--method``.

A bundled method may be followed by its settings: ``overlap:loss=com:strength=0.5``. Another package provides methods
through entry points of the group ``dominance.methods``; in its pyproject.toml::

    [project.entry-points."dominance.methods"]
    tinymethod = "tinymethod.steering:make"

The entry point's name is the method's. It names a callable without arguments that returns a ``Method``; it is
imported only when its method is used. The names of bundled methods are reserved.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast, get_args, get_type_hints

from dominance.errors import InputError, ModelError
from dominance.guidance.neutral import check_apart
from dominance.guidance.plan import LATER, Conditions, Needs, Plan
from dominance.numbers import plural
from dominance.plugins import find_plugin, load_plugin, plugin_names, plugin_owner
from dominance.records import Prompt

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

GROUP: str = "dominance.methods"
_NONE: str = "none"


class Recipe(Protocol):
    """A bundled method: what it does to the images of a prompt, whatever the model.

    Attributes:
        looks: whether it needs layers that show where concepts lie.
        needs: the concepts without which it leaves a prompt's images alone.
    """

    looks: ClassVar[bool]
    needs: ClassVar[Needs]

    def plan(self, prompt: Prompt) -> Plan: ...


@dataclass(frozen=True)
class Bundled:
    """Where a bundled method is, and what it is.

    Attributes:
        settings: of the recipe, in place of its own defaults.
    """

    about: str
    module: str
    recipe: str
    settings: tuple[tuple[str, object], ...] = ()

    def kind(self) -> Any:
        """The recipe's class."""
        return getattr(import_module(f"dominance.guidance.{self.module}"), self.recipe)


BUNDLED: Mapping[str, Bundled] = {
    "regions": Bundled("each concept's region reads the prompt without its rivals", "regional", "Regional"),
    "regional-adapter": Bundled(
        "regions, with each adapter acting in its own concept's region alone", "regional_adapter", "RegionalAdapter"
    ),
    "overlap": Bundled("latents moved so that the concepts' maps lie apart", "overlap", "Overlap"),
    "regions+overlap": Bundled("both of them", "both", "RegionsAndOverlap"),
    "attend-and-excite": Bundled(
        "latents moved until each concept is attended to", "attend_and_excite", "AttendAndExcite"
    ),
    "initial-noise": Bundled("the noise to begin with, moved in the same way", "initial_noise", "InitialNoise"),
    "rebalance": Bundled("the same attention for every concept", "rebalance", "Rebalance"),
    "unguided": Bundled("no guidance in some of the steps: a test of when it decides", "unguided", "Unguided"),
    "schedule": Bundled("a category word in an entity's place for the first steps", "category", "Category"),
    "replace": Bundled(
        "a category word for the whole run: a test of the detector, which loses the entity", "category", "Category",
        (("until", 1.0),),
    ),
}  # fmt: skip

_RESERVED = (_NONE, *BUNDLED)


class Method(Protocol):
    """A way to steer the drawing.

    Attributes:
        identity: changes whenever an image drawn by the method could.
    """

    @property
    def identity(self) -> str: ...

    def steer(self, pipeline: "DiffusionPipeline", prompts: Sequence[Prompt]) -> AbstractContextManager[object]:
        """A block in which one call of the pipeline draws one image of each prompt; it undoes all its changes.

        Raises:
            InputError: a pipeline that it cannot steer, or prompts whose concepts it cannot use.
        """
        ...


@dataclass(frozen=True)
class ChosenRecipe:
    """A bundled method with its settings.

    Attributes:
        name: as the user gave it.
        identity: its name and all of its settings, but those that came later where they change nothing.
    """

    name: str
    recipe: Recipe

    @property
    def identity(self) -> str:
        own = ((item, getattr(self.recipe, item.name)) for item in fields(cast(Any, self.recipe)))
        values = ",".join(f"{i.name}={value}" for i, value in own if i.metadata != LATER or value != i.default)
        return f"{self.name.partition(':')[0]}({values})"

    def why_plain(self, prompt: Prompt, on: Conditions) -> str | None:
        """Why an image of this prompt is left plain under these conditions; None where the method acts.

        Raises:
            InputError: it cannot use the prompt.
        """
        if not self.recipe.needs.met_by(prompt.concepts):
            return f"the prompt does not name {self.recipe.needs}"
        plan = self.recipe.plan(prompt)
        if plan.acts(on):
            if plan.concepts:
                check_apart(prompt)
            return None
        zero = next((name for name in ("strength", "until") if getattr(self.recipe, name, None) == 0), None)
        if zero is not None:
            return f"the method's {zero} is 0"
        until = getattr(self.recipe, "until", None)
        if until is not None and round(until * on.steps) == 0:
            return f"the method's until, {until:g}, comes to no step of {on.steps}"
        return plan.why_idle(on) or f"in {plural(on.steps, 'step')} the method changes nothing of it"


def find_method(name: str) -> Method | ChosenRecipe | None:
    """The method of that name, loaded; None for ``none``.

    Raises:
        InputError: no such method, or a setting that it does not have.
        ModelError: a method of another package that cannot be used.
    """
    own, _, settings = name.partition(":")
    if own in BUNDLED:
        find_plugin(GROUP, own, _RESERVED)  # nobody else may take the name
        return ChosenRecipe(name, _made(own, settings))
    point = find_plugin(GROUP, name, _RESERVED)
    if point is not None:
        what = f"the method {name[:60]!r} from {plugin_owner(point)}"
        return load_plugin(point, what, lambda load: load(), texts=("identity",), acts=("steer",))
    if name != _NONE:
        raise InputError(f"no method {name[:60]!r}; give one of {', '.join(listed_methods())}")
    return None


def _made(name: str, settings: str) -> Recipe:
    """The recipe with these settings, ``KEY=VALUE`` by colons.

    Raises:
        InputError: a setting that it does not have, or a value of another type or out of its range.
    """
    bundled = BUNDLED[name]
    kind = bundled.kind()
    types = get_type_hints(kind)
    hints = {field.name: types[field.name] for field in fields(kind)}
    values = dict(bundled.settings)
    for part in filter(None, settings.split(":")):
        key, equals, text = (piece.strip() for piece in part.partition("="))
        if not equals or key not in hints:
            known = ", ".join(f"{each}=…" for each in hints) or "none"
            raise InputError(f"the method {name} has no setting {part[:60]!r}; its settings are {known}")
        values[key] = _value(name, key, text, hints[key])
    return kind(**values)


def _value(name: str, key: str, text: str, hint: Any) -> object:
    """A setting's value, by the type of its field.

    Raises:
        InputError: it is none.
    """
    choices = [choice for choice in get_args(hint) if isinstance(choice, str)]
    if choices:
        if text not in choices:
            raise InputError(f"the method {name} has no {key} {text[:60]!r}; give one of {', '.join(choices)}")
        return text
    if hint is bool:
        if text not in ("true", "false"):
            raise InputError(f"the method's {key} is {text[:60]!r}; give true or false")
        return text == "true"
    if hint is str:
        return text
    try:
        number = int(text) if hint is int else float(text)
    except ValueError:
        raise InputError(f"the method's {key} is {text[:60]!r}; give a number") from None
    if not math.isfinite(number):
        raise InputError(f"the method's {key} is {text[:60]!r}; give a number")
    return number


def listed_methods() -> dict[str, str]:
    """Every method and what it is; one from another package that cannot be used says why."""
    listed = {_NONE: "no steering: images as the model draws them"} | {n: each.about for n, each in BUNDLED.items()}
    for name in plugin_names(GROUP):
        try:
            point = find_plugin(GROUP, name, _RESERVED)
        except ModelError as error:
            listed.setdefault(name, str(error))
        else:
            listed |= {} if point is None else {name: f"a method from {plugin_owner(point)}"}
    return listed
