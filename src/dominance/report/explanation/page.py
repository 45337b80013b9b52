"""The page of an explanation, prepared for its template."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.numbers import share
from dominance.records import Question
from dominance.report.explanation import sentences as said
from dominance.report.explanation.figures import Figure, first_step_figures, style_of, time_figures
from dominance.report.explanation.map_sentences import concept_totals, map_sentence, maps_sentence
from dominance.report.explanation.maps import heat_uri
from dominance.report.explanation.plots import concept_class
from dominance.report.parts.image_view import ImageView, image_view, questions_asked
from dominance.report.parts.marked_prompt import marked_prompt
from dominance.report.parts.next_steps import NextStep, after_explain
from dominance.report.parts.pictures import Embedded, Missing, Pictures, embed, thumbnail_side
from dominance.runs.explanation.result import Explanation, peaks, tracks


@dataclass(frozen=True)
class HeatView:
    """One concept's map: the picture to lay over the image, and how strong it is.

    Attributes:
        share: of the highest value in any map of the same image and step, 0 to 1.
    """

    concept: str
    style: str
    uri: str
    share: float
    highest: str
    mean: str


@dataclass(frozen=True)
class MapView:
    """The maps of one image at one step."""

    image: int
    step: int
    name: str
    picture: Embedded | Missing
    sentence: str
    heats: tuple[HeatView, ...]


@dataclass(frozen=True)
class PeakView:
    """The strongest word of one layer."""

    layer: int
    word: str
    style: str
    images: str


@dataclass(frozen=True)
class ExplanationPage:
    """All that the template needs."""

    explanation: Explanation
    headline: str
    note: str
    title: Markup
    images_note: str
    concepts: tuple[tuple[str, str], ...]
    images: tuple[ImageView, ...]
    questions: tuple[tuple[str, tuple[Question, ...]], ...]
    start: tuple[Figure, ...]
    peaks: tuple[PeakView, ...]
    peaks_sentence: str
    time: tuple[Figure, ...]
    changes: tuple[tuple[str, ...], ...]
    maps_sentence: str
    steps: tuple[str, ...]
    bases: tuple[tuple[str, Embedded | Missing], ...]
    folder: Path
    next_steps: tuple[NextStep, ...]

    def maps(self) -> Iterator[MapView]:
        """The maps of every image at every step shown, made one at a time."""
        for image in range(len(self.explanation.seeds)):
            for step in range(len(self.explanation.maps.steps)):
                yield _map_view(self, image, step)


def build_explanation_page(explanation: Explanation, folder: Path) -> ExplanationPage:
    """Prepares an explanation whose image files lie in ``folder``."""
    pictures = Pictures(folder, thumbnail_side(len(explanation.pictures)))
    result = explanation.result
    files = {int(image.name): image.file for image in result.images}
    concepts = tuple((name, concept_class(place)) for place, name in enumerate(explanation.concepts))
    views = tuple(image_view(result, image, pictures) for image in result.images)
    return ExplanationPage(
        explanation=explanation,
        headline=said.headline(explanation),
        note=said.attention_note(explanation),
        title=_title(explanation, dict(concepts)),
        images_note=said.images_note(explanation),
        concepts=concepts,
        images=views,
        questions=questions_asked(result),
        start=first_step_figures(explanation),
        peaks=_peaks(explanation),
        peaks_sentence=said.peaks_sentence(explanation),
        time=time_figures(explanation),
        changes=_change_table(explanation),
        maps_sentence=maps_sentence(explanation),
        steps=tuple(said.step_name(step, explanation.steps) for step in explanation.maps.steps),
        bases=tuple((f"seed {seed}", _base(folder, files.get(seed))) for seed in explanation.seeds),
        folder=folder,
        next_steps=after_explain(explanation, folder),
    )


def _title(explanation: Explanation, styles: dict[str, str]) -> Markup:
    """The prompt, each concept in the colour of its attention."""
    names = [concept.name for concept in explanation.prompt.concepts]
    return marked_prompt(explanation.prompt, {name: f"word {styles[explanation.name_of(name)]}" for name in names})


def _base(folder: Path, file: str | None) -> Embedded | Missing:
    return Missing("the image was not made") if file is None else embed(folder / file, 512)


def _peaks(explanation: Explanation) -> tuple[PeakView, ...]:
    total = len(explanation.seeds)
    return tuple(
        PeakView(
            layer=peak.layer,
            word=peak.token,
            style=style_of(explanation, peak.place),
            images="" if peak.images == total else f"{peak.images}/{total}",
        )
        for peak in peaks(explanation)
    )


def _change_table(explanation: Explanation) -> tuple[tuple[str, ...], ...]:
    """Rows of the table behind the changes, its heading first; empty if there is no change."""
    own = [track for track in tracks(explanation) if track.change is not None]
    if not own:
        return ()
    edges = own[0].edges
    intervals = [f"steps {start}–{end}" for start, end in itertools.pairwise(edges)]
    rows = [("Concept", "Layers", "Lead at first", *intervals, "Lead at last")]
    for track in own:
        if track.deviation is None or track.change is None:
            continue
        lead, change = track.deviation.mean(dim=0).tolist(), track.change.mean(dim=0).tolist()
        where = said.in_layers(track.layers).partition(" ")[2]
        rows.append((track.concept, where, _signed(lead[0]), *map(_signed, change), _signed(lead[-1])))
    return tuple(rows)


def _signed(value: float) -> str:
    """Percentage points with their sign.

    >>> _signed(-0.0123), _signed(0.2)
    ('−1.23', '+20.00')
    """
    return f"{100 * value:+.2f}".replace("-", "−")


def _map_view(page: ExplanationPage, image: int, step: int) -> MapView:
    explanation = page.explanation
    values = concept_totals(explanation, image, step)
    highest = float(values.max()) or 1.0
    heats = tuple(
        HeatView(
            concept=name,
            style=concept_class(place),
            uri=heat_uri(values[place]),
            share=float(values[place].max()) / highest,
            highest=share(float(values[place].max())),
            mean=share(float(values[place].mean())),
        )
        for place, name in enumerate(explanation.concepts)
    )
    name, picture = page.bases[image]
    return MapView(image, step, name, picture, map_sentence(explanation, image, step), heats)
