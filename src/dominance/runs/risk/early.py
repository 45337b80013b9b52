"""Fits the threshold below which an image is given up at 40% of its steps, and validates it on held-out prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dominance.documents import json_bytes
from dominance.errors import InputError, RunError
from dominance.files import write_whole
from dominance.judges.options import Asking
from dominance.judges.protocol import Judge
from dominance.metrics import abort_threshold, grouped_folds, rate, roc_auc, roc_auc_interval, usable_cost
from dominance.models.on_demand import OnDemand
from dominance.models.source import find_source
from dominance.numbers import plural
from dominance.progress import Progress
from dominance.records import Prompt, PromptResult, Rate, RunResult
from dominance.runs.audit.result import read_result, recorded_plan
from dominance.runs.risk.calibrate import model_of
from dominance.runs.risk.options import CalibrationOptions, PreflightOptions
from dominance.runs.risk.preflight import has_rule, predict
from dominance.runs.stages.early import (
    AT,
    EarlyCalibration,
    EarlyEvidence,
    GivenUpError,
    Watch,
    calls_back,
    look_after,
    score_of,
)
from dominance.runs.stages.judge_fit import warn
from dominance.runs.stages.judging import judge_for, refuse_named
from dominance.runs.stages.model import RunModel
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan
from dominance.wording import on_one_line

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

_FOLDS = 10
_CHANCE = 0.5
EARLY_NAME = "early.json"


@dataclass(frozen=True)
class _Seen:
    """An image of the run: its score at 40% of the steps, and whether it is usable in the end."""

    prompt: Prompt
    score: float
    usable: bool


def calibrate_early(
    run: Path | str,
    model: "str | DiffusionPipeline | None" = None,
    judge: str | Judge | None = None,
    out: Path | str | None = None,
    options: CalibrationOptions | None = None,
) -> EarlyCalibration:
    """Draws the first 40% of a run's images again, asks its judge about the predicted pictures, and fits a threshold.

    Args:
        run: the folder of an audit without a method.
        model: the model that made the run's images; None for the one the run names.
        judge: the run's own, where it was made in Python; None for the one the run names.
        out: the file; ``early.json`` in the run folder by default.

    Raises:
        InputError: the run has no prompt with two concepts, no usable image or none that is not, too few prompts; a
            judge that does not look at images; or an option contradicts the run's settings.
        RunError: there is no run folder, nothing in it is scored, or its model or judge has changed.
    """
    options = options or CalibrationOptions(early=True)
    result = read_result(Path(run))
    warn(result.judge_warnings)
    if result.settings.method not in (None, "none"):
        raise InputError(
            f"the run in {on_one_line(run, 120)} is drawn under {result.settings.method}; give one of plain images"
        )
    pairs = [judged for judged in result.prompts if len(judged.prompt.concepts) > 1]
    images = {judged.prompt.id: _scored(judged) for judged in pairs}
    _check(result, images)
    drawn = model_of(result, model, options)
    asked = OnDemand(lambda: _judge(Path(run), result, judge, options.machine.device))
    asked()
    scores, unseen = _looked(drawn, asked(), _plan_of(Path(run)), images, {j.prompt.id: j.prompt for j in pairs})
    left_out = {
        "images without a verdict": sum(len(judged.images) - len(images[judged.prompt.id]) for judged in pairs),
        "images whose predicted picture has no score": unseen,
    }
    found = _fitted(scores, drawn, asked(), result, left_out, options)
    write_whole(Path(out) if out is not None else Path(run) / EARLY_NAME, json_bytes(found, indent=1))
    return found


def _scored(judged: PromptResult) -> dict[int, bool]:
    """Whether each image of a prompt is usable, by its seed."""
    known = [image for image in judged.images if image.verdict is not None and image.seed is not None]
    return {image.seed: image.verdict == "balanced" for image in known if image.seed is not None}


def _check(result: RunResult, images: Mapping[str, Mapping[int, bool]]) -> None:
    """Raises an InputError unless there are images of both kinds, of two prompts or more."""
    usable = [good for own in images.values() for good in own.values()]
    if min(sum(usable), len(usable) - sum(usable)) < 2 or sum(map(bool, images.values())) < 2:
        raise InputError(
            f"{sum(usable)} of {plural(len(usable), 'image')} in {on_one_line(result.run, 120)} that should show two"
            " concepts show all; an early calibration needs two that do, two that do not, and two prompts: audit more"
        )


def _plan_of(run: Path) -> Plan:
    with Ledger(run / LEDGER_NAME) as ledger:
        plan = recorded_plan(ledger, run)
    if plan is None:
        raise RunError(f"the run in {run} has no plan yet; run its `dominance audit` command again")
    return plan


def _judge(run: Path, result: RunResult, judge: str | Judge | None, device: str) -> Judge:
    """The run's judge.

    Raises:
        RunError: it is not the one that answered.
    """
    plan, more = _plan_of(run), result.settings.more
    given = more.get("judge_option")
    asking = Asking(
        judge_mode=result.settings.judge_mode or "fast",
        judge_option=tuple(map(str, given)) if isinstance(given, list) else (),
    )
    found = judge_for(plan.questions, result.judge if judge is None else judge, device, asking)
    refuse_named(found, "the pictures in the middle of drawing are new")
    if found.identity != plan.judge_identity:
        raise RunError(
            f"the run in {on_one_line(run, 120)} was judged by {result.judge!r} ({plan.judge_identity}), which is now"
            f" {found.identity}; audit again, which judges every image anew"
        )
    return found


def _looked(
    drawn: RunModel,
    judge: Judge,
    plan: Plan,
    images: Mapping[str, Mapping[int, bool]],
    prompts: Mapping[str, Prompt],
) -> tuple[list[_Seen], int]:
    """Every image's score, and how many have none."""
    found: list[_Seen] = []
    total = sum(map(len, images.values()))
    if look_after(drawn.settings.steps, AT) is None:
        raise InputError(f"the run has {drawn.settings.steps} step, so there is nothing to save; audit with more steps")
    if not calls_back(drawn().pipeline):
        raise InputError(
            f"{type(drawn().pipeline).__name__} calls nothing after its steps, so its images can neither be looked at"
            " nor given up while they are drawn; calibrate without --early"
        )
    with Progress("looks", total=total, each="a look") as progress:
        for id, own in images.items():
            seeds = list(own)
            for start in range(0, len(seeds), drawn.batches().size):
                part = seeds[start : start + drawn.batches().size]
                seen = early_pictures(drawn, prompts[id], part)
                questions = plan.asked_about(prompts[id])
                for seed, picture in zip(part, seen, strict=True):
                    score = score_of(judge, picture, prompts[id], questions)
                    found += [] if score is None else [_Seen(prompts[id], score, own[seed])]
                progress.advance(len(part))
    return found, total - len(found)


def early_pictures(drawn: RunModel, prompt: Prompt, seeds: Sequence[int]) -> list[Any]:
    """The predicted pictures of a prompt's images at 40% of the steps, where their drawing ends."""
    from dominance.probes.predicted import predictions

    settings, shown = drawn.settings.of(prompt), []

    def look(made: list[Any]) -> bool:
        shown.extend(made)
        return False

    with predictions(drawn().pipeline) as seen:
        watch = Watch(seen, AT, (settings.height, settings.width), look)
        try:
            drawn().generate([prompt.text] * len(seeds), seeds, settings, watch)
        except GivenUpError:
            return shown
    raise RunError("the drawing ended without the judge's look")


def _fitted(
    seen: Sequence[_Seen],
    drawn: RunModel,
    judge: Judge,
    result: RunResult,
    left_out: dict[str, int],
    options: CalibrationOptions,
) -> EarlyCalibration:
    scores, usable = np.array([each.score for each in seen]), np.array([each.usable for each in seen], dtype=bool)
    if usable.all() or not usable.any():
        raise InputError(
            f"the judge scores {plural(len(seen), 'predicted picture')}, all of one kind; audit more prompts"
        )
    texts = [each.prompt.text for each in seen]
    interval = roc_auc_interval(scores, usable, texts, seed=options.seed)
    tells = interval[0] > _CHANCE
    threshold = abort_threshold(scores, usable, AT, options.false_aborts) if tells else None
    given_up = np.zeros(len(seen), dtype=bool)
    for train, test in grouped_folds(texts, ~usable, _FOLDS, options.seed):
        if tells and usable[train].any():
            given_up[test] = scores[test] < abort_threshold(scores[train], usable[train], AT, options.false_aborts)
    flags = np.where(given_up, 0.0, 1.0)
    cost = usable_cost(flags, usable, 0.5, AT) / usable_cost(flags, usable, 0.0, AT)
    return EarlyCalibration(
        model=drawn.source.name,
        identity=drawn.source.identity,
        judge=judge.name,
        judge_identity=judge.identity,
        in_memory=find_source(drawn().pipeline).identity,
        at=AT,
        steps=drawn.settings.steps,
        threshold=threshold,
        evidence=EarlyEvidence(
            run=result.run,
            suite=result.suite,
            prompts=len(set(texts)),
            images=len(seen),
            usable=rate(int(usable.sum()), len(seen)),
            usable_by_risk=_by_risk(seen, drawn, options),
            auc=roc_auc(scores, usable),
            interval=interval,
            caught=rate(int((given_up & ~usable).sum()), int((~usable).sum())),
            false_aborts=rate(int((given_up & usable).sum()), int(usable.sum())),
            cost=float(cost) if np.isfinite(cost) else None,
            most_false=options.false_aborts,
            left_out={reason: count for reason, count in left_out.items() if count},
            seed=options.seed,
        ),
    )


def _by_risk(seen: Sequence[_Seen], drawn: RunModel, options: CalibrationOptions) -> dict[str, Rate]:
    """How many images are usable at high and at low risk; empty for a model without a rule."""
    asked = PreflightOptions(machine=options.machine)
    if not has_rule(drawn.source, asked):
        return {}
    prompts = list({each.prompt.id: each.prompt for each in seen}.values())
    risks = {p.id: found.risk for p, found in zip(prompts, predict(drawn, prompts, asked, told=True), strict=True)}
    by_risk: dict[str, list[bool]] = {}
    for each in seen:
        by_risk.setdefault(risks[each.prompt.id] or "uncalibrated", []).append(each.usable)
    return {risk: rate(sum(own), len(own)) for risk, own in sorted(by_risk.items())}
