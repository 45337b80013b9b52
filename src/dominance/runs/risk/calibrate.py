"""Fits a calibrated risk rule on an audited run, and validates it on held-out prompts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jaxtyping import Bool, Float, Int

from dominance.documents import json_bytes
from dominance.errors import InputError, RunError
from dominance.files import write_whole
from dominance.metrics import (
    PAPER_LAYERS,
    PAPER_THRESHOLD,
    Split,
    bootstrap_mean,
    fit_logistic,
    grouped_folds,
    held_out_splits,
    rate,
    roc_auc,
    roc_auc_interval,
    youden_threshold,
)
from dominance.models.drawing import Drawing
from dominance.models.source import ModelSource, find_source
from dominance.probes.sites import attention_sites, chosen_sites
from dominance.records import Interval, JudgeWarning, Rate, RunResult
from dominance.runs.audit.result import read_result
from dominance.runs.risk.calibration import Calibration, CalibrationDocument, document_values
from dominance.runs.risk.examples import Examples, examples_of, image_seeds, readable_prompts, usable_prompts
from dominance.runs.risk.options import CalibrationOptions
from dominance.runs.risk.preflight import FocusRule
from dominance.runs.stages.first_steps import Look, look_at
from dominance.runs.stages.judge_fit import warn
from dominance.runs.stages.model import RunModel

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

PENALTIES: tuple[float, ...] = (3.0, 30.0, 300.0, 3000.0)
"""Candidate ridge penalties, on standardised features."""

_FOLDS, _INNER_FOLDS = 10, 4
_RUN_SETTINGS = (
    "steps", "guidance", "height", "width", "dtype", "scheduler", "negative_prompt", "vae_tiling", "revision",
    "variant", "model_config"
)  # fmt: skip


@dataclass(frozen=True)
class RuleQuality:
    """How well one rule does.

    Attributes:
        auc: area under the ROC curve; ``interval`` is a bootstrap over prompts.
        flagged: positives at high risk.
        false_alarms: others at high risk.
        named: positives whose dominating concept the rule names.
    """

    rule: str
    auc: float
    interval: Interval
    threshold: float
    flagged: Rate
    false_alarms: Rate
    named: Rate


@dataclass(frozen=True)
class LayerQuality:
    """What one layer shows, with bootstrap intervals over prompts.

    Attributes:
        focus_positive, focus_other: mean focus scores.
        auc: of the focus score on these examples, with its ``interval``; optimistic for the best of several layers.
        named: positives whose dominating concept the layer names.
    """

    layer: int
    focus_positive: float
    focus_positive_interval: Interval
    focus_other: float
    focus_other_interval: Interval
    auc: float
    interval: Interval
    named: Rate


@dataclass(frozen=True)
class Evidence:
    """What a calibration rests on.

    Attributes:
        n, positives: number of examples (prompts or images), and of positive ones.
        left_out: number of unusable prompts, by reason.
        calibrated: each example is scored by a model fitted without it; ``flagged`` and ``false_alarms`` use
            thresholds chosen on the other folds, ``threshold`` is the final rule's, chosen on all scores.
        paper: the paper's rule on the same examples; None if its layers were not recorded.
        layers: each layer alone.
        judge_warnings: reasons to mistrust the verdicts that the rule is fitted to.
    """

    run: str
    suite: str
    judge: str
    n: int
    positives: int
    left_out: dict[str, int]
    seeds: tuple[int, ...] | None
    seed: int
    calibrated: RuleQuality
    paper: RuleQuality | None
    layers: tuple[LayerQuality, ...]
    judge_warnings: tuple[JudgeWarning, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibrationReport(Evidence):
    """A calibration and the evidence for it."""

    calibration: Calibration


@dataclass(frozen=True, kw_only=True)
class ReportDocument(CalibrationDocument):
    """The content of the calibration's file: what the rule needs, and the evidence."""

    evidence: Evidence


