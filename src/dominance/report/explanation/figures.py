"""The figures of an explanation: a plot, what it shows of this prompt, and what it is in general."""

import itertools
from dataclasses import dataclass

from markupsafe import Markup

from dominance.numbers import measure, share
from dominance.report.explanation import sentences as said
from dominance.report.explanation.plots import (
    Bar,
    Grid,
    Line,
    bars,
    change_bars,
    concept_class,
    lines,
    matrix,
    swatches,
)
from dominance.runs.explanation.result import Explanation, Track, concept_track, peaks, tracks

_WORD_ROW = 22
_LAYER_ROW = 13


@dataclass(frozen=True)
class Figure:
    """A plot, the sentence that says what it shows here, and what it is in general."""

    id: str
    title: str
    sentence: str
    what: str
    plots: tuple[tuple[str | None, Markup], ...] = ()
    scale: tuple[tuple[str, str], ...] = ()
    legend: bool = False


def first_step_figures(explanation: Explanation) -> tuple[Figure, ...]:
    """What the model looks at in the first denoising step."""
    return _focus_figure(explanation), _words_figure(explanation)


def time_figures(explanation: Explanation) -> tuple[Figure, ...]:
    """How attention develops over the steps."""
    figures = [_focus_over_time(explanation)]
    if explanation.steps > 1:
        figures.append(_course_figure(explanation))
        if any(track.change is not None for track in tracks(explanation)):
            figures.append(_changes_figure(explanation))
    return tuple(figures)


def _focus_over_time(explanation: Explanation) -> Figure:
    values = explanation.focus.mean(dim=0)
    grid = Grid(
        rows=tuple(map(str, explanation.layers)),
        styles=("",) * len(explanation.layers),
        columns=tuple(map(str, range(explanation.steps))),
        values=tuple(tuple(row) for row in values.T.tolist()),
        labels=tuple(
            tuple(f"layer {layer}, step {step}: focus {measure(value)}" for step, value in enumerate(row))
            for layer, row in zip(explanation.layers, values.T.tolist(), strict=True)
        ),
    )
    sentence = said.focus_over_time_sentence(explanation)
    what = (
        "Focus at every denoising step, one row per layer, time from left to right. The early steps largely settle"
        f" what the image shows. {_n(explanation).capitalize()}."
    )
    plot = matrix(grid, f"Focus by layer and step. {sentence}", "step", _LAYER_ROW)
    scale = swatches(float(values.max()), percent=False)
    return Figure("focus-time", "Focus over time", sentence, what, (("Layer", plot),), scale)


def _course_figure(explanation: Explanation) -> Figure:
    own = tracks(explanation)
    sentence = said.course_sentence(explanation)
    plots = []
    for layers in dict.fromkeys(track.layers for track in own):
        every = [concept_track(explanation, track.concept, layers, track.role) for track in own]
        listed = [
            Line(
                name=track.concept,
                style=place,
                values=tuple(track.attention.mean(dim=0).tolist()),
                low=tuple(track.attention.amin(dim=0).tolist()),
                high=tuple(track.attention.amax(dim=0).tolist()),
                own=followed.layers == layers,
            )
            for place, (track, followed) in enumerate(zip(every, own, strict=True))
        ]
        where = said.in_layers(layers)
        label = f"Attention to each concept over the steps, {where}. {sentence}"
        plots.append((_panel(layers, own), lines(listed, own[0].edges, label, "step")))
    several = "; bands: lowest to highest image" if len(explanation.seeds) > 1 else ""
    what = (
        "The attention that all words of a concept get together, at every denoising step. Lines:"
        f" {_n(explanation)}{several}."
    )
    if len(plots) > 1:
        what += (
            " The paper follows the concept that takes over in layers 8 to 10 and the other in layer 7. Each plot shows"
            " both; the line that the paper follows is bold."
        )
    return Figure("course", "Attention to each concept", sentence, what, tuple(plots), legend=True)


