"""The risk that a prompt loses a concept, from part of the first step of its generation."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from dominance.errors import InputError
from dominance.files import is_file
from dominance.metrics import PAPER_LAYERS, PAPER_THRESHOLD, focus_score, peak_token
from dominance.models.source import ModelSource
from dominance.probes.sites import attention_sites, chosen_sites
from dominance.prompt_syntax import foreign_syntax
from dominance.records import Prompt, Suite
from dominance.runs.risk.calibration import (
    Calibration,
    bundled_calibration,
    read_calibration,
    risk_features,
    strongest_concept,
)
from dominance.runs.risk.options import PreflightOptions
from dominance.runs.stages.first_steps import Look, look_at
from dominance.runs.stages.model import RunModel
from dominance.suites import find_suite
from dominance.suites.brackets import clean_text
from dominance.suites.entries import slug
from dominance.suites.rows import SUITE_ENDINGS

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@dataclass(frozen=True)
class Preflight:
    """What one prompt's first step predicts.

    Attributes:
        tokens: the tokens T.
        attention: to each token, averaged over positions, heads, seeds and the peak layers.
        focus: the focus score of every recorded layer, averaged over seeds.
        score, threshold: the rule's; the risk is high from the threshold on, unless the prompt marks a single concept,
            which no other can replace.
        peak_token: text of the token with the most attention.
        dominating: the concept whose strongest token gets the most attention, whatever the risk; None if the prompt
            marks fewer than two, or does not name them as marked.
        unet_share: share of one generation's multiply-adds in the denoiser, spent on this prompt.
        rule: in words.
    """

    UNPRINTED: ClassVar[set[str]] = {"rule"}

    prompt: str
    tokens: tuple[str, ...]
    attention: tuple[float, ...]
    focus: dict[int, float]
    score: float
    threshold: float
    risk: Literal["high", "low"]
    peak_token: str
    dominating: str | None
    unet_share: float
    rule: str = ""


@dataclass(frozen=True)
class FocusRule:
    """The paper's rule: the mean focus score over some layers, against a threshold.

    Source: Jeong & Lee (2025), arXiv 2512.20666: layers 9 and 10, 0.010; their mean is our choice.
    """

    layers: tuple[int, ...] = PAPER_LAYERS
    threshold: float = PAPER_THRESHOLD

    @property
    def peak_layers(self) -> tuple[int, ...]:
        return self.layers

    @property
    def words(self) -> str:
        return f"mean focus of layers {', '.join(map(str, self.layers))}"

    def score(self, look: Look) -> float:
        return float(focus_score(look.at(self.layers)).mean())


@dataclass(frozen=True, eq=False)
class CalibratedRule:
    """A calibration's probability against its threshold.

    Fitted on prompts, it averages the features over seeds first; fitted on images, it averages the seeds'
    probabilities.
    """

    calibration: Calibration
    threshold: float

    @property
    def layers(self) -> tuple[int, ...]:
        return self.calibration.layers

    @property
    def peak_layers(self) -> tuple[int, ...]:
        return self.calibration.peak_layers

    @property
    def words(self) -> str:
        return f"calibrated for {self.calibration.model}"

    def score(self, look: Look) -> float:
        indices = [look.layers.index(layer) for layer in self.layers]
        features = risk_features(look.attention[:, indices], look.start[:, indices], look.concepts)
        if self.calibration.label == "prompt":
            features = features.mean(0, keepdim=True)
        return float(self.calibration.probability(features).mean())


Rule = FocusRule | CalibratedRule


def preflight(
    suite: str | Suite,
    model: "str | DiffusionPipeline" = "miniature",
    options: PreflightOptions | None = None,
) -> tuple[Preflight, ...]:
    """Predicts the risk of every prompt from the conditional branch of its first step, up to the last layer needed.

    Args:
        suite: a prompt, with its concepts in brackets or without brackets, a bundled suite, a file, or the suite.
        model: ``miniature``, a diffusers folder, a hub id, or a pipeline of your own.

    Raises:
        InputError: the suite, the model or an option cannot be used.

    >>> preflight("a [tower:landmark] and a [mug]")[0].risk  # doctest: +SKIP
    'high'
    """
    options = options or PreflightOptions()
    prompts = (read_prompts(suite, options.concepts) if isinstance(suite, str) else suite.prompts)[: options.limit]
    if not prompts:
        raise InputError("there are no prompts; give at least one")
    drawn = RunModel(model, options.drawing, options.machine)
    if any(prompt.names_its_concepts for prompt in prompts):  # otherwise the first prompt is refused
        prompts = tuple(prompt if prompt.names_its_concepts else replace(prompt, concepts=()) for prompt in prompts)
    default, marked = _rules(options, drawn.source)
    rules = [marked if len(prompt.concepts) > 1 else default for prompt in prompts]
    if options.threshold is not None and marked is not default and default in rules and marked in rules:
        raise InputError(
            f"some prompts mark two concepts ({marked.words}) and some do not ({default.words}), and one threshold does"
            " not fit both rules; run them separately, or leave out --threshold"
        )
    layers = sorted({layer for rule in rules for layer in rule.layers})
    chosen_sites(attention_sites(drawn().pipeline), layers)
    token_set = options.tokens or (marked.calibration.tokens if isinstance(marked, CalibratedRule) else "content")
    looks = look_at(drawn, prompts, [options.seeds] * len(prompts), layers, token_set)
    return tuple(_risk_of(look, rule) for look, rule in zip(looks, rules, strict=True))


def read_prompts(spec: str, concepts: str | None = None) -> tuple[Prompt, ...]:
    """The prompts of a suite, or a single prompt; without brackets, it marks no concept.

    Raises:
        InputError: the text is neither.
    """
    words = spec.split()
    file = is_file(Path(spec)) or Path(spec).suffix.lower() in SUITE_ENDINGS
    if len(words) < 2 or "[" in spec or "]" in spec or file or concepts is not None:
        return find_suite(spec, concepts).prompts
    text = clean_text(spec, "the prompt")
    if foreign := foreign_syntax(text):
        raise InputError(f"the prompt: {foreign}")
    return (Prompt(slug(text), text, ()),)


def _rules(options: PreflightOptions, source: ModelSource) -> tuple[FocusRule, Rule]:
    """The rule for prompts with fewer than two marked concepts, and the rule for all others."""
    focus = FocusRule(options.layers or PAPER_LAYERS, PAPER_THRESHOLD)
    if options.threshold is not None:
        focus = replace(focus, threshold=options.threshold)
    calibration = _calibration(options, source)
    if calibration is None:
        return focus, focus
    threshold = calibration.threshold if options.threshold is None else options.threshold
    return focus, CalibratedRule(calibration, threshold)


def _calibration(options: PreflightOptions, source: ModelSource) -> Calibration | None:
    if options.calibration is not None and not options.by_paper:
        calibration = read_calibration(options.calibration)
        if calibration.identity == source.identity:
            return calibration
        raise InputError(
            f"the calibration {str(options.calibration)[:120]} was made for {calibration.model!r}"
            f" ({calibration.identity}), not for {source.name!r} ({source.identity}); calibrate this model, or give"
            " --calibration none for the paper's rule"
        )
    own = options.by_paper or options.layers is not None or options.tokens is not None
    return None if own else bundled_calibration(source.identity)


def _risk_of(look: Look, rule: Rule) -> Preflight:
    attention = look.at(rule.peak_layers).mean(dim=(0, 1))
    focus = focus_score(look.attention).mean(dim=0)
    score = rule.score(look)
    return Preflight(
        prompt=look.prompt.text,
        tokens=look.tokens,
        attention=tuple(attention.tolist()),
        focus=dict(zip(look.layers, focus.tolist(), strict=True)),
        score=score,
        threshold=rule.threshold,
        risk="high" if score >= rule.threshold and len(look.prompt.concepts) != 1 else "low",
        peak_token=look.tokens[int(peak_token(attention))],
        dominating=strongest_concept(attention, look.concepts),
        unet_share=look.share,
        rule=rule.words,
    )
