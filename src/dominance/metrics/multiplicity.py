"""Which of many tests stand."""

from collections.abc import Mapping


def holm(chances: Mapping[str, float], level: float = 0.05) -> frozenset[str]:
    """The names whose p stands although so many are tested: the family is wrong anywhere with at most ``level``.

    Source: Holm (1979).

    >>> sorted(holm({"a": 0.001, "b": 0.02, "c": 0.04}))
    ['a', 'b', 'c']
    >>> sorted(holm({"a": 0.001, "b": 0.03, "c": 0.04}))
    ['a']
    """
    standing = []
    for place, name in enumerate(sorted(chances, key=lambda name: chances[name])):
        if chances[name] > level / (len(chances) - place):
            break
        standing.append(name)
    return frozenset(standing)
