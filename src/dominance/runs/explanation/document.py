"""The document of an explanation, which ``dominance explain`` prints and writes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from dominance.probes.sites import AttentionSite
from dominance.records import ImageVerdict, JudgeWarning, Kind, PromptVerdict
from dominance.runs.explanation.result import Explanation, Lead, Peak, Role, Track, lead, peaks, rounded, tracks
from dominance.runs.risk.preflight import Preflight


@dataclass(frozen=True)
class MarkedConcept:
    """A concept of the prompt, and the indices of its tokens in T."""

    name: str
    kind: Kind
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class MeanTrack:
    """A ``Track``, averaged over images."""

    concept: str
    role: Role
    layers: tuple[int, ...]
    attention: list
    deviation: list | None
    edges: tuple[int, ...]
    change: list | None


@dataclass(frozen=True)
class ListedMaps:
    """Maps by image, step, concept, row and column."""

    layers: tuple[int, ...]
    steps: tuple[int, ...]
    values: list


@dataclass(frozen=True)
class ExplainedImage:
    """One image and its verdict."""

    seed: int
    file: str | None
    verdict: ImageVerdict | None
    dvd: float | None
    yes: dict[str, int | None]
    problem: str | None


@dataclass(frozen=True)
class ExplanationDocument:
    """What ``dominance explain --json`` prints; means are over images, steps are counted from 0, layers from 1.

    Attributes:
        recorded: the data of the page; only in the file ``explanation.json``, and not in older versions.
    """

    UNPRINTED: ClassVar[set[str]] = {"recorded"}

    prompt: str
    concepts: tuple[MarkedConcept, ...]
    tokens: tuple[str, ...]
    model: str
    judge: str | None
    settings: dict[str, object]
    steps: int
    layers: tuple[AttentionSite, ...]
    seeds: tuple[int, ...]
    dominating: Lead | None
    focus_first_step: dict[int, float]
    focus: list
    attention: list
    peaks: tuple[Peak, ...]
    tracks: tuple[MeanTrack, ...]
    maps: ListedMaps
    verdict: PromptVerdict | None
    images: tuple[ExplainedImage, ...]
    manifest: dict[str, object]
    kind: Literal["dominance explanation"] = "dominance explanation"
    format: Literal[1] = 1
    notes: tuple[str, ...] = ()
    risk: Preflight | None = None
    recorded: Explanation | None = None
    judge_warnings: tuple[JudgeWarning, ...] = ()


def document_of(explanation: Explanation) -> ExplanationDocument:
    """The document of an explanation; four significant digits keep it small."""
    maps, focus = explanation.maps, explanation.focus
    return ExplanationDocument(
        prompt=explanation.prompt.text,
        concepts=tuple(
            MarkedConcept(concept.name, concept.kind, explanation.places[explanation.name_of(concept.name)])
            for concept in explanation.prompt.concepts
        ),
        tokens=explanation.tokens,
        model=explanation.model,
        judge=explanation.judge,
        settings=explanation.settings,
        steps=explanation.steps,
        layers=explanation.sites,
        seeds=explanation.seeds,
        dominating=lead(explanation),
        focus_first_step=dict(zip(explanation.layers, rounded(focus[:, 0].mean(dim=0)), strict=True)),
        focus=rounded(focus.mean(dim=0)),
        attention=rounded(explanation.attention.mean(dim=0)),
        peaks=peaks(explanation),
        tracks=tuple(_mean_track(track) for track in tracks(explanation)),
        maps=ListedMaps(maps.layers, maps.steps, rounded(maps.values)),
        verdict=explanation.result.verdict,
        images=tuple(
            ExplainedImage(int(image.name), image.file, image.verdict, image.dvd, image.yes, image.problem)
            for image in explanation.result.images
        ),
        manifest=explanation.manifest,
        notes=explanation.notes,
        risk=explanation.risk,
        recorded=explanation,
        judge_warnings=explanation.judge_warnings,
    )


def _mean_track(track: Track) -> MeanTrack:
    attention, deviation, change = (
        None if values is None else rounded(values.mean(dim=0))
        for values in (track.attention, track.deviation, track.change)
    )
    return MeanTrack(track.concept, track.role, track.layers, attention or [], deviation, track.edges, change)
