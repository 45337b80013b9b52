"""The verdict of an image from counts of yes, and what becomes of it when doubtful answers are settled otherwise."""

from collections.abc import Collection, Mapping, Sequence
from typing import get_args

from dominance.metrics import dvd_score
from dominance.records import COLLAPSE, Answer, ImageVerdict, is_present


def image_verdict(yes: Collection[int], questions: int) -> ImageVerdict:
    """The first that applies: all present, balanced; DvD from 36, collapsed; none present, lost; else mixed.

    An image that shows every concept by majority is balanced even if 5 yes against 3 give DvD 40; see
    docs/decisions/004-verdicts.md.

    Args:
        yes: how many questions about each concept were answered yes, at least one concept.
        questions: asked about each concept.
    """
    return _verdict(min(yes), max(yes), questions, several=len(yes) > 1)


def _verdict(fewest: int, most: int, questions: int, *, several: bool) -> ImageVerdict:
    """The verdict hangs on two counts alone: DvD grows with C1 and falls with C2, so it is highest for these two."""
    if is_present(fewest, questions):
        return "balanced"
    if several and dvd_score(most, fewest, questions) >= COLLAPSE:
        return "collapsed"
    return "mixed" if is_present(most, questions) else "lost"


def doubtful_concepts(answers: Mapping[str, Sequence[Answer]]) -> tuple[str, ...]:
    """The concepts whose presence is another when their doubtful answers are all yes than when they are all no.

    Args:
        answers: to all questions about each concept.
    """
    return tuple(
        name
        for name, own in answers.items()
        if is_present(_surely_yes(own), len(own)) != is_present(_surely_yes(own) + _doubtful(own), len(own))
    )


def possible_verdicts(answers: Mapping[str, Sequence[Answer]], questions: int) -> tuple[ImageVerdict, ...]:
    """Every verdict that an image has with some way to settle its doubtful answers, each yes or no.

    All no and all yes would not do: of 5 questions, 0 and 5 yes beside 2 collapse, and 1 is lost. So this follows the
    fewest and the most yes, on which alone the verdict hangs, through the concepts and all their counts: at most
    (N + 1)(N + 2) / 2 pairs after each.

    Args:
        answers: to all questions about each concept, each answered.
        questions: N, asked about each concept.
    """
    reached = {(questions, 0)}
    for own in answers.values():
        sure = _surely_yes(own)
        counts = range(sure, sure + _doubtful(own) + 1)
        reached = {(min(fewest, count), max(most, count)) for fewest, most in reached for count in counts}
    found = {_verdict(*pair, questions, several=len(answers) > 1) for pair in reached}
    return tuple(name for name in get_args(ImageVerdict) if name in found)


def _surely_yes(answers: Sequence[Answer]) -> int:
    return sum(answer.yes is True and not answer.doubtful for answer in answers)


def _doubtful(answers: Sequence[Answer]) -> int:
    return sum(answer.doubtful for answer in answers)
