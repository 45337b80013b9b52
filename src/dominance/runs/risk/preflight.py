"""The risk that a prompt loses a concept, from part of the first step of its generation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from dominance.errors import InputError
from dominance.files import is_file
from dominance.metrics import PAPER_LAYERS, PAPER_THRESHOLD, focus_score, peak_token
from dominance.models.source import ModelSource
from dominance.probes.sites import attention_sites, chosen_sites
from dominance.prompt_syntax import foreign_syntax
from dominance.records import Interval, Prompt, Suite
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


Risk = Literal["high", "low", "uncalibrated"]


@dataclass(frozen=True)
class Preflight:
    """What one prompt's first step predicts.

    Attributes:
        tokens: the tokens T.
        attention: to each token, averaged over positions, heads, seeds and the peak layers.
        focus: the focus score of every recorded layer, averaged over seeds.
        score, threshold: the rule's; the risk is high from the threshold on, unless the prompt marks a single concept,
            which no other can replace. No threshold without a rule that was fitted to the model or asked for.
        risk: ``uncalibrated`` without a threshold.
        peak_token: text of the token with the most attention.
        dominating: the concept whose strongest token gets the most attention, whatever the risk; None if the prompt
            marks fewer than two, or does not name them as marked.
        unet_share: share of one generation's multiply-adds in the denoiser, spent on this prompt.
        seeds: of the noises.
        scores: the score of each noise alone.
        problem: why nothing can be said; then all numbers are None, and no part of the model has run.
        rule: in words.
        fitted: whether a rule has been fitted to the model, for prompts that mark two concepts.
    """

    UNPRINTED: ClassVar[set[str]] = {"rule", "fitted"}

    prompt: str
    tokens: tuple[str, ...]
    attention: tuple[float, ...]
    focus: dict[int, float]
    score: float | None
    threshold: float | None
    risk: Risk | None
    peak_token: str | None
    dominating: str | None
    unet_share: float
    seeds: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    problem: str | None = None
    rule: str = ""
    fitted: bool = False

    @property
    def spread(self) -> Interval | None:
        """The lowest and the highest score of a single noise; None with fewer than two."""
        return (min(self.scores), max(self.scores)) if len(self.scores) > 1 else None


@dataclass(frozen=True)
class FocusRule:
    """The paper's rule: the mean focus score over some layers, against a threshold.

    Attributes:
        threshold: None where no rule has been fitted to the model, and none was asked for.

    Source: Jeong & Lee (2025), arXiv 2512.20666: layers 9 and 10, 0.010; their mean is our choice.
    """

    layers: tuple[int, ...] = PAPER_LAYERS
    threshold: float | None = PAPER_THRESHOLD

    @property
    def peak_layers(self) -> tuple[int, ...]:
        return self.layers

    @property
    def words(self) -> str:
        return f"mean focus of layers {', '.join(map(str, self.layers))}"

    def score(self, look: Look) -> float:
        return float(focus_score(look.at(self.layers)).mean())

    def scores(self, look: Look) -> tuple[float, ...]:
        """Of each noise alone."""
        return tuple(focus_score(look.at(self.layers)).mean(dim=1).tolist())


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
        return f"calibration for {self.calibration.model}"

    def score(self, look: Look) -> float:
        indices = [look.layers.index(layer) for layer in self.layers]
        features = risk_features(look.attention[:, indices], look.start[:, indices], look.concepts)
        if self.calibration.label == "prompt":
            features = features.mean(0, keepdim=True)
        return float(self.calibration.probability(features).mean())

    def scores(self, look: Look) -> tuple[float, ...]:
        """Of each noise alone; their mean is not the score of a rule that averages features."""
        indices = [look.layers.index(layer) for layer in self.layers]
        features = risk_features(look.attention[:, indices], look.start[:, indices], look.concepts)
        return tuple(self.calibration.probability(features).tolist())


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
    return predict(RunModel(model, options.drawing, options.machine), prompts, options)


def predict(
    drawn: RunModel, prompts: Sequence[Prompt], options: PreflightOptions, *, told: bool = False
) -> tuple[Preflight, ...]:
    """The same, with a model that may be loaded already.

    Args:
        told: whether the user knows already what the model does not read of the prompts.
    """
    if any(prompt.names_its_concepts for prompt in prompts):  # otherwise the first prompt is refused
        prompts = [prompt if prompt.names_its_concepts else replace(prompt, concepts=()) for prompt in prompts]
    default, marked = _rules(options, drawn.source)
    rules = [marked if len(prompt.concepts) > 1 else default for prompt in prompts]
    if options.threshold is not None and marked is not default and default in rules and marked in rules:
        raise InputError(
            f"some prompts mark two concepts ({marked.words}) and some do not ({default.words}), and one threshold does"
            " not fit both rules; run them separately, or leave out --threshold"
        )
    sites = attention_sites(drawn().pipeline)
    if options.layers is None and not has_rule(drawn.source, options):
        rules = [_within(rule, len(sites)) for rule in rules]
    layers = sorted({layer for rule in rules for layer in rule.layers})
    chosen_sites(sites, layers)
    token_set = options.tokens or (marked.calibration.tokens if isinstance(marked, CalibratedRule) else "content")
    problems = _problems(drawn, prompts, told=told)
    seen = [prompt for prompt in prompts if prompt.id not in problems]
    looks = iter(look_at(drawn, seen, [options.seeds] * len(seen), layers, token_set))
    return tuple(
        _unknown(prompt, problems[prompt.id])
        if prompt.id in problems
        else _risk_of(next(looks), rule, options.seeds, settled=marked is not default)
        for prompt, rule in zip(prompts, rules, strict=True)
    )


def _within(rule: Rule, layers: int) -> Rule:
    """The rule, with the last layers of a model that has fewer than the paper's."""
    if isinstance(rule, CalibratedRule) or max(rule.layers) <= layers:
        return rule
    return replace(rule, layers=tuple(range(max(1, layers - len(rule.layers) + 1), layers + 1)))