def document_of(report: CalibrationReport) -> ReportDocument:
    """The document of a report."""
    evidence = Evidence(**{name: value for name, value in vars(report).items() if name != "calibration"})
    return ReportDocument(**document_values(report.calibration), evidence=evidence)


def calibrate(
    run: Path | str,
    model: "str | DiffusionPipeline | None" = None,
    out: Path | str | None = None,
    options: CalibrationOptions | None = None,
    looking: Callable[..., list[Look]] | None = None,
) -> CalibrationReport:
    """Fits the calibrated rule on a run's verdicts, validates it, and writes it to a file.

    Args:
        run: the folder of an audit.
        model: the model that made the run's images, by name or as your own pipeline; None for the one the run names.
        out: the file; ``calibration.json`` in the run folder by default.
        looking: gives the first steps in place of ``look_at``, such as those that were kept.

    Raises:
        InputError: the run has no prompts with two concepts, or only positive or only negative ones; or an option
            contradicts the run's settings.
        RunError: there is no run folder, nothing in it is scored, or its model has changed.
    """
    options = options or CalibrationOptions()
    if options.early:
        raise InputError("early is of `dominance.calibrate_early`, which asks the run's judge again; leave it out here")
    result = read_result(Path(run))
    warn(result.judge_warnings)
    usable, left_out = usable_prompts(result)
    drawn = model_of(result, model, options)
    usable, left_out = readable_prompts(usable, left_out, drawn)
    sites = chosen_sites(attention_sites(drawn().pipeline), options.layers)
    looks = (looking or look_at)(
        drawn,
        [judged.prompt for judged in usable],
        [image_seeds(judged) if options.label == "image" else options.seeds for judged in usable],
        [site.layer for site in sites],
        options.tokens,
    )
    pairs = zip(usable, looks, strict=True)
    examples = Examples([example for judged, look in pairs for example in examples_of(judged, look, options.label)])
    report = _report(examples, drawn, result, left_out, options)
    file = Path(out) if out is not None else Path(run) / "calibration.json"
    write_whole(file, json_bytes(document_of(report), indent=1))
    return report


def model_of(result: RunResult, model: "str | DiffusionPipeline | None", options: CalibrationOptions) -> RunModel:
    """The model that made the run's images, with the run's settings; the options fill in what the run does not record.

    Raises:
        RunError: the model is unknown, or has changed.
        InputError: an option contradicts the run's settings.
    """
    made_by = cast(dict[str, Any] | None, result.manifest.get("model"))
    if made_by is None and model is None:
        raise RunError(f"the run in {result.run} does not say which model made its images; give --model")
    recorded = vars(result.settings) if made_by is not None else {}
    known = {name: recorded[name] for name in _RUN_SETTINGS if recorded.get(name) is not None}
    added = made_by.get("adapters") if made_by is not None else None
    if isinstance(added, list):  # of the caller's own pipeline it is a mapping
        known["adapters"] = tuple(str(adapter["given"]) for adapter in added)
    source = find_source(result.model if model is None else model, replace(options.drawing, **known))
    if made_by is not None:
        _check_same_drawing(Drawing(**known), options.drawing, source)
    drawn = RunModel(source, replace(options.drawing, **known), options.machine)
    if made_by is not None and made_by["identity"] != drawn.source.identity:
        raise RunError(
            f"the images of the run in {result.run} were made by {result.model!r} ({made_by['identity']}), and"
            f" {drawn.source.name!r} is now {drawn.source.identity}; audit the current model into a new run folder"
        )
    return drawn


def _check_same_drawing(run: Drawing, given: Drawing, source: ModelSource) -> None:
    """Raises an InputError for a drawing option that contradicts the run's settings."""
    usual = Drawing()
    asked = {name: getattr(given, name) for name in _RUN_SETTINGS if getattr(given, name) != getattr(usual, name)}
    made, wanted = (drawing.settings(source).record() for drawing in (run, replace(run, **asked)))
    for name in ("revision", "variant", "model_config"):
        made[name], wanted[name] = getattr(run, name), asked.get(name, getattr(run, name))
    for name, value in asked.items():
        if made.get(name) != wanted.get(name):
            shown = "the model's own" if made.get(name) is None else repr(made[name])
            raise InputError(f"{name} is {value!r}, but the run used {shown}; leave it out")


