"""Which colours groups of prompts have: the same on every page about the same groups."""

from collections.abc import Iterable

STYLES = 5
"""Colours and dashes of groups; the sixth and later ones share the last. The style sheet names them s1 to s5."""


def group_styles(names: Iterable[str]) -> dict[str, str]:
    """The class of each group, by the order of their names, whatever the order on the page.

    >>> group_styles(["object-object", "entity-object"])
    {'entity-object': 's1', 'object-object': 's2'}
    """
    return {name: f"s{min(place, STYLES)}" for place, name in enumerate(sorted(set(names)), start=1)}
