"""What the shared runs keep of attention: of the first step, and over a whole generation."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dominance.metrics import attention_deviation, focus_score, interval_edges, peak_token
from dominance.probes.sites import AttentionSite
from dominance.runs.bench.result import Entry
from dominance.runs.explanation.result import Explanation, is_papers_unet
from dominance.runs.risk.calibration import strongest_concept
from dominance.runs.stages.first_steps import Look


@dataclass(frozen=True)
class PaperLayers:
    """The layers of which the paper speaks; of a model that is arranged otherwise, all of them.

    Attributes:
        focus: where the focus score differs.
        leading, trailing: where the dominating and the dominated concept are followed.
        detecting: of the detector.
        papers: whether they are the paper's own.

    Source: Jeong & Lee (2025), section 4.
    """

    focus: tuple[int, ...]
    leading: tuple[int, ...]
    trailing: tuple[int, ...]
    detecting: tuple[int, ...]
    papers: bool

    @property
    def note(self) -> str:
        """What to say of a model that is arranged otherwise."""
        return (
            ""
            if self.papers
            else "This model's layers are not those of Stable Diffusion 1, so that all of them count. "
        )


def paper_layers(sites: Sequence[AttentionSite]) -> PaperLayers:
    """The paper's layers in a model with these sites."""
    if is_papers_unet(tuple(sites)):
        return PaperLayers(tuple(range(5, 11)), (8, 9, 10), (7,), (9, 10), True)
    every = tuple(site.layer for site in sites)
    return PaperLayers(every, every, every, every, False)


@dataclass(frozen=True)
class FirstStep:
    """The first step of one prompt, averaged over its noises.

    Attributes:
        part: ``dominance`` or ``balanced``.
        dominating, dominated: of a dominance prompt.
        focus: by layer.
        peaks: by layer, the concept that the peak token belongs to; None for another word.
        named: by layer, the concept whose strongest token gets the most attention.
        leading: the concept of the peak token where the paper's leading layers are averaged.
    """

    id: str
    text: str
    part: str
    dominating: str | None
    dominated: str | None
    focus: dict[int, float]
    peaks: dict[int, str | None]
    named: dict[int, str | None]
    leading: str | None

    def mean_focus(self, layers: Sequence[int]) -> float:
        """Over some layers."""
        return sum(self.focus[layer] for layer in layers) / len(layers)


def first_step_of(entry: Entry, look: Look, layers: PaperLayers) -> FirstStep:
    """What is kept of a prompt's first steps."""
    dominating, dominated = entry.direction or (None, None)
    seen = look.attention.mean(dim=0)
    focus = focus_score(look.attention).mean(dim=0)
    owner = {place: name for name, places in look.concepts.items() for place in places}
    leading = int(peak_token(look.at(layers.leading).mean(dim=(0, 1))))
    return FirstStep(
        id=entry.kept.id,
        text=look.prompt.text,
        part=entry.kept.part,
        dominating=dominating,
        dominated=dominated,
        focus=dict(zip(look.layers, focus.tolist(), strict=True)),
        peaks={layer: owner.get(int(peak_token(row))) for layer, row in zip(look.layers, seen, strict=True)},
        named={layer: strongest_concept(row, look.concepts) for layer, row in zip(look.layers, seen, strict=True)},
        leading=owner.get(leading),
    )


def focus_of(look: Look, layers: Sequence[int]) -> float:
    """A prompt's mean focus score over some layers and all of its noises."""
    return float(focus_score(look.at(layers)).mean())


@dataclass(frozen=True)
class Recorded:
    """One prompt's generations: how far each concept leads at every step, averaged over its seeds.

    Attributes:
        leading, trailing: by concept, its attention deviation at each step in the paper's leading and trailing layers.
        edges: steps that part the generation into the paper's intervals.
    """

    id: str
    text: str
    part: str
    dominating: str | None
    dominated: str | None
    leading: dict[str, tuple[float, ...]]
    trailing: dict[str, tuple[float, ...]]
    edges: tuple[int, ...]


def recorded_of(
    id: str, part: str, direction: tuple[str | None, str | None], explained: Explanation, layers: PaperLayers
) -> Recorded:
    """What is kept of an explanation.

    Args:
        direction: the dominating and the dominated concept of a dominance prompt.
    """
    dominating, dominated = direction

    def course(concept: str, chosen: tuple[int, ...]) -> tuple[float, ...]:
        seen = explained.at(chosen).mean(dim=2)
        return tuple(attention_deviation(seen, explained.places[concept]).mean(dim=0).tolist())

    names = [name for name in explained.concepts if len(explained.places[name]) < len(explained.tokens)]
    return Recorded(
        id=id,
        text=explained.prompt.text,
        part=part,
        dominating=dominating,
        dominated=dominated,
        leading={name: course(name, layers.leading) for name in names},
        trailing={name: course(name, layers.trailing) for name in names},
        edges=interval_edges(explained.steps) if explained.steps > 1 else (),
    )


def overlaps_of(explained: Explanation) -> dict[str, list[float]]:
    """By measure, the overlap of the concepts' maps at the last recorded step, an image a value."""
    from dominance.metrics import overlap

    maps = explained.maps.values[:, -1]
    measures = {
        "KL": overlap.divergence,
        "IoU": overlap.iou,
        "CoM": overlap.centre_distance,
        "intensity": overlap.intensity,
        "spread": overlap.spread,
    }
    return {name: torch.atleast_1d(measure(maps)).tolist() for name, measure in measures.items()}
