"""The judge on the predicted picture: an image that will fail is given up at 40% of its steps.

The score of a predicted picture is the mean P(yes) of the concept that the judge sees least. Where it lies below a
threshold, the image is given up; which threshold, ``dominance calibrate --early`` finds on an audited run.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import FiniteFloat

from dominance.documents import Counted, from_json
from dominance.errors import InputError, ItemError
from dominance.judges.protocol import Judge
from dominance.miniature.bundled import bundled_folder
from dominance.records import Answer, Interval, Prompt, Question
from dominance.wording import complaint

AT: float = 0.4
"""Share of the steps after which the judge looks."""
NONE: str = "none"
"""Given in a calibration's place: no image is given up."""
CALLBACK: str = "callback_on_step_end"
"""Argument of a pipeline's call: what it calls after each of its steps."""


@dataclass(frozen=True, kw_only=True)
class EarlyEvidence:
    """What the threshold rests on, each image judged by a threshold that was chosen without its prompt.

    Attributes:
        images: of prompts that name two concepts or more, drawn plain, with a verdict.
        usable: of these, those that show every concept when they are finished.
        usable_by_risk: the same by the risk that preflight predicts for their prompts; empty without a rule.
        auc: how often a usable image has the higher score; its interval is clustered by prompt.
        caught: of the images that are not usable, those that are given up.
        false_aborts: of the usable images, those that are given up.
        cost: of a usable image with giving up, over that without, both in denoising steps.
        most_false: share of usable images that the threshold may give up, on the images that it is chosen on.
        left_out: number of images that cannot be used, by reason.
        seed: of the folds and the bootstrap.
    """

    run: str
    suite: str
    prompts: int
    images: int
    usable: Counted
    usable_by_risk: dict[str, Counted] = field(default_factory=dict)
    auc: float
    interval: Interval
    caught: Counted
    false_aborts: Counted
    cost: float | None
    most_false: float
    left_out: dict[str, int] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class EarlyCalibration:
    """From which score on an image is finished.

    Attributes:
        model, identity: the only model that it holds for.
        in_memory: what the same model is known by as a pipeline of the caller's own.
        judge, judge_identity: the only judge.
        at: share of the steps after which the judge looks.
        steps: of the images that it was fitted on.
        threshold: an image that scores less is given up; None where the judge cannot tell at that step.
    """

    format: Literal[1] = 1
    model: str
    identity: str
    judge: str
    judge_identity: str
    at: FiniteFloat
    steps: int
    threshold: FiniteFloat | None
    evidence: EarlyEvidence
    in_memory: str | None = None

    def holds_for(self, identity: str, judge_identity: str) -> bool:
        """Whether this is its model and its judge."""
        return identity in (self.identity, self.in_memory) and judge_identity == self.judge_identity


def early_score(prompt: Prompt, answers: Sequence[Answer]) -> float | None:
    """The mean P(yes) of the concept that is seen least, 0 to 1; None where a question has no answer.

    A judge without probabilities counts as sure of what it says.
    """
    means = []
    for concept in prompt.concepts:
        own = [answer for answer in answers if answer.question.concept == concept.name]
        if not own or any(answer.yes is None for answer in own):
            return None
        means.append(sum(float(bool(a.yes)) if a.p_yes is None else a.p_yes for a in own) / len(own))
    return min(means, default=None)


def score_of(judge: Judge, picture: Any, prompt: Prompt, questions: Sequence[Question]) -> float | None:
    """What the judge makes of a predicted picture; None where there is none, or the judge gave no answer."""
    if isinstance(picture, ItemError):
        return None
    try:
        (answers,) = judge.answer([picture], [questions])
    except ItemError:
        return None
    return early_score(prompt, answers)


def calls_back(pipeline: Any) -> bool:
    """Whether the pipeline calls something after each of its steps, so that its pictures can be looked at."""
    from dominance.models.calls import call_of

    return CALLBACK in call_of(pipeline).parameters


def read_early(file: Path) -> EarlyCalibration:
    """The calibration that a file holds.

    Raises:
        InputError: the file cannot be read, or this version does not understand it.
    """
    shown, makes = str(file)[:120], "`dominance calibrate RUN --early`"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the early calibration {shown} cannot be read ({complaint(error)}); give the JSON file that {makes} wrote"
        ) from None
    try:
        return from_json(EarlyCalibration, document)
    except ValueError as error:
        raise InputError(
            f"{shown} is not an early calibration of this version ({complaint(error)}); make one with {makes}"
        ) from None


def find_early(file: Path | None, identity: str, judge_identity: str) -> EarlyCalibration | None:
    """The calibration of this model and judge, as given or bundled; None for none.

    Args:
        file: as the user gave it; ``none`` for none.

    Raises:
        InputError: the file cannot be read, or is of another model or judge.
    """
    if str(file) == NONE:
        return None
    if file is not None:
        found = read_early(file)
        if found.holds_for(identity, judge_identity):
            return found
        raise InputError(
            f"the early calibration {str(file)[:120]} was made for {found.model!r} ({found.identity}) and the judge"
            f" {found.judge!r} ({found.judge_identity}), not for this model and judge ({identity}, {judge_identity});"
            " make one with `dominance calibrate RUN --early`, or give --early none"
        )
    folder = bundled_folder("calibrations", "early")
    bundled = (read_early(each) for each in sorted(folder.glob("*.json"))) if folder.is_dir() else ()
    return next((each for each in bundled if each.holds_for(identity, judge_identity)), None)


class GivenUpError(Exception):
    """A call of the pipeline was ended because of what its predicted picture shows."""


class Watch:
    """Looks at the predicted pictures of a call at one of its steps: a pipeline's ``callback_on_step_end``.

    Args:
        seen: of ``probes.predicted``: the predictions of the pipeline at work.
        at: share of the steps after which it looks, once a call.
        sides: height and width that the call was given.
        look: is shown the pictures, one an image, and says whether to go on.
        give_up: ends the call.
    """

    def __init__(
        self,
        seen: Any,
        at: float,
        sides: tuple[int | None, int | None],
        look: Callable[[list[Any]], bool],
        give_up: Callable[[Any], None] | None = None,
    ) -> None:
        self._seen, self._at, self._sides, self._look = seen, at, sides, look
        self._give_up = give_up or _raise

    def __call__(self, pipeline: Any, step: int, _timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        if step + 1 == look_after(len(pipeline.scheduler.timesteps), self._at) and not self._look(
            pictures(pipeline, self._seen, self._sides)
        ):
            self._give_up(pipeline)
        return given


def look_after(steps: int, at: float) -> int | None:
    """The number of steps after which the judge looks; None where there is no step left to save.

    >>> look_after(25, 0.4), look_after(2, 0.4), look_after(1, 0.4)
    (10, 1, None)
    """
    after = max(1, round(at * steps))
    return after if after < steps else None


def pictures(pipeline: Any, seen: Any, sides: tuple[int | None, int | None]) -> list[Any]:
    """The predicted pictures of the step that was just taken, or why one cannot be seen."""
    from dominance.models.image_model import as_image
    from dominance.probes.predicted import decoded

    return [as_image(pixels) for pixels in decoded(pipeline, seen.latents(), *sides)]


def _raise(_pipeline: Any) -> None:
    raise GivenUpError
