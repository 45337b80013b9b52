"""Which cell of a sweep to use: the Pareto front, and a recommendation under stated floors."""

from collections.abc import Mapping

Point = tuple[float, float]
"""Identity and composition, each from 0 to 1; more of both is better."""
Floors = tuple[float | None, float | None]
"""The least composition and the least identity; None for none."""


def front(points: Mapping[str, Point]) -> set[str]:
    """The cells that no other cell beats: none has at least as much of both, and more of one.

    Source: Pareto (1906); METHODS, identity against composition.

    >>> sorted(front({"0": (0.1, 0.9), "0.5": (0.8, 0.8), "0.6": (0.7, 0.8), "1": (1.0, 0.2)}))
    ['0', '0.5', '1']
    """
    return {
        name
        for name, (identity, composition) in points.items()
        if not any(
            other[0] >= identity and other[1] >= composition and other != (identity, composition)
            for other in points.values()
        )
    }


def holds(point: Point, floors: Floors) -> bool:
    """Whether a cell reaches the floors.

    >>> holds((0.7, 0.9), (0.8, None)), holds((0.7, 0.9), (0.8, 0.75))
    (True, False)
    """
    identity, composition = point
    least, least_identity = floors
    return (least is None or composition >= least) and (least_identity is None or identity >= least_identity)


def recommended(points: Mapping[str, Point], floors: Floors) -> str | None:
    """The cell to use; None where none reaches the floors, and where none shows anything of both.

    Of the cells that do: with a floor on composition alone, the one with the most identity; with one on identity alone,
    the one with the most composition; with both or neither, the one whose smaller of the two is largest. Ties go to
    the more of the other, then to the first.

    >>> cells = {"0": (0.1, 0.9), "0.5": (0.8, 0.8), "1": (1.0, 0.2)}
    >>> recommended(cells, (None, None)), recommended(cells, (0.1, None)), recommended(cells, (0.95, 0.9))
    ('0.5', '1', None)
    >>> recommended({"0.5": (1.0, 0.0), "1": (1.0, 0.0)}, (None, None)) is None
    True
    """
    kept = {name: point for name, point in points.items() if min(point) > 0 and holds(point, floors)}
    least, least_identity = floors

    def worth(name: str) -> tuple[float, float]:
        identity, composition = kept[name]
        if least is not None and least_identity is None:
            return identity, composition
        if least is None and least_identity is not None:
            return composition, identity
        return min(identity, composition), identity + composition

    return max(kept, key=worth, default=None)