def _problems(drawn: RunModel, prompts: Sequence[Prompt], *, told: bool) -> dict[str, str]:
    """Why nothing can be said about a prompt, by its id.

    Raises:
        InputError: nothing can be said about any prompt.
    """
    texts = drawn.texts(prompts)
    texts.refuse_if_none(drawn.source.name)
    if not told:
        texts.tell()
    return {**texts.alike, **texts.refused}


def has_rule(source: ModelSource, options: PreflightOptions) -> bool:
    """Whether a rule was fitted to the model, or the paper's was asked for.

    Raises:
        InputError: the calibration that was given cannot be used.
    """
    return options.by_paper or _calibration(options, source) is not None


def uncalibrated(prompt: Prompt) -> Preflight:
    """What is known without a rule, and without running the model."""
    return replace(_unknown(prompt, ""), risk="uncalibrated", problem=None)


def _unknown(prompt: Prompt, problem: str) -> Preflight:
    return Preflight(
        prompt=prompt.text,
        tokens=(),
        attention=(),
        focus={},
        score=None,
        threshold=None,
        risk=None,
        peak_token=None,
        dominating=None,
        unet_share=0.0,
        problem=problem,
    )


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
    asked_for = PAPER_THRESHOLD if options.by_paper else None
    focus = FocusRule(options.layers or PAPER_LAYERS, asked_for if options.threshold is None else options.threshold)
    calibration = _calibration(options, source)
    if calibration is None:
        return focus, focus
    threshold = calibration.threshold if options.threshold is None else options.threshold
    return focus, CalibratedRule(calibration, threshold)


def _calibration(options: PreflightOptions, source: ModelSource) -> Calibration | None:
    if options.calibration is not None and not options.by_paper:
        calibration = read_calibration(options.calibration)
        if calibration.holds_for(source.identity):
            return calibration
        raise InputError(
            f"the calibration {str(options.calibration)[:120]} was made for {calibration.model!r}"
            f" ({calibration.identity}), not for {source.name!r} ({source.identity}); calibrate this model, or give"
            " --calibration none for the paper's rule"
        )
    own = options.by_paper or options.layers is not None or options.tokens is not None
    return None if own else bundled_calibration(source.identity)


def _risk(score: float, rule: Rule, look: Look, *, settled: bool) -> Risk:
    """By the rule; a single concept is at no risk of another on a model whose rule is known."""
    if rule.threshold is None:
        return "low" if settled and len(look.prompt.concepts) == 1 else "uncalibrated"
    return "high" if score >= rule.threshold and len(look.prompt.concepts) != 1 else "low"


def _risk_of(look: Look, rule: Rule, seeds: tuple[int, ...], *, settled: bool) -> Preflight:
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
        risk=_risk(score, rule, look, settled=settled),
        peak_token=look.tokens[int(peak_token(attention))],
        dominating=strongest_concept(attention, look.concepts),
        unet_share=look.share,
        seeds=seeds,
        scores=rule.scores(look),
        rule=rule.words,
        fitted=settled,
    )
