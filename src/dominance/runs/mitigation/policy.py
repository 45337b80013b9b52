"""Draw again only what fails: which images that takes, and which of a seed's images is handed over."""

from collections.abc import Mapping, Sequence

from dominance.records import ImageVerdict, ScoredImage
from dominance.runs.stages.method_names import PLAIN


def attempts(
    verdicts: Mapping[str, ImageVerdict | None], methods: Sequence[str], judged: Mapping[str, bool]
) -> list[str]:
    """The methods that a seed's image is drawn again by, as far as that is known yet.

    A plain image without a score is not drawn again: nothing says that it fails. One that a method could not draw, or
    that has no score, goes to the next method.

    Args:
        verdicts: by arm; None where unscored.
        judged: by arm, whether it has been tried, scored or not.

    >>> attempts({"plain": "collapsed", "a": "lost"}, ["a", "b"], {"plain": True, "a": True})
    ['a', 'b']
    >>> attempts({"plain": "collapsed"}, ["a", "b"], {"plain": True}), attempts({"plain": "balanced"}, ["a"], {})
    (['a'], [])
    """
    if verdicts.get(PLAIN) in (None, "balanced"):
        return []
    wanted = []
    for method in methods:
        wanted.append(method)
        if not judged.get(method) or verdicts.get(method) == "balanced":
            break
    return wanted


def delivered(shots: Mapping[str, ScoredImage]) -> str:
    """The arm whose image is handed over: the first that is balanced, else the one that shows most.

    Of those that show as many concepts, the one with the lowest DvD; of these, the first. An unscored plain image
    stays.

    Args:
        shots: the plain image, then those of the methods that tried, in turn.
    """
    if shots[PLAIN].verdict is None:
        return PLAIN
    for arm, shot in shots.items():
        if shot.verdict == "balanced":
            return arm
    known = [arm for arm, shot in shots.items() if shot.verdict is not None]
    return min(known, key=lambda arm: (-shown(shots[arm]), shots[arm].dvd or 0.0))


def shown(image: ScoredImage) -> int:
    """How many concepts of its prompt an image shows."""
    return sum(image.shows(concept) for concept in image.yes)
