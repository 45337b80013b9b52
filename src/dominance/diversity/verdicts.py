"""Whether a set of images is so uniform that its concept will dominate, and what that rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from dominance.records import Interval

PAPER_MEDIANS: dict[str, float] = {"landmark": 0.3079, "character": 0.4417, "artist": 0.4660, "object": 0.4672}
"""Median pairwise cosine distance of CLIP ViT-L/14 embeddings, by kind. Source: Jeong & Lee (2025), section 5."""

UNIFORM_BELOW = (PAPER_MEDIANS["landmark"] + PAPER_MEDIANS["character"]) / 2
"""Midway between the most uniform kind of the paper and the next one; our choice."""
VARIED_FROM = (PAPER_MEDIANS["character"] + PAPER_MEDIANS["object"]) / 2
"""Midway between characters, which still dominate, and objects, which are dominated; our choice."""

FEWEST_IMAGES = 5
FEWEST_OTHERS = 2

Word = Literal["uniform", "between", "varied"]


@dataclass(frozen=True)
class MeasuredConcept:
    """What a verdict looks at: how many images were measured, their median distance and its interval."""

    images: int
    median: float | None
    interval: Interval | None


@dataclass(frozen=True)
class SetVerdict:
    """A plain verdict on one concept's set.

    Attributes:
        word: None where nothing can be said.
        sentence: what it means for someone about to fine-tune, or why nothing can be said.
        low, high: below ``low`` a set is uniform, from ``high`` on it is varied; None without a scale.
    """

    word: Word | None
    sentence: str
    low: float | None = None
    high: float | None = None


def judge_sets(
    concepts: Sequence[MeasuredConcept], *, paper: bool, refused: str | None = None
) -> tuple[SetVerdict, ...]:
    """A verdict for every concept.

    With embeddings of CLIP ViT-L/14 the scale is the paper's: uniform below 0.3748, varied from 0.45445. With any other
    embedder it is the median of the other concepts' medians: the one limit is 80% of it, as the paper's lower limit is
    of its objects' median. A set is uniform or varied only where its whole interval is.

    Args:
        paper: whether the distances compare with the paper's.
        refused: why this embedder's distances say nothing about these images; then there is no verdict.
    """
    return tuple(_judge(place, concepts, paper, refused) for place in range(len(concepts)))


def _judge(place: int, concepts: Sequence[MeasuredConcept], paper: bool, refused: str | None) -> SetVerdict:
    own = concepts[place]
    if own.median is None:
        return SetVerdict(None, "No verdict: fewer than two images could be measured.")
    if refused is not None:
        return SetVerdict(None, f"No verdict: {refused}.")
    if own.images < FEWEST_IMAGES or own.interval is None:
        return SetVerdict(None, f"No verdict: {own.images} images are too few; give {FEWEST_IMAGES} or more.")
    if paper:
        return _word(own.interval, UNIFORM_BELOW, VARIED_FROM, _PAPER_SENTENCES)
    others = [other.median for index, other in enumerate(concepts) if index != place and other.median is not None]
    if len(others) < FEWEST_OTHERS:
        return SetVerdict(
            None,
            "No verdict: this embedder's distances have no scale of their own; give two other concepts or more to"
            " compare with.",
        )
    usual = median(others)
    limit = usual * UNIFORM_BELOW / PAPER_MEDIANS["object"]
    return _word(own.interval, limit, limit, _RELATIVE_SENTENCES)


_PAPER_SENTENCES: dict[Word, str] = {
    "uniform": "Uniform, as the paper's landmarks are, which take over most: expect this concept to dominate.",
    "between": "Between the paper's landmarks and its objects: this concept may dominate; add varied images.",
    "varied": "As varied as the paper's everyday objects: no sign that this concept will dominate.",
}
_RELATIVE_SENTENCES: dict[Word, str] = {
    "uniform": "More uniform than most other concepts here: expect this concept to dominate them.",
    "between": "Perhaps more uniform than most other concepts here, and perhaps not: it may dominate; add images.",
    "varied": "About as varied as most other concepts here, or more: no sign that it will dominate them.",
}


def _word(interval: Interval, low: float, high: float, sentences: dict[Word, str]) -> SetVerdict:
    word: Word = "uniform" if interval[1] < low else "varied" if interval[0] >= high else "between"
    return SetVerdict(word, sentences[word], low, high)


def rests_on(*, paper: bool, refused: str | None) -> str:
    """What the verdicts rest on, in plain sentences."""
    if refused is not None:
        return "Nothing is said about dominance here, because these distances do not measure these images."
    if paper:
        kinds = ", ".join(f"{kind}s {value:.4f}" for kind, value in PAPER_MEDIANS.items())
        return (
            f"The verdicts compare with the medians of one paper for CLIP ViT-L/14 ({kinds}; Jeong & Lee 2025). The"
            f" limits {UNIFORM_BELOW:.3f} and {VARIED_FROM:.3f} lie midway between them and are our choice; nobody has"
            " tested them as a forecast."
        )
    return (
        "The verdicts compare each concept with the median of the other concepts in this set, because distances of"
        " different embedders do not compare: they say which concept is uniform among these, not whether all of them"
        " are."
    )
