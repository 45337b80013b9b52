"""Judges and drawing methods that other packages provide, found by their entry points."""

from collections.abc import Callable, Collection
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from dominance.errors import InputError, ModelError
from dominance.wording import complaint


def plugin_names(group: str) -> list[str]:
    """The names of all entry points of a group, in alphabetical order."""
    return sorted(entry_points(group=group).names)


def find_plugin(group: str, name: str, own: Collection[str]) -> EntryPoint | None:
    """The only entry point of that name; None if there is none, or if the name is our own.

    Args:
        own: names that nobody else may take.

    Raises:
        ModelError: two packages provide the name, or one of them provides one of ours.
    """
    foreign = list(entry_points(group=group, name=name))
    if len(foreign) > (0 if name in own else 1):
        owners = [*(["dominance itself"] if name in own else []), *map(plugin_owner, foreign)]
        raise ModelError(
            f"the name {name[:40]!r} in {group} is provided by both {' and '.join(owners)}; uninstall"
            f" {plugin_owner(foreign[-1])}, or rename its entry point"
        )
    return foreign[0] if foreign else None


def plugin_owner(point: EntryPoint) -> str:
    """Name and version of the package that provides it."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def load_plugin(
    point: EntryPoint, what: str, make: Callable[[Any], Any], texts: Collection[str], acts: Collection[str]
) -> Any:
    """What the entry point's callable makes, checked to be usable.

    Args:
        what: is loaded, for messages.
        make: calls the callable.
        texts, acts: attributes that must be strings, and methods that it must have.

    Raises:
        InputError: raised by the callable itself.
        ModelError: it cannot be imported or loaded, or lacks an attribute.
    """
    try:
        load = point.load()
    except Exception as error:  # an import runs whatever the package does
        raise ModelError(f"{what} cannot be imported ({_named(error)}); install it again") from error
    try:
        made = make(load)
        there = {part: isinstance(getattr(made, part, None), str) for part in texts}
        there |= {part: callable(getattr(made, part, None)) for part in acts}
    except InputError:
        raise
    except Exception as error:  # and so does its loading
        raise ModelError(f"{what} cannot be loaded ({_named(error)}); report it to its authors") from error
    if lacking := [part for part, found in there.items() if not found]:
        raise ModelError(
            f"{what} is incomplete: a {type(made).__name__} without {', '.join(lacking)}; report it to its authors"
        )
    return made


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {complaint(error)}"
