"""The true answers to graded questions about a rendered picture."""

from dominance.miniature.renderer import Truth

GRADES: int = 5
"""How many questions there are about each concept, from lenient to strict."""

_SMALLEST_SHAPE = 11
_SMALLEST_CLEAR = 15


def _longer_side(truth: Truth) -> int:
    if truth.box is None:
        return 0
    left, top, right, bottom = truth.box
    return max(right - left, bottom - top)


def true_answers(concept: str, truths: tuple[Truth, ...]) -> tuple[bool, ...]:
    """What a perfect judge answers to the five graded questions about one concept.

    With v the visible share of the concept's own drawing, and s the longer side of the box of what is at least a
    quarter opaque (without such a box there is nothing to see), it is

    1. visible in part: v ≥ 0.15;
    2. recognisable by its shape: v ≥ 0.35 and s ≥ 11 pixels;
    3. clearly depicted: v ≥ 0.55 and s ≥ 15 pixels;
    4. shown whole: v ≥ 0.85, and clearly depicted;
    5. a main subject: clearly depicted, and s is at least 0.6 of the longest side of any concept.

    A concept that is not in the picture, or was garbled, gets five times no.
    """
    truth = next((candidate for candidate in truths if candidate.concept == concept), None)
    if truth is None or truth.box is None or truth.intact < 0.5:
        return (False,) * GRADES
    side = _longer_side(truth)
    longest = max(_longer_side(candidate) for candidate in truths if candidate.intact >= 0.5)
    visible = truth.visible >= 0.15
    shape = truth.visible >= 0.35 and side >= _SMALLEST_SHAPE
    clear = truth.visible >= 0.55 and side >= _SMALLEST_CLEAR
    whole = clear and truth.visible >= 0.85
    main = clear and side >= 0.6 * longest
    return (visible, shape, clear, whole, main)
