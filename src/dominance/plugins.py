"""What other packages bring, by the entry points that they declare: judges, and methods that steer the drawing."""

from collections.abc import Callable, Collection
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from dominance.errors import InputError, ModelError
from dominance.wording import complaint


def plugin_names(group: str) -> list[str]:
    """The names of all entry points of a group, in alphabetical order."""
    return sorted(entry_points(group=group).names)


def find_plugin(group: str, name: str, own: Collection[str]) -> EntryPoint | None:
    """The one entry point of that name; None where there is none, and so for a name of our own.

    Args:
        own: names that nobody else may take.

    Raises:
        ModelError: two packages bring the name, or one of them brings what is ours.
    """
    foreign = list(entry_points(group=group, name=name))
    if len(foreign) > (0 if name in own else 1):
        owners = [*(["dominance itself"] if name in own else []), *map(plugin_owner, foreign)]
        raise ModelError(
            f"{group.rpartition('.')[2]} {name[:40]!r} are brought by {' and '.join(owners)}, so which one is meant is"
            f" not clear; uninstall {plugin_owner(foreign[-1])}, or rename its entry point"
        )
    return foreign[0] if foreign else None


def plugin_owner(point: EntryPoint) -> str:
    """Name and version of the package that brings it."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def load_plugin(
    point: EntryPoint, told: str, make: Callable[[Any], Any], texts: Collection[str], acts: Collection[str]
) -> Any:
    """What the entry point's callable makes, once it is sure that it can be used.

    Args:
        told: what is loaded, for messages.
        make: calls the callable.
        texts, acts: attributes that must be texts, and methods that it must have.

    Raises:
        InputError: what the callable refuses by itself.
        ModelError: it cannot be imported or loaded, or lacks an attribute.
    """
    try:
        load = point.load()
    except Exception as error:  # an import runs whatever the package does
        raise ModelError(f"{told} cannot be imported ({_named(error)}); install it again") from error
    try:
        made = make(load)
        there = {part: isinstance(getattr(made, part, None), str) for part in texts}
        there |= {part: callable(getattr(made, part, None)) for part in acts}
    except InputError:
        raise
    except Exception as error:  # so does its loading
        raise ModelError(f"{told} cannot be loaded ({_named(error)}); report it to its authors") from error
    if lacking := [part for part, found in there.items() if not found]:
        raise ModelError(
            f"{told} is incomplete: a {type(made).__name__} without {', '.join(lacking)}; report it to its authors"
        )
    return made


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {complaint(error)}"
