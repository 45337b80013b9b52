"""What a measurement of diversity found, and the documents that tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dominance.diversity.verdicts import SetVerdict
from dominance.records import Interval


@dataclass(frozen=True)
class NamedPair:
    """Two images of a concept, by their files, and their cosine distance."""

    first: str
    second: str
    distance: float


@dataclass(frozen=True)
class ConceptDiversity:
    """One concept's set.

    Attributes:
        images: that were measured; ``unreadable`` more could not be.
        median, interval, mean, quartiles: of the cosine distances of all pairs; None with fewer than two images.
        exact: whether the quantiles are selected from all distances, not read off bins of 1e-6.
        vendi: the Vendi score, the effective number of different images, from 1 to ``images``.
        near_pairs, near_images: pairs nearer than the threshold, and images in at least one of them.
        nearest: the nearest pairs; ``farthest``, the farthest.
        copies: groups of files with the very same content.
        typical: some files from the most typical on; ``unusual``, from the least typical on.
    """

    name: str
    category: str | None
    images: int
    unreadable: int
    pairs: int
    median: float | None
    interval: Interval | None
    mean: float | None
    quartiles: tuple[float, float] | None
    exact: bool
    vendi: float | None
    near_pairs: int
    near_images: int
    nearest: tuple[NamedPair, ...]
    farthest: NamedPair | None
    copies: tuple[tuple[str, ...], ...]
    typical: tuple[str, ...]
    unusual: tuple[str, ...]
    verdict: SetVerdict

    @property
    def category_name(self) -> str:
        return self.category or "no category"

    def document(self) -> dict[str, object]:
        """As JSON values."""
        pair = _pair_document
        return {
            "concept": self.name,
            "category": self.category,
            "images": self.images,
            "unreadable": self.unreadable,
            "pairs": self.pairs,
            "median": self.median,
            "median_interval": None if self.interval is None else list(self.interval),
            "mean": self.mean,
            "quartiles": None if self.quartiles is None else list(self.quartiles),
            "exact": self.exact,
            "vendi": self.vendi,
            "near_duplicates": {
                "pairs": self.near_pairs,
                "images": self.near_images,
                "copies": [list(group) for group in self.copies],
            },
            "nearest": [pair(one) for one in self.nearest],
            "farthest": None if self.farthest is None else pair(self.farthest),
            "typical": list(self.typical),
            "unusual": list(self.unusual),
            "verdict": self.verdict.word,
            "verdict_sentence": self.verdict.sentence,
            "verdict_limits": None if self.verdict.low is None else [self.verdict.low, self.verdict.high],
        }


def _pair_document(pair: NamedPair) -> dict[str, object]:
    return {"files": [pair.first, pair.second], "distance": pair.distance}


@dataclass(frozen=True)
class CategoryDiversity:
    """The concepts of one category: the median of their medians, with a bootstrap interval over concepts."""

    name: str
    concepts: int
    images: int
    median: float
    interval: Interval | None


@dataclass(frozen=True)
class DiversityResult:
    """A whole measurement.

    Attributes:
        root: what the files' paths are relative to.
        problems: files that could not be measured, and why.
        near: cosine similarity from which a pair counts as near duplicates.
        notes: what somebody who reads the numbers must know first.
        rests: what the verdicts rest on.
    """

    run: str
    source: str
    root: Path
    embedder: str
    embedder_identity: str
    embedder_description: str
    comparable: str
    near: float
    concepts: tuple[ConceptDiversity, ...]
    categories: tuple[CategoryDiversity, ...]
    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    rests: str
    manifest: dict[str, object]

    @property
    def images(self) -> int:
        return sum(concept.images for concept in self.concepts)

    @property
    def complete(self) -> bool:
        """Whether every file was measured and every concept has a distance."""
        return not self.problems and all(concept.median is not None for concept in self.concepts)

    def document(self) -> dict[str, object]:
        """As ``dominance diversity --json`` prints it."""
        return {
            "run": self.run,
            "source": self.source,
            "embedder": {
                "name": self.embedder,
                "identity": self.embedder_identity,
                "what": self.embedder_description,
                "comparable_with": self.comparable,
            },
            "near_duplicate_similarity": self.near,
            "images": self.images,
            "notes": list(self.notes),
            "verdicts_rest_on": self.rests,
            "concepts": [concept.document() for concept in self.concepts],
            "categories": [
                {
                    "category": one.name,
                    "concepts": one.concepts,
                    "images": one.images,
                    "median": one.median,
                    "median_interval": None if one.interval is None else list(one.interval),
                }
                for one in self.categories
            ],
            "problems": [{"file": file, "problem": problem} for file, problem in self.problems],
            "manifest": self.manifest,
        }


def uniform_first(concepts: Sequence[ConceptDiversity]) -> list[ConceptDiversity]:
    """The most uniform concept first, those without a distance last."""
    return sorted(concepts, key=lambda one: (one.median is None, one.median or 0.0, one.name))