def _report(
    examples: Examples, drawn: RunModel, result: RunResult, left_out: dict[str, int], options: CalibrationOptions
) -> CalibrationReport:
    _check_kinds(examples.positive, options)
    splits = _splits(examples, options)
    scores, named = _held_out(examples, splits, options.seed)
    held = np.flatnonzero(np.isfinite(scores))
    if len(held) < len(examples):
        left_out = left_out | {"examples whose training set is all positive or all negative": len(examples) - len(held)}
    if len(set(examples.positive[held].tolist())) < 2:
        raise InputError(
            f"all positive or all negative prompts in {result.run} share their concepts, so they cannot be held out;"
            " give --hold-out prompt, or audit prompts with more concepts"
            if options.hold_out == "concept"
            else f"all positive or all negative examples in {result.run} come from one prompt; audit more prompts"
        )
    everything = np.arange(len(examples))
    penalty = _best_penalty(examples, everything, options.seed)
    calibration = Calibration(
        model=drawn.source.name,
        identity=drawn.source.identity,
        in_memory=find_source(drawn().pipeline).identity,
        label=options.label,
        hold_out=options.hold_out,
        tokens=options.tokens,
        layers=examples.layers,
        peak_layers=(examples.naming_layer(everything),),
        logistic=fit_logistic(examples.features, examples.positive, penalty),
        penalty=penalty,
        threshold=youden_threshold(scores[held], examples.positive[held]),
    )
    high = _flagged(examples, splits, scores, calibration.threshold)
    calibrated = _quality("calibrated", examples, held, scores, calibration.threshold, high, named, options.seed)
    paper = None
    if set(PAPER_LAYERS) <= set(examples.layers):
        rule = FocusRule()
        focus, named = examples.focus_of(rule.layers), examples.named_by(rule.layers)
        high = focus >= PAPER_THRESHOLD
        paper = _quality(rule.words, examples, held, focus, PAPER_THRESHOLD, high, named, options.seed)
    return CalibrationReport(
        calibration=calibration,
        run=result.run,
        suite=result.suite,
        judge=result.judge,
        n=len(held),
        positives=int(examples.positive[held].sum()),
        left_out=left_out,
        seeds=None if options.label == "image" else options.seeds,
        seed=options.seed,
        calibrated=calibrated,
        paper=paper,
        layers=tuple(_layer_quality(examples, held, layer, options.seed) for layer in examples.layers),
        judge_warnings=result.judge_warnings,
    )


def _check_kinds(positive: Bool[np.ndarray, " example"], options: CalibrationOptions) -> None:
    """Raises an InputError unless at least two examples are positive and two are not."""
    what, kind = ("prompts", "dominance") if options.label == "prompt" else ("images", "collapsed")
    count = int(positive.sum())
    if min(count, len(positive) - count) < 2:
        raise InputError(
            f"{count} of the {len(positive)} usable {what} have the verdict {kind}; a calibration needs at least"
            " two that do and two that do not: audit more prompts"
        )


def _held_out(
    examples: Examples, splits: tuple[Split, ...], seed: int
) -> tuple[Float[np.ndarray, " example"], Bool[np.ndarray, " example"]]:
    """For each example, by a model fitted without it: the probability, and whether the dominating concept is named.

    The probability is NaN if the training set is all positive or all negative.
    """
    scores = np.full(len(examples), np.nan)
    named = np.zeros(len(examples), dtype=bool)
    for train, test in splits:
        if len(set(examples.positive[train].tolist())) < 2:
            continue
        penalty = _best_penalty(examples, train, seed)
        model = fit_logistic(examples.features[train], examples.positive[train], penalty)
        scores[test] = model.probability(examples.features[test])
        named[test] = examples.named[test, examples.layers.index(examples.naming_layer(train))]
    return scores, named


