"""The content of an explanation, and what follows from it: focus, peaks, and each concept's attention over time."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from PIL import Image
from pydantic import Field, InstanceOf, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import core_schema
from torch import Tensor

from dominance.documents import from_json, to_json
from dominance.metrics import (
    attention_deviation,
    concept_attention,
    deviation_change,
    focus_score,
    interval_edges,
    peak_token,
)
from dominance.probes.sites import AttentionSite
from dominance.records import Answer, JudgeWarning, Prompt, PromptResult
from dominance.runs.risk.preflight import Preflight
from dominance.runs.stages.scoring import score_image, score_prompt

Role = Literal["dominating", "other"]

LEADING_LAYERS: tuple[int, ...] = (8, 9, 10)
"""Layers for the dominating concept in a UNet of 16 sites. Source: Jeong & Lee (2025), attention dynamics."""

TRAILING_LAYERS: tuple[int, ...] = (7,)
"""Layers for the dominated concept. Source: as above."""

_PAPER_SITES = 16
_MIDDLE = 7


class _Listed:
    """Marks a tensor to be written as nested lists."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(lambda values: rounded(values, 9))
        return core_schema.no_info_plain_validator_function(torch.as_tensor, serialization=written)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "array"}


@dataclass(frozen=True)
class _JudgedImage:
    """The input of an image's score."""

    name: str
    file: str | None
    seed: int | None
    answers: tuple[Answer, ...]
    problem: str | None


@dataclass(frozen=True)
class _JudgedPrompt:
    """The input of a prompt's result."""

    prompt: Prompt
    images: tuple[_JudgedImage, ...]


def _write_judged(result: PromptResult) -> Any:
    images = tuple(_JudgedImage(i.name, i.file, i.seed, i.answers, i.problem) for i in result.images)
    return to_json(_JudgedPrompt(result.prompt, images))


def _read_judged(document: Any) -> PromptResult:
    if isinstance(document, PromptResult):
        return document
    judged = from_json(_JudgedPrompt, document)
    images = [score_image(judged.prompt, i.name, i.file, i.answers, i.problem, i.seed) for i in judged.images]
    return score_prompt(judged.prompt, images)


Judged = Annotated[
    PromptResult, PlainValidator(_read_judged), PlainSerializer(_write_judged), WithJsonSchema({"type": "object"})
]


@dataclass(frozen=True, eq=False)
class ConceptMaps:
    """How much each position of the image attends to each concept.

    Attributes:
        layers: averaged over, after enlarging to the finest grid.
        steps: counted from 0.
        values: mean over the concept's tokens and heads, 0 to 1; concepts in prompt order.
    """

    layers: tuple[int, ...]
    steps: tuple[int, ...]
    values: Annotated[Float[Tensor, "image step concept row column"], _Listed()]


@dataclass(frozen=True)
class Peak:
    """The token that gets the most attention in a layer at the first step, in most images.

    Attributes:
        place: index in the tokens T.
        concept: the token's concept; None for other words.
        images: number of images in which it is the peak.
    """

    layer: int
    place: int
    token: str
    concept: str | None
    images: int


@dataclass(frozen=True, eq=False)
class Track:
    """One concept's attention over the steps, in the layers for its role.

    Attributes:
        attention: to all its tokens together, averaged over the layers.
        deviation: ``attention`` minus the mean over all other tokens; None if the concept is the whole prompt.
        edges: steps that divide the generation into intervals.
        change: of the deviation over each interval; None without a deviation or with a single step.
    """

    concept: str
    role: Role
    layers: tuple[int, ...]
    attention: Float[Tensor, "image step"]
    deviation: Float[Tensor, "image step"] | None
    edges: tuple[int, ...]
    change: Float[Tensor, "image interval"] | None


