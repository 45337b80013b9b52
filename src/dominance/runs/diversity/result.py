"""The result of a diversity measurement, and its document."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, computed_field

from dominance.diversity.captions import CaptionFindings
from dominance.diversity.changes import Change
from dominance.diversity.layout import BackdropFindings, LayoutFindings, PoseFindings
from dominance.diversity.verdicts import Word
from dominance.records import Interval, LeftOut


@dataclass(frozen=True)
class NamedPair:
    """Two files of a concept, and their cosine distance."""

    files: tuple[str, str]
    distance: float


@dataclass(frozen=True)
class Mirrored:
    """Pairs of which one is the other flipped left to right, images in at least one, and the files of the first."""

    pairs: int = 0
    images: int = 0
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs nearer than the threshold, images in at least one such pair, groups of identical files, mirrored copies."""

    pairs: int
    images: int
    copies: tuple[tuple[str, ...], ...]
    mirrored: Mirrored = Mirrored()


@dataclass(frozen=True)
class ConceptDiversity:
    """One concept's set.

    Attributes:
        images: number of measured images; ``unreadable`` more could not be measured.
        median, interval, mean, quartiles: of the cosine distances of all pairs; None with fewer than two images.
        exact: whether the quantiles come from all distances, not from bins of 1e-6.
        vendi: the Vendi score, the effective number of different images, from 1 to ``images``.
        nearest: the nearest pairs; ``farthest``: the farthest pair.
        typical: the most typical files first; ``unusual``: the least typical first.
        verdict: None if there is none; ``verdict_sentence`` explains it, or why there is none.
        verdict_limits: a set is uniform below the first, varied or usual from the second on; None without a scale.
        captions, layout, poses, backdrop: what else the set shows; None where nothing is known of it.
        changes: what would help most against dominance, the weightiest first.
    """

    name: Annotated[str, Field(alias="concept")]
    category: str | None
    images: int
    unreadable: int
    pairs: int
    median: float | None
    interval: Annotated[Interval | None, Field(alias="median_interval")]
    mean: float | None
    quartiles: tuple[float, float] | None
    exact: bool
    vendi: float | None
    near_duplicates: NearDuplicates
    nearest: tuple[NamedPair, ...]
    farthest: NamedPair | None
    typical: tuple[str, ...]
    unusual: tuple[str, ...]
    verdict: Word | None
    verdict_sentence: str
    verdict_limits: tuple[float, float] | None
    captions: CaptionFindings | None = None
    layout: LayoutFindings | None = None
    poses: PoseFindings | None = None
    backdrop: BackdropFindings | None = None
    changes: tuple[Change, ...] = ()

    @property
    def category_name(self) -> str:
        return self.category or "no category"


@dataclass(frozen=True)
class CategoryDiversity:
    """One category: the median of its concepts' medians, with a bootstrap interval over concepts."""

    name: Annotated[str, Field(alias="category")]
    concepts: int
    images: int
    median: float
    interval: Annotated[Interval | None, Field(alias="median_interval")]


@dataclass(frozen=True)
class MeasuredBy:
    """An embedder: name, identity, description, and what its distances are comparable with."""

    name: str
    identity: str
    what: str
    comparable_with: str


@dataclass(frozen=True)
class Unmeasured:
    """A file that could not be measured, and why."""

    file: str
    problem: str


@dataclass(frozen=True)
class DiversityResult:
    """A whole measurement.

    Attributes:
        near: cosine similarity from which a pair counts as near duplicates.
        notes: caveats.
        rests: the basis of the verdicts.
        left_out: images of the source that are not used, and why.
    """

    run: str
    source: str
    embedder: MeasuredBy
    near: Annotated[float, Field(alias="near_duplicate_similarity")]
    notes: tuple[str, ...]
    rests: Annotated[str, Field(alias="verdicts_rest_on")]
    concepts: tuple[ConceptDiversity, ...]
    categories: tuple[CategoryDiversity, ...]
    problems: tuple[Unmeasured, ...]
    manifest: dict[str, object]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def root(self) -> Path:
        """The folder that the files' paths are relative to."""
        source = Path(self.source)
        return source if source.is_dir() else source.parent

    @computed_field
    @property
    def images(self) -> int:
        return sum(concept.images for concept in self.concepts)

    @property
    def complete(self) -> bool:
        """Whether every file was measured and every concept has a distance."""
        unused = any(entry.missing for entry in self.left_out)
        return not self.problems and not unused and all(concept.median is not None for concept in self.concepts)


def uniform_first(concepts: Sequence[ConceptDiversity]) -> list[ConceptDiversity]:
    """The most uniform concept first, those without a distance last."""
    return sorted(concepts, key=lambda concept: (concept.median is None, concept.median or 0.0, concept.name))