def _flagged(
    examples: Examples, splits: tuple[Split, ...], scores: Float[np.ndarray, " example"], threshold: float
) -> Bool[np.ndarray, " example"]:
    """Which examples reach a threshold chosen on their training set's scores.

    The given threshold applies if the training set is all positive or all negative.
    """
    high = np.zeros(len(examples), dtype=bool)
    for train, test in splits:
        others = train[np.isfinite(scores[train])]
        if len(set(examples.positive[others].tolist())) == 2:
            high[test] = scores[test] >= youden_threshold(scores[others], examples.positive[others])
        else:
            high[test] = scores[test] >= threshold
    return high


def _splits(examples: Examples, options: CalibrationOptions) -> tuple[Split, ...]:
    if options.hold_out == "concept":
        return held_out_splits(examples.concepts)
    return grouped_folds(examples.prompts, examples.positive, _FOLDS, options.seed)


def _best_penalty(examples: Examples, rows: Int[np.ndarray, " row"], seed: int) -> float:
    """The penalty with the lowest log loss on inner folds of these examples; the largest in a tie."""
    positive, features = examples.positive[rows], examples.features[rows]
    groups = [examples.prompts[row] for row in rows]
    if len(set(groups)) < 2:
        return max(PENALTIES)
    folds = grouped_folds(groups, positive, _INNER_FOLDS, seed)
    splits = [(train, test) for train, test in folds if len(set(positive[train].tolist())) > 1]
    share = np.where(positive, 0.5 / positive.mean(), 0.5 / (~positive).mean())
    losses = dict.fromkeys(sorted(PENALTIES, reverse=True), 0.0)
    for penalty in losses:
        for train, test in splits:
            said = fit_logistic(features[train], positive[train], penalty).probability(features[test])
            right = np.where(positive[test], said, 1 - said).clip(min=1e-12)
            losses[penalty] -= float(share[test] @ np.log(right))
    return min(losses, key=lambda penalty: losses[penalty])


def _quality(
    rule: str,
    examples: Examples,
    rows: Int[np.ndarray, " row"],
    scores: Float[np.ndarray, " example"],
    threshold: float,
    high: Bool[np.ndarray, " example"],
    named: Bool[np.ndarray, " example"],
    seed: int,
) -> RuleQuality:
    positive, prompts = examples.positive[rows], [examples.prompts[row] for row in rows]
    high = high[rows]
    nameable = examples.with_dominating[rows]
    return RuleQuality(
        rule=rule,
        auc=roc_auc(scores[rows], positive),
        interval=roc_auc_interval(scores[rows], positive, prompts, seed=seed),
        threshold=threshold,
        flagged=rate(int(high[positive].sum()), int(positive.sum())),
        false_alarms=rate(int(high[~positive].sum()), int((~positive).sum())),
        named=rate(int(named[rows][nameable].sum()), int(nameable.sum())),
    )


def _layer_quality(examples: Examples, rows: Int[np.ndarray, " row"], layer: int, seed: int) -> LayerQuality:
    positive, focus = examples.positive[rows], examples.focus_of((layer,))[rows]
    prompts = [examples.prompts[row] for row in rows]
    nameable, named = examples.with_dominating[rows], examples.named_by((layer,))[rows]
    means, intervals = [], []
    for kind in (positive, ~positive):
        clusters: dict[str, list[float]] = {}
        for row in np.flatnonzero(kind):
            clusters.setdefault(prompts[row], []).append(float(focus[row]))
        means.append(float(focus[kind].mean()))
        intervals.append(bootstrap_mean(list(clusters.values()), seed=seed))
    return LayerQuality(
        layer=layer,
        focus_positive=means[0],
        focus_positive_interval=intervals[0],
        focus_other=means[1],
        focus_other_interval=intervals[1],
        auc=roc_auc(focus, positive),
        interval=roc_auc_interval(focus, positive, prompts, seed=seed),
        named=rate(int(named[nameable].sum()), int(nameable.sum())),
    )
