"""The same prompt and seed in several ways of drawing, and how much more often one shows every concept than another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from dominance.metrics.measured import Measured, of_clusters
from dominance.reproduce.impossible import ImpossibleError
from dominance.runs.mitigation.result import MitigatedPrompt
from dominance.runs.reproduction.result import Group, Plot
from dominance.runs.stages.method_names import PLAIN

Outcome = Literal["whole", "collapsed"]
KINDS: Mapping[Outcome, str] = {"whole": "images that show every concept", "collapsed": "images that collapse"}


@dataclass(frozen=True)
class Outcomes:
    """One image in every way of drawing: 1 where it is so, else 0.

    Attributes:
        whole: whether it shows every concept.
    """

    whole: dict[str, float]
    collapsed: dict[str, float]


Rows = Sequence[Sequence[Outcomes]]
"""Of each prompt, its images."""


def outcomes_of(prompts: Sequence[MitigatedPrompt], methods: Sequence[str]) -> list[list[Outcomes]]:
    """Of every image that is scored plain and by all of these methods.

    Raises:
        ImpossibleError: there are none.
    """
    rows = [own for prompt in prompts if (own := _of_prompt(prompt, (PLAIN, *methods)))]
    if not rows:
        raise ImpossibleError("no image could be scored in every way that it was drawn")
    return rows


def _of_prompt(prompt: MitigatedPrompt, arms: Sequence[str]) -> list[Outcomes]:
    listed = [{arm: image.shots[arm] for arm in arms if arm in image.shots} for image in prompt.images]
    return [
        Outcomes(
            {arm: float(set(prompt.concepts) <= set(shot.present)) for arm, shot in shots.items()},
            {arm: float(shot.verdict == "collapsed") for arm, shot in shots.items()},
        )
        for shots in listed
        if len(shots) == len(arms) and all(shot.verdict is not None for shot in shots.values())
    ]


def share_by(rows: Rows, kind: Outcome, method: str) -> float:
    """The share of all images."""
    return fmean(getattr(image, kind)[method] for own in rows for image in own)


def change_by(rows: Rows, kind: Outcome, method: str, against: str = PLAIN) -> Measured:
    """How many more images it is so of than of the same images in the other way."""
    return of_clusters(
        [[getattr(image, kind)[method] - getattr(image, kind)[against] for image in own] for own in rows], most=1
    )


def plot_of_whole(rows: Rows, said: Mapping[str, str]) -> Plot:
    """The share of each prompt's images that show every concept, by way of drawing.

    Args:
        said: what each way is called.
    """
    groups = tuple(
        Group(
            words, tuple(fmean(image.whole[method] for image in own) for own in rows), share_by(rows, "whole", method)
        )
        for method, words in said.items()
    )
    return Plot("groups", "share of a prompt's images that show every concept", groups, unit="share")
