"""Whether a set of images is so uniform that its concept will dominate, and what that rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from dominance.records import Interval

PAPER_EMBEDDER = "openai/clip-vit-large-patch14"
PAPER_MEDIANS: dict[str, float] = {"landmark": 0.3079, "character": 0.4417, "artist": 0.4660, "object": 0.4672}
"""Median pairwise cosine distance of CLIP ViT-L/14 embeddings, by kind. Source: Jeong & Lee (2025), section 5."""

MINIATURE_MEDIANS: dict[str, float] = {"rigid": 0.0040, "varied": 0.0782}
"""The same by the bundled embedder: the median of all concepts drawn with diversity 0, and with diversity 1."""

FORECAST = (
    "As a forecast it is rough: of the miniature's models those taught a single design dominated far more, but among"
    " sets of two designs or more this distance told little of who dominates (docs/diversity-experiment.md)."
)
"""What is known of the distance as a forecast; a test holds it against the experiment's results."""

FEWEST_IMAGES = 5
FEWEST_OTHERS = 2

Word = Literal["uniform", "between", "varied", "usual"]
"""``usual`` where a set can only be compared with the others: no more uniform than they, however uniform they are."""


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
        low, high: below ``low`` a set is uniform, from ``high`` on it is varied or usual; None without a scale.
    """

    word: Word | None
    sentence: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scale:
    """What an embedder's distances are compared with.

    Attributes:
        low, high: below ``low`` a set is uniform, from ``high`` on it is varied.
        sentences: by word, what it means for someone about to fine-tune.
        rests: what the verdicts rest on.
    """

    low: float
    high: float
    sentences: Mapping[Word, str]
    rests: str


def _paper_scale() -> Scale:
    kinds = ", ".join(f"{kind}s {value:.4f}" for kind, value in PAPER_MEDIANS.items())
    low = (PAPER_MEDIANS["landmark"] + PAPER_MEDIANS["character"]) / 2
    high = (PAPER_MEDIANS["character"] + PAPER_MEDIANS["object"]) / 2
    return Scale(
        low,
        high,
        {
            "uniform": "Uniform, as the paper's landmarks are, which take over most: expect this concept to dominate.",
            "between": "Between the paper's landmarks and its objects: this concept may dominate; add varied images.",
            "varied": "As varied as the paper's everyday objects: no sign that this concept will dominate.",
        },
        f"The verdicts compare with the medians of one paper for CLIP ViT-L/14 ({kinds}; Jeong & Lee 2025). The limits"
        f" {low:.3f} and {high:.3f} lie midway between landmarks and characters, and between characters and objects."
        f" They are our choice; nobody has tested them on such models. {FORECAST}",
    )


def _miniature_scale() -> Scale:
    rigid, varied = MINIATURE_MEDIANS["rigid"], MINIATURE_MEDIANS["varied"]
    low, high = varied / 4, varied * 0.6
    return Scale(
        low,
        high,
        {
            "uniform": "Uniform, as the miniature world's rigid concepts are: by the paper's finding, expect this"
            " concept to dominate.",
            "between": "Between the miniature world's rigid and its varied concepts: this concept may dominate; add"
            " varied images.",
            "varied": "As varied as the miniature world's everyday objects: no sign that this concept will dominate.",
        },
        f"The verdicts compare with the miniature world's own concepts, {rigid:.4f} where they are rigid and"
        f" {varied:.4f} where they are varied. The limits {low:.3f} and {high:.3f}, 25% and 60% of the"
        " latter, are our choice. That uniform concepts dominate is the paper's finding (Jeong & Lee 2025)."
        f" {FORECAST}",
    )


SCALES: dict[str, Scale] = {"paper": _paper_scale(), "miniature": _miniature_scale()}
"""By what an embedder's distances compare with; any other embedder compares only with itself."""

_RELATIVE_LIMIT = SCALES["paper"].low / PAPER_MEDIANS["object"]
"""A set is uniform below this share of the others' median: the paper's lower limit over its objects' median."""


def judge_sets(
    concepts: Sequence[MeasuredConcept], *, scale: Scale | None, refused: str | None = None
) -> tuple[SetVerdict, ...]:
    """A verdict for every concept.

    Without a scale, a concept is compared with the median of the other concepts' medians, and the one limit is 80% of
    it. A set is uniform or varied only where its whole interval is.

    Args:
        scale: what the distances compare with; None where they compare only with one another.
        refused: why this embedder's distances say nothing about these images; then there is no verdict.
    """
    return tuple(_judge(place, concepts, scale, refused) for place in range(len(concepts)))


def _judge(place: int, concepts: Sequence[MeasuredConcept], scale: Scale | None, refused: str | None) -> SetVerdict:
    own = concepts[place]
    if own.median is None:
        return SetVerdict(None, "No verdict: fewer than two images could be measured.")
    if refused is not None:
        return SetVerdict(None, f"No verdict: {refused}.")
    if own.images < FEWEST_IMAGES or own.interval is None:
        return SetVerdict(None, f"No verdict: {own.images} images are too few; give {FEWEST_IMAGES} or more.")
    if scale is not None:
        word: Word = (
            "uniform" if own.interval[1] < scale.low else "varied" if own.interval[0] >= scale.high else "between"
        )
        return SetVerdict(word, scale.sentences[word], scale.low, scale.high)
    others = [other.median for index, other in enumerate(concepts) if index != place and other.median is not None]
    if len(others) < FEWEST_OTHERS:
        return SetVerdict(
            None,
            "No verdict: this embedder's distances have no scale of their own; give two other concepts or more to"
            " compare with.",
        )
    limit = median(others) * _RELATIVE_LIMIT
    word = "uniform" if own.interval[1] < limit else "usual" if own.interval[0] >= limit else "between"
    return SetVerdict(word, _RELATIVE_SENTENCES[word], limit, limit)


_RELATIVE_SENTENCES: dict[Word, str] = {
    "uniform": "More uniform than most other concepts here: by the paper's finding, expect this concept to dominate"
    " them.",
    "between": "Perhaps more uniform than most other concepts here, and perhaps not: it may dominate; add images.",
    "usual": "About as varied as most other concepts here, or more: no sign that it will dominate them.",
}


def rests_on(scale: Scale | None, refused: str | None) -> str:
    """What the verdicts rest on, in plain sentences."""
    if refused is not None:
        return "Nothing is said about dominance here, because these distances do not measure these images."
    if scale is not None:
        return scale.rests
    return (
        "The verdicts compare each concept with the median of the other concepts in this set, because distances of"
        " different embedders do not compare: they say which concept is uniform among these, not whether all of them"
        f" are. {FORECAST}"
    )
