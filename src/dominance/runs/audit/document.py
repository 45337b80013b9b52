"""What ``dominance audit --json`` prints: shares and counts of a run, without individual images."""

import itertools
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from dominance.baseline import Baseline
from dominance.beside import Beside
from dominance.measures import MeasuredMean
from dominance.records import (
    GateResult,
    GroupResult,
    Identity,
    ImageVerdict,
    Interval,
    JudgeWarning,
    LeftOut,
    PromptResult,
    PromptVerdict,
    RunResult,
)
from dominance.run_settings import RunSettings


@dataclass(frozen=True)
class PairSummary:
    """An ordered pair of concepts: mean DvD, and the number of scored images that collapse in this direction."""

    dominating: str
    dominated: str
    dvd_mean: float | None
    collapsed: int


@dataclass(frozen=True)
class UnscoredImage:
    """An image without a score, and why."""

    image: str
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class PromptDocument:
    """One prompt; ``presence`` is a share of its scored images; ``pairs`` only with three or more concepts.

    Attributes:
        hanging: by verdict, how many images hang on doubtful answers; None where the judge gives no probability.
    """

    id: str
    prompt: str
    group: str | None
    concepts: tuple[str, ...]
    images: int
    scored: int
    dvd_mean: float | None
    dvd_interval: Interval | None
    balanced: int
    collapsed: int
    lost: int
    mixed: int
    hanging: dict[ImageVerdict, int] | None = None
    presence: dict[str, float | None]
    pairs: Annotated[tuple[PairSummary, ...] | None, Field(exclude_if=lambda pairs: pairs is None)] = None
    dominating: str | None
    verdict: PromptVerdict | None
    problems: tuple[UnscoredImage, ...]


@dataclass(frozen=True)
class AuditDocument:
    """The public document of a run: see the reference, ``dominance audit``.

    Attributes:
        hanging: the sum over the prompts.
    """

    run: str
    suite: str
    model: str
    judge: str
    settings: RunSettings
    images: int
    scored: int
    unscored: int
    prompts: tuple[PromptDocument, ...]
    groups: tuple[GroupResult, ...]
    gate: GateResult | None
    judge_warnings: tuple[JudgeWarning, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    hanging: dict[ImageVerdict, int] | None = None
    unread: Annotated[dict[str, str], Field(exclude_if=lambda unread: not unread)] = field(default_factory=dict)
    identity: Annotated[Identity | None, Field(exclude_if=lambda identity: identity is None)] = None
    beside: Annotated[Beside | None, Field(exclude_if=lambda beside: beside is None)] = None
    baseline: Annotated[Baseline | None, Field(exclude_if=lambda baseline: baseline is None)] = None
    measures: tuple[MeasuredMean, ...] = ()


def document_of(result: RunResult) -> AuditDocument:
    """The document of a run."""
    return AuditDocument(
        run=result.run,
        suite=result.suite,
        model=result.model,
        judge=result.judge,
        settings=result.settings,
        images=result.images,
        scored=result.scored,
        unscored=result.unscored,
        prompts=tuple(PromptDocument(**prompt_values(prompt)) for prompt in result.prompts),
        groups=result.groups,
        gate=result.gate,
        judge_warnings=result.judge_warnings,
        left_out=result.left_out,
        hanging=result.hanging,
        unread=result.unread,
        identity=result.identity,
        beside=result.beside,
        baseline=result.baseline,
        measures=result.measures,
    )


def prompt_values(result: PromptResult) -> dict:
    """The fields of a prompt's document."""
    same = (
        *("scored", "dvd_mean", "dvd_interval", "balanced", "collapsed", "lost", "mixed", "hanging"),
        *("dominating", "verdict"),
    )
    return {
        "id": result.prompt.id,
        "prompt": result.prompt.text,
        "group": result.prompt.group,
        "concepts": tuple(concept.name for concept in result.prompt.concepts),
        "images": len(result.images),
        **{name: getattr(result, name) for name in same},
        "presence": {name: presence.share for name, presence in result.presence.items()},
        "pairs": _pairs(result) if len(result.prompt.concepts) > 2 else None,
        "problems": tuple(UnscoredImage(image.name, image.problem) for image in result.images if image.verdict is None),
    }


def _pairs(result: PromptResult) -> tuple[PairSummary, ...]:
    scored = [image for image in result.images if image.verdict is not None]
    return tuple(
        PairSummary(
            dominating=a,
            dominated=b,
            dvd_mean=sum(image.pairs[a, b] for image in scored) / len(scored) if scored else None,
            collapsed=sum((a, b) in image.collapses for image in scored),
        )
        for a, b in itertools.permutations([concept.name for concept in result.prompt.concepts], 2)
    )
