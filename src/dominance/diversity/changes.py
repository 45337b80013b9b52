"""The changes to a training set that would help most against dominance.

Each finding that speaks for dominance has a weight from 0 to 1, and the heaviest come first: the kind of change decides
(``_BANDS``), and within a kind by how much of its limit the set falls short. Limits and bands are our choices; that
uniform pictures make a concept dominate is the finding of Jeong & Lee (2025), section 5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dominance.diversity.captions import CaptionFindings
from dominance.diversity.layout import BackdropFindings, LayoutFindings, PoseFindings

FEWEST_PICTURES = 10
LEAST_PLACE = 0.06
"""Median distance of the subject's centre from its usual place, as a share of the side."""
LEAST_SIZES = 1.5
"""How many times as large the largest subject is as the smallest."""
LEAST_POSES = 0.15
"""Mean of 1 - intersection over union of two silhouettes without place and size; docs/decisions/022 says why."""
LEAST_BACKDROP = 0.04
"""Median distance of a backdrop's mean colour from the set's usual one, 0 to 1."""
_MOST_DUPLICATES = 0.2
_MOST_SILENT = 0.5
_SHOWN = 3

Kind = Literal["layout", "set", "backdrop"]
_BANDS: dict[Kind, tuple[float, float]] = {"layout": (0.7, 1.0), "set": (0.3, 0.7), "backdrop": (0.0, 0.3)}
"""Least and most weight of a change of each kind: of the subject's place and size, of poses, pictures and captions
otherwise, and of the backdrop behind it.

The order is what the diversity experiment found in the miniature world, of two concepts in one training seed each
(docs/findings.md, "What in the pictures must vary"; docs/diversity-experiment.md, last table): varied place and size
alone took off about half of the dominance, varied looks alone took some off one concept and none off the other, and a
varied backdrop alone did nothing. Poses belong to looks there. Captions that name no scenery changed little, of one
concept.
"""


@dataclass(frozen=True)
class Change:
    """One thing to change: what is wrong, what to do, and how much it weighs, 0 to 1, as ``_BANDS`` says."""

    finding: str
    advice: str
    weight: float


@dataclass(frozen=True)
class SetFindings:
    """What is known of one set; None is not known.

    Attributes:
        median, low: its median distance, and the limit below which a set is uniform.
        duplicates: images with a near duplicate.
    """

    images: int
    median: float | None = None
    low: float | None = None
    duplicates: int = 0
    captions: CaptionFindings | None = None
    layout: LayoutFindings | None = None
    poses: PoseFindings | None = None
    backdrop: BackdropFindings | None = None


def changes_for(found: SetFindings, most: int = _SHOWN) -> tuple[Change, ...]:
    """The heaviest changes first; none for a set that falls short nowhere."""
    listed = [*_of_pictures(found), *_of_places(found), *_of_captions(found)]
    return tuple(sorted(listed, key=lambda change: -change.weight)[:most])


def _short(value: float, limit: float) -> float:
    """By how much of the limit a value falls short of it, 0 to 1."""
    return min(1.0, max(0.0, (limit - value) / limit))


def _weight(kind: Kind, short: float) -> float:
    """What a change of this kind weighs where the set falls so far short, 0 to 1."""
    least, most = _BANDS[kind]
    return least + (most - least) * short


def _of_pictures(found: SetFindings) -> Iterator[Change]:
    if found.images < FEWEST_PICTURES:
        yield Change(
            f"{found.images} pictures are few",
            f"add pictures until there are {FEWEST_PICTURES} or more",
            _weight("set", _short(found.images, FEWEST_PICTURES)),
        )
    share = found.duplicates / found.images if found.images else 0.0
    if share > _MOST_DUPLICATES:
        yield Change(
            f"{found.duplicates} of {found.images} pictures nearly repeat another one",
            "keep one of each group of near duplicates, and replace the others by new pictures",
            _weight("set", share * 0.9),
        )
    if found.median is not None and found.low is not None and found.median < found.low:
        yield Change(
            "the pictures are nearly alike",
            "add pictures with the subject elsewhere, nearer and farther, and in other poses, lights and views",
            _weight("set", _short(found.median, found.low) * 0.95),
        )


def _of_places(found: SetFindings) -> Iterator[Change]:
    if found.layout is not None:
        place, (small, _, large) = found.layout.place, found.layout.size
        if place < LEAST_PLACE:
            yield Change(
                "the subject always stands in the same place",
                "move it about: left, right, high and low in the picture",
                _weight("layout", _short(place, LEAST_PLACE)),
            )
        if large / small < LEAST_SIZES:
            yield Change(
                "the subject always has the same size",
                "take it from near and from far",
                _weight("layout", _short(large / small - 1, LEAST_SIZES - 1)),
            )
    if found.poses is not None and found.poses.spread < LEAST_POSES:
        yield Change(
            "the subject always has the same pose",
            "take it in other poses, turned otherwise and from other sides",
            _weight("set", _short(found.poses.spread, LEAST_POSES)),
        )
    if found.backdrop is not None and found.backdrop.spread < LEAST_BACKDROP:
        yield Change(
            "the backdrop is always the same",
            "take the subject before other backdrops, at another place and in another size each time",
            _weight("backdrop", _short(found.backdrop.spread, LEAST_BACKDROP)),
        )


def _of_captions(found: SetFindings) -> Iterator[Change]:
    told = found.captions
    if told is None or not told.images:
        return
    if told.captioned < told.images:
        yield Change(
            f"{told.images - told.captioned} of {told.images} pictures have no caption",
            "write captions that name the token and what else is in the picture",
            _weight("set", 0.6 * (told.images - told.captioned) / told.images),
        )
    if told.captioned < 2:
        return
    if told.without_token:
        yield Change(
            f"{told.without_token} of {told.captioned} captions do not name {told.token}",
            "name the token in each of them",
            _weight("set", 0.8 * told.without_token / told.captioned),
        )
    if told.distinct == 1:
        yield Change(
            "all captions are the same",
            "say in each what differs in its picture: the backdrop, the light, what stands beside the subject",
            _weight("set", 0.75),
        )
    elif told.token and (told.everywhere or told.bound):
        words = " and ".join(f"“{word.word}”" for word in (*told.everywhere, *told.bound)[:3])
        yield Change(
            f"{words} nearly always {'stand' if ' and ' in words else 'stands'} beside {told.token}",
            "add pictures and captions without it, or leave the word out where it is part of the subject",
            _weight("set", 0.5),
        )
    silent = 1 - told.saying / told.captioned
    varied = found.backdrop is not None and found.backdrop.spread >= LEAST_BACKDROP
    if told.distinct > 1 and varied and silent > _MOST_SILENT:
        yield Change(
            f"the backdrop varies, but {told.captioned - told.saying} of {told.captioned} captions say nothing of it",
            "name the backdrop in the captions, so that it is not learned as part of the subject",
            _weight("set", 0.7 * silent),
        )


def changes_sentence(changes: Sequence[Change], judged: bool = True) -> str:
    """The changes as one paragraph.

    Args:
        judged: whether the pictures have a verdict; without one, nothing found is no good news.

    >>> changes_sentence([Change("the subject always has the same size", "take it from near and from far", 1.0)])
    'What would help most: (1) take it from near and from far (the subject always has the same size).'
    """
    if not changes:
        return "Nothing in the set speaks for dominance." if judged else "Nothing stands out in what could be measured."
    listed = " ".join(f"({n}) {change.advice} ({change.finding})" for n, change in enumerate(changes, start=1))
    return f"What would help most: {listed}."