def _panel(layers: tuple[int, ...], own: tuple[Track, ...]) -> str:
    where = said.in_layers(layers)
    followed = " and ".join(track.concept for track in own if track.layers == layers)
    return said.capital(where) + (f" (for {followed})" if len({t.layers for t in own}) > 1 else "")


def _changes_figure(explanation: Explanation) -> Figure:
    own = [track for track in tracks(explanation) if track.change is not None]
    edges = own[0].edges
    names = [f"{start}–{end}" for start, end in itertools.pairwise(edges)]
    styles = [explanation.concepts.index(track.concept) for track in own]
    rows = [track.change.mean(dim=0).tolist() for track in own if track.change is not None]
    sentence = said.changes_sentence(explanation)
    what = (
        "A concept's lead is its attention minus the mean of all other words (the paper's attention deviation), in the"
        " layers named above. Bars up: the lead grows in these steps; bars down: it shrinks. Percentage points,"
        f" {_n(explanation)}."
    )
    plot = change_bars(names, styles, rows, f"Change of each concept's lead by interval. {sentence}", "steps")
    return Figure("changes", "When each concept gains or loses", sentence, what, ((None, plot),), legend=True)


def style_of(explanation: Explanation, place: int) -> str:
    """The class of the concept that the token at this place belongs to; empty for none."""
    concept = explanation.concept_of(place)
    return "" if concept is None else concept_class(explanation.concepts.index(concept))


def _n(explanation: Explanation) -> str:
    images = len(explanation.seeds)
    return f"mean of {images} images" if images > 1 else "one image"


def _focus_figure(explanation: Explanation) -> Figure:
    values = explanation.focus[:, 0]
    listed = [
        Bar(
            name=str(layer),
            value=float(own.mean()),
            dots=tuple(own.tolist()),
            label=f"layer {layer}: focus {measure(float(own.mean()))}, {_n(explanation)}",
        )
        for layer, own in zip(explanation.layers, values.T, strict=True)
    ]
    sentence, rule = said.focus_sentence(explanation), said.risk_sentence(explanation)
    each = "; ".join(f"layer {bar.name}: {measure(bar.value)}" for bar in listed)
    what = (
        "Focus is 0 when all words of the prompt get the same attention, and high when one word gets far more than the"
        " others. A layer is one place in the network where the image attends to the prompt; layers are numbered in"
        f" the order in which they run. Bars: {_n(explanation)}"
        + ("; dots: single images." if len(explanation.seeds) > 1 else ".")
    )
    plot = bars(listed, f"Focus by layer at the first step. {sentence} {each}.", "layer")
    return Figure("focus", "Focus by layer", " ".join(filter(None, (sentence, rule))), what, ((None, plot),))


def _words_figure(explanation: Explanation) -> Figure:
    values = explanation.attention[:, 0].mean(dim=0)
    found = peaks(explanation)
    grid = Grid(
        rows=explanation.tokens,
        styles=tuple(style_of(explanation, place) for place in range(len(explanation.tokens))),
        columns=tuple(map(str, explanation.layers)),
        values=tuple(tuple(row) for row in values.T.tolist()),
        labels=tuple(
            tuple(
                f"“{token}” in layer {layer}: {share(value)}"
                for layer, value in zip(explanation.layers, row, strict=True)
            )
            for token, row in zip(explanation.tokens, values.T.tolist(), strict=True)
        ),
        marked=frozenset((peak.place, place) for place, peak in enumerate(found)),
    )
    sentence = said.words_sentence(explanation)
    what = (
        "Each cell is the share of the attention that a word gets in a layer, averaged over the whole image. The rest"
        " goes to the tokens for start, end and padding. A ring marks the strongest word of each layer."
        f" {_n(explanation).capitalize()}."
    )
    label = f"Attention of every word in every layer at the first step. {sentence}"
    plot = matrix(grid, label, "layer", _WORD_ROW)
    scale = swatches(float(values.max()), percent=True)
    return Figure("words", "Which words get the attention", sentence, what, ((None, plot),), scale)
