"""The judge's look in the middle of a call of the caller's own pipeline."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dominance.errors import InputError, ItemError
from dominance.judges.options import Asking
from dominance.judges.protocol import Judge
from dominance.models.source import find_source
from dominance.runs.stages.early import AT, EarlyCalibration, Watch, find_early, score_of
from dominance.runs.stages.judging import judge_for, questions_of, refuse_named
from dominance.suites import load_questions, parse_prompt

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@dataclass
class Watched:
    """What a pipeline is given as ``callback_on_step_end``; afterwards, what it saw in the last call.

    Attributes:
        threshold: an image that scores less will fail.
        scores: of the predicted pictures, one an image; None where the judge gave no answer.
        pictures: themselves.
        given_up: whether no image of the call reached the threshold, so that the call was ended.
    """

    threshold: float
    scores: list[float | None] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)
    given_up: bool = False
    _watch: Watch | None = field(default=None, repr=False)

    def __call__(self, pipeline: Any, step: int, timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        if step == 0:
            self.scores, self.pictures, self.given_up = [], [], False
        return given if self._watch is None else self._watch(pipeline, step, timestep, given)


@contextlib.contextmanager
def watch(
    pipeline: "DiffusionPipeline",
    prompt: str,
    judge: str | Judge = "miniature",
    early: Path | str | None = None,
    *,
    threshold: float | None = None,
    height: int | None = None,
    width: int | None = None,
) -> Generator[Watched]:
    """Has the judge look at the predicted picture at 40% of the steps of your own call, and ends it if that will fail.

    Ended, the pipeline skips the steps that are left and hands over an image that is not finished. A call that draws
    several images is ended when all of them will fail.

    Args:
        prompt: with its concepts in brackets.
        early: the file by ``dominance calibrate --early``; None for the model's own.
        threshold: instead of a calibration's.
        height, width: as the call is given them; only FLUX's latents do not say.

    Raises:
        InputError: no threshold is known of this model and judge, or the judge cannot tell at 40% of the steps.

    >>> with dominance.watch(pipeline, "a [castle:landmark] and a [mug]") as watched:  # doctest: +SKIP
    ...     image = pipeline("a castle and a mug", callback_on_step_end=watched).images[0]
    >>> watched.given_up  # doctest: +SKIP
    True
    """
    from dominance.probes.predicted import predictions

    marked = parse_prompt(prompt, "the prompt")
    asked = {concept: load_questions().ask(concept) for concept in marked.concepts}
    seen_by = judge_for(asked, judge, "auto", Asking())
    refuse_named(seen_by, "a picture in the middle of drawing is new")
    questions = [question for own in questions_of(seen_by, asked).values() for question in own]
    found = (
        None if threshold is not None else find_early(_path(early), find_source(pipeline).identity, seen_by.identity)
    )
    watched = Watched(_threshold(found) if threshold is None else threshold)

    def look(pictures: list[Any]) -> bool:
        watched.pictures = pictures
        watched.scores = [score_of(seen_by, picture, marked, questions) for picture in pictures]
        sound = [score for score, picture in zip(watched.scores, pictures, strict=True) if _sound(picture)]
        return any(score is None or score >= watched.threshold for score in sound)

    def give_up(own: Any) -> None:
        watched.given_up = True
        own._interrupt = True

    with predictions(pipeline) as seen:
        at = AT if found is None else found.at
        watched._watch = Watch(seen, at, (height, width), look, give_up)
        yield watched


def _sound(picture: Any) -> bool:
    return not isinstance(picture, ItemError)


def _path(early: Path | str | None) -> Path | None:
    return None if early is None else Path(early)


def _threshold(found: EarlyCalibration | None) -> float:
    """The calibration's threshold.

    Raises:
        InputError: there is none.
    """
    if found is None:
        raise InputError(
            "it is not known from which score on this judge's images of this model will do; find it out by `dominance"
            " calibrate RUN --early` on an audited run and give the file as early=, or give threshold="
        )
    if found.threshold is None:
        raise InputError(
            f"at {found.at:.0%} of the steps this judge cannot tell what will fail; give another judge, or threshold="
        )
    return found.threshold
