"""The result of an ablation, as its report shows it."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field

from dominance.documents import Counted, Keyed
from dominance.metrics import rate
from dominance.records import GroupResult, JudgeWarning, Rate, RunResult, ScoredImage
from dominance.runs.ablation.cooperation import HeadSets
from dominance.runs.ablation.interactions import Interactions
from dominance.runs.ablation.options import Sweep, Window
from dominance.runs.ablation.outcomes import (
    Judged,
    OutcomeRates,
    TrialTally,
    grouped,
    label,
    outcomes,
    tally,
)
from dominance.runs.ablation.variants import Head


@dataclass(frozen=True)
class GroupTally(TrialTally):
    """One group of prompts in a sweep: all its trials, and those by layer."""

    layers: tuple[TrialTally, ...]


@dataclass(frozen=True)
class SweepResult:
    """One sweep in one interval of steps.

    Attributes:
        variants: in forward order; empty for ``multi``, whose variants differ between prompts, and for ``sets``, which
            are listed by the half that chose them.
        layers: the same by layer or residual branch.
        left_out: number of prompts without a variant, such as those that no head mitigates.
        by_prompt: by the prompt's id, of its variants those that mitigate most of its collapsed images.
    """

    sweep: Sweep
    steps: str
    total: TrialTally
    variants: tuple[TrialTally, ...]
    layers: tuple[TrialTally, ...]
    groups: tuple[GroupTally, ...]
    left_out: Annotated[int, Field(alias="prompts_left_out")]
    by_prompt: dict[str, Counted] = field(default_factory=dict)


def sweep_result(sweep: Sweep, window: Window, judged: list[Judged], left_out: int = 0) -> SweepResult:
    """Counts a sweep's trials."""
    alike = (
        () if sweep in ("multi", "sets") else tuple(tally(name, own) for name, own in grouped(judged, label).items())
    )
    return SweepResult(
        sweep=sweep,
        steps=window.name,
        total=tally("all", judged),
        variants=alike,
        layers=_by_place(judged),
        groups=tuple(
            GroupTally(**vars(tally(name, members)), layers=_by_place(members))
            for name, members in grouped(judged, lambda trial: trial.prompt.group_name).items()
        ),
        left_out=left_out,
        by_prompt={
            prompt: tally(prompt, own).cases.mitigated
            for prompt, own in grouped(judged, lambda trial: trial.prompt.id).items()
        },
    )


def _by_place(judged: list[Judged]) -> tuple[TrialTally, ...]:
    """By layer or branch, in order, if every variant has exactly one."""
    by_number = grouped(judged, lambda trial: trial.variant.place)
    if None in by_number:
        return ()
    return tuple(
        tally(str(number), by_number[number]) for number in sorted(number for number in by_number if number is not None)
    )


@dataclass(frozen=True)
class WindowResult:
    """All images of the suite, edited in one interval of steps.

    Attributes:
        steps: the interval's name; ``none`` for the unedited images.
        collapsed, balanced: shares of the scored images.
        outcomes: of the images that are collapsed without the edit; None for the unedited images.
        groups: share of collapsed images by group.
    """

    steps: str
    collapsed: Counted
    balanced: Counted
    unscored: int
    outcomes: OutcomeRates | None
    groups: dict[str, Counted]


def window_result(steps: str, images: list[tuple[str, ScoredImage]], judged: list[Judged] | None) -> WindowResult:
    """Counts the images of an interval.

    Args:
        images: each with its group.
        judged: those that are collapsed without the edit.
    """
    scored = [(group, image) for group, image in images if image.verdict is not None]
    groups: dict[str, list[ScoredImage]] = {}
    for group, image in scored:
        groups.setdefault(group, []).append(image)
    return WindowResult(
        steps=steps,
        collapsed=_share([image for _, image in scored], "collapsed"),
        balanced=_share([image for _, image in scored], "balanced"),
        unscored=len(images) - len(scored),
        outcomes=None if judged is None else outcomes([trial.outcome for trial in judged]),
        groups={group: _share(members, "collapsed") for group, members in groups.items()},
    )


def _share(images: list[ScoredImage], verdict: str) -> Rate:
    return rate(sum(image.verdict == verdict for image in images), len(images))


Change = tuple[int, str, str, str]
"""Seed, file before, file after, and the variant's label."""


@dataclass(frozen=True)
class AblatedPrompt:
    """One prompt with two or more concepts.

    Attributes:
        collapsed: share of its scored unedited images.
        mitigating: heads that mitigate most of its collapsed images; None if no head was tried.
        example: a variant that mitigated an image, if any.
    """

    id: str
    text: Annotated[str, Field(alias="prompt")]
    group: str
    collapsed: Counted
    mitigating: Annotated[tuple[Head, ...] | None, Field(alias="mitigating_heads")]
    example: Annotated[Change, Keyed(("seed", "before", "after", "variant"))] | None


@dataclass(frozen=True)
class Unedited:
    """The unedited images of all prompts with two or more concepts; ``collapsed`` is a share of the scored ones."""

    images: int
    scored: int
    unscored: int
    collapsed: Counted
    groups: tuple[GroupResult, ...]


def unedited_of(run: RunResult) -> Unedited:
    """The part of the unedited images' audit that the result keeps."""
    collapsed = rate(sum(prompt.collapsed for prompt in run.prompts), run.scored)
    return Unedited(run.images, run.scored, run.unscored, collapsed, run.groups)


@dataclass(frozen=True)
class Edited:
    """Images under all variants; ``unscored`` have no score."""

    images: int
    unscored: int


@dataclass(frozen=True)
class AblationResult:
    """An ablated suite.

    Attributes:
        edit: ``ablate`` or ``rebalance``.
        left_out: ids of prompts with fewer than two concepts.
        notes: caveats, such as that there was nothing to mitigate.
        sets: of the sweep ``sets``, an interval of steps each.
    """

    UNPRINTED: ClassVar[set[str]] = {"manifest"}

    run: str
    suite: str
    model: str
    judge: str
    edit: str
    settings: dict[str, object]
    unedited: Unedited
    edited: Edited
    prompts: tuple[AblatedPrompt, ...]
    sweeps: tuple[SweepResult, ...]
    interactions: tuple[Interactions, ...]
    windows: Annotated[tuple[WindowResult, ...], Field(alias="intervals")]
    left_out: Annotated[tuple[str, ...], Field(alias="prompts_left_out")]
    notes: tuple[str, ...]
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    sets: tuple[HeadSets, ...] = ()

    @property
    def unscored(self) -> int:
        """Images without a score, edited or not."""
        return self.unedited.unscored + self.edited.unscored