@dataclass(frozen=True)
class Lead:
    """The dominating concept, by the images or by the attention at the first step."""

    concept: str
    by: Literal["images", "attention"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """One prompt, with the attention recorded while its images were drawn.

    Attributes:
        identity: of the model; None for the user's own pipeline.
        judge: None if there was none; then no image of ``result`` has a verdict.
        seeds: of the images with recorded attention, in the order of the tensors' first axis.
        tokens: texts of T, the prompt's own tokens.
        places: for each concept, the indices of its tokens in T.
        sites: the recorded attention layers, in forward order.
        model_layers: number of layers in the model.
        follows_paper: whether they are arranged as in the paper: 16, with layer 7 in the middle.
        attention: softmax probability of each token of T, averaged over positions and heads; not renormalised.
        pictures: by seed, without failed ones.
        result: verdicts of every image and of the prompt.
        settings, manifest: how the images were made.
        judge_warnings: reasons to mistrust every verdict.
        alike: groups of concepts that the model cannot tell apart; each is one of ``places``, under its joined name.
        notes: what the model does not know of the prompt.
        risk: what ``dominance preflight`` predicts of the prompt; None where it can predict nothing, and in
            explanations of older versions.
    """

    prompt: Prompt
    model: str
    identity: str | None
    judge: str | None
    seeds: tuple[int, ...]
    tokens: tuple[str, ...]
    places: dict[str, tuple[int, ...]]
    sites: tuple[AttentionSite, ...]
    model_layers: int
    follows_paper: bool
    attention: Annotated[Float[Tensor, "image step layer token"], _Listed()]
    maps: ConceptMaps
    result: Judged
    settings: dict[str, object]
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    risk: Preflight | None = None
    pictures: Annotated[dict[int, InstanceOf[Image.Image]], Field(exclude=True)] = field(default_factory=dict)

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the recorded layers."""
        return tuple(site.layer for site in self.sites)

    @property
    def concepts(self) -> tuple[str, ...]:
        """Names, in prompt order."""
        return tuple(self.places)

    @property
    def steps(self) -> int:
        """Denoising steps of the generation."""
        return self.attention.shape[1]

    @property
    def unscored(self) -> int:
        """Images without a verdict despite a judge, and images that could not be made."""
        judged = [image for image in self.result.images if self.judge is not None or image.file is None]
        return sum(1 for image in judged if image.verdict is None)

    def at(self, layers: tuple[int, ...]) -> Float[Tensor, "image step layer token"]:
        """The attention in some of the recorded layers."""
        return self.attention[:, :, [self.layers.index(layer) for layer in layers]]

    @property
    def focus(self) -> Float[Tensor, "image step layer"]:
        """The focus score at every step and layer."""
        return focus_score(self.attention)

    def name_of(self, concept: str) -> str:
        """The name under which a concept's attention is recorded: its own, or that of its group."""
        return next((joined(group) for group in self.alike if concept in group), concept)

    def concept_of(self, place: int) -> str | None:
        """The concept that a token belongs to."""
        return next((name for name, places in self.places.items() if place in places), None)


def joined(group: tuple[str, ...]) -> str:
    """The name of concepts that cannot be told apart."""
    return " / ".join(group)


def is_papers_unet(sites: tuple[AttentionSite, ...]) -> bool:
    """Whether a model's sites are arranged as in Stable Diffusion 1 and 2, so that the paper's layer numbers apply."""
    return len(sites) == _PAPER_SITES and sites[_MIDDLE - 1].where == "mid"


def followed_layers(explanation: Explanation, role: Role) -> tuple[int, ...]:
    """Layers for a concept: 8 to 10 if it dominates, else 7; in other models, all layers.

    Only recorded layers count; if none of the paper's was recorded, all recorded ones.

    Source: Jeong & Lee (2025), attention dynamics; all layers of other models are our choice.
    """
    wanted = LEADING_LAYERS if role == "dominating" else TRAILING_LAYERS
    kept = tuple(layer for layer in explanation.layers if layer in wanted)
    return kept if explanation.follows_paper and kept else explanation.layers


def first_amounts(explanation: Explanation) -> Float[Tensor, "image concept"]:
    """Attention to each concept at the first step, averaged over the layers for a dominating one."""
    seen = explanation.at(followed_layers(explanation, "dominating"))[:, 0].mean(dim=1)
    return concept_attention(seen, list(explanation.places.values()))


def strongest_at_first(explanation: Explanation) -> str:
    """The concept whose strongest token gets the most attention at the first step, in the same layers."""
    seen = explanation.at(followed_layers(explanation, "dominating"))[:, 0].mean(dim=(0, 1))
    peaks = concept_attention(seen, list(explanation.places.values()), pooled="max")
    return explanation.concepts[int(peak_token(peaks))]


def lead(explanation: Explanation) -> Lead | None:
    """The dominating concept by collapsed images, else by attention; None with fewer than two concepts."""
    if len(explanation.places) < 2:
        return None
    taken = explanation.result.dominating
    if taken is not None and explanation.name_of(taken) != taken:
        return None  # what the images of one show holds for the other as well
    if explanation.result.dominating is not None:
        return Lead(explanation.result.dominating, "images")
    return Lead(strongest_at_first(explanation), "attention")


def peaks(explanation: Explanation) -> tuple[Peak, ...]:
    """The peak token of every recorded layer at the first step."""
    found = peak_token(explanation.attention[:, 0])
    listed = []
    for layer, places in zip(explanation.layers, found.T.tolist(), strict=True):
        place, images = Counter(places).most_common(1)[0]
        listed.append(Peak(layer, place, explanation.tokens[place], explanation.concept_of(place), images))
    return tuple(listed)


def concept_track(explanation: Explanation, concept: str, layers: tuple[int, ...], role: Role) -> Track:
    """One concept's attention over the steps in these layers."""
    places = explanation.places[concept]
    seen = explanation.at(layers).mean(dim=2)
    alone = len(places) == len(explanation.tokens)
    deviation = None if alone else attention_deviation(seen, places)
    edges = interval_edges(explanation.steps) if explanation.steps > 1 else ()
    change = deviation_change(deviation, edges) if deviation is not None and edges else None
    return Track(concept, role, layers, concept_attention(seen, [places])[..., 0], deviation, edges, change)


def tracks(explanation: Explanation) -> tuple[Track, ...]:
    """Every concept in the layers for its role; a single concept counts as dominating."""
    leading = lead(explanation)
    listed = []
    for concept in explanation.concepts:
        role: Role = "dominating" if leading is None or leading.concept == concept else "other"
        listed.append(concept_track(explanation, concept, followed_layers(explanation, role), role))
    return tuple(listed)


def rounded(values: Tensor, digits: int = 4) -> list:
    """Nested lists of numbers with this many significant digits; nine preserve every float32."""
    flat = [float(f"{value:.{digits}g}") for value in values.flatten().tolist()]
    shape = values.shape
    for size in reversed(shape[1:]):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat
