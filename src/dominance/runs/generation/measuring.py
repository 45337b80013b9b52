"""From all that was drawn to what a usable image takes, and what plain rejection takes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dominance.metrics import cost_ratio, rate
from dominance.records import Rate, RunResult, ScoredImage
from dominance.runs.generation.result import EarlyLook, GeneratedPrompt, GenerationResult
from dominance.runs.stages.early import EarlyCalibration
from dominance.runs.stages.measures import measured_means


def measure(
    prompts: Sequence[GeneratedPrompt],
    whole: RunResult,
    scored: Mapping[str, Sequence[ScoredImage]],
    early: EarlyCalibration | None,
    wanted: int,
    budget: int,
    plain: float,
    notes: Sequence[str],
) -> GenerationResult:
    """The result of a run.

    Args:
        whole: of all finished images together.
        scored: the usable images of each prompt, by its id, in the order of its attempts.
        plain: network evaluations of one plain image.
    """
    usable = sum(len(prompt.usable) for prompt in prompts)
    spent = sum(prompt.evaluations for prompt in prompts)
    checked = [(prompt, prompt.rejection) for prompt in prompts if prompt.rejection is not None]
    own = [(prompt.evaluations, len(prompt.usable)) for prompt, _ in checked]
    plainly = [(found.evaluations, found.usable) for _, found in checked]
    gained = sum(images for _, images in plainly)
    ratio, interval = None, None
    if gained and any(images for _, images in own):
        ratio, interval = cost_ratio(own, plainly)
    handed = [pair for prompt in prompts for pair in zip(prompt.usable, scored.get(prompt.id, ()), strict=True)]
    ways = dict.fromkeys(attempt.way for attempt, _ in handed)
    finished = [each.finished for prompt in prompts for each in prompt.attempts if each.finished is not None]
    return GenerationResult(
        run=whole.run,
        suite=whole.suite,
        model=whole.model,
        judge=whole.judge,
        settings=whole.settings.record(),
        wanted=wanted,
        budget=budget,
        plain_evaluations=plain,
        early=None if early is None else _look(early),
        prompts=tuple(_with_scores(prompt, scored.get(prompt.id, ())) for prompt in prompts),
        per_usable=spent / usable if usable else None,
        expected_plain=None if early is None else expected_plain(prompts, early.evidence.usable_by_risk, plain),
        plain_per_usable=sum(evaluations for evaluations, _ in plainly) / gained if gained else None,
        ratio=ratio,
        ratio_interval=interval,
        false_aborts=rate(sum(finished), len(finished)) if finished else None,
        notes=tuple(notes),
        manifest=whole.manifest,
        judge_warnings=whole.judge_warnings,
        measures=measured_means([image for _, image in handed]),
        measures_by_way={way: measured_means([image for one, image in handed if one.way == way]) for way in ways},
    )


def _with_scores(prompt: GeneratedPrompt, scored: Sequence[ScoredImage]) -> GeneratedPrompt:
    """The prompt with what models that answer no questions say of its usable images."""
    rest = iter(scored)
    attempts = [
        replace(each, scores=next(rest).scores) if each.outcome == "usable" else each for each in prompt.attempts
    ]
    return replace(prompt, attempts=tuple(attempts))


def _look(early: EarlyCalibration) -> EarlyLook:
    return EarlyLook(early.at, early.threshold, early.evidence.caught, early.evidence.false_aborts)


def expected_plain(prompts: Sequence[GeneratedPrompt], shares: Mapping[str, Rate], plain: float) -> float | None:
    """Network evaluations for a usable image by plain rejection, by how often plain images at the same risk are usable.

    None where that is not known of a prompt's risk, or none of them was usable.
    """
    known = [shares.get(prompt.risk or "") for prompt in prompts if prompt.ended != "refused"]
    if not known or any(found is None or not found.count for found in known):
        return None
    return sum(plain * found.n / found.count for found in known if found is not None) / len(known)


def with_finished(prompt: GeneratedPrompt, finished: Mapping[str, bool]) -> GeneratedPrompt:
    """The prompt with what became of images that were given up and finished for a check, by their items and ways."""
    attempts = tuple(replace(each, finished=finished.get(f"{each.item} {each.way}")) for each in prompt.attempts)
    return replace(prompt, attempts=attempts)
