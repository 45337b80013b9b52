"""What a reproduction will take, before it starts: at the rate of a few images that are drawn for it."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dominance.judges.protocol import Judge
from dominance.models.source import find_source
from dominance.numbers import duration, plural, roughly, share
from dominance.reproduce.claims.claim import Claim
from dominance.reproduce.claims.registry import find_claims
from dominance.reproduce.memorized import memorized_of
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import rivals_of
from dominance.reproduce.size import Size, fitting, full_size
from dominance.reproduce.work import TIMED, Facts, Rate, Work, are_possible, heads_of, measured_rate, total, works
from dominance.runs.stages.judging import refuse_named, unasked
from dominance.runs.stages.model import RunModel
from dominance.suites import load_questions

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource

HEADED = {"ablation", "memorized"}
"""Shared runs that depend on how many heads there are."""


@dataclass(frozen=True)
class Cost:
    """What so much takes.

    Attributes:
        evaluations: of the denoiser, on one sample; under guidance an image takes two a step.
        calls: questions to the judge, as many about each concept of an image as the set of questions has.
        minutes: at the rate of a few images that were timed; None where none were.
    """

    images: int
    evaluations: int
    calls: int
    minutes: float | None

    @property
    def words(self) -> str:
        """The counts."""
        return (
            f"about {roughly(self.images, 'image')}, {roughly(self.evaluations, 'network evaluation')},"
            f" {roughly(self.calls, 'judge call')}"
        )


@dataclass(frozen=True, kw_only=True)
class ReproduceEstimate(Cost):
    """What a reproduction would take.

    Attributes:
        share: of the work of the full size.
        budget: minutes that were given.
        minutes, full_minutes: at the rate that a short timing of ``timed`` images measured, of this size and of the
            full size; None where nothing was timed.
        runs: what each shared run holds.
        by_claim: what each claim would take by itself, the runs that it shares with others and the control included.
    """

    claims: tuple[str, ...]
    model: str
    judge: str
    share: float
    budget: float | None
    full_minutes: float | None
    seconds_an_image: float | None
    timed: int
    runs: dict[str, str]
    by_claim: dict[str, Cost]

    @property
    def over_budget(self) -> bool:
        """Whether even the smallest size takes longer than the budget."""
        return self.budget is not None and self.minutes is not None and self.minutes > self.budget

    @property
    def sentences(self) -> tuple[str, ...]:
        """The estimate in plain words, a line each."""
        size = "the full size" if self.share == 1 else f"about {share(self.share)} of the work of the full size"
        told = [f"{plural(len(self.claims), 'claim')} on {self.model}, judged by {self.judge}: {size}", self.words]
        if self.minutes is None or self.seconds_an_image is None or self.full_minutes is None:
            return tuple(told)
        rate = f"at {self.seconds_an_image:.2f} s an image ({self.timed} were timed)"
        whole = "" if self.share == 1 else f"; the full size takes about {duration(self.full_minutes)}"
        if self.over_budget:
            few = f"even the smallest size takes about {duration(self.minutes)} {rate}"
            return (*told, f"{few}, more than the budget of {self.budget:g} minutes{whole}")
        return (*told, f"about {duration(self.minutes)} {rate}{whole}")

    @property
    def at_control(self) -> str:
        """The same once more, at the rate of the control."""
        return (
            f"all of it takes about {duration(self.minutes or 0.0)} at the rate of the control's images, which is"
            f" {self.seconds_an_image:.2f} s each, loading included"
        )


def estimate_reproduction(
    claims: Sequence[str] = (),
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    options: ReproduceOptions | None = None,
) -> ReproduceEstimate:
    """What the same call of ``reproduce_claims`` would take in a new folder, at the rate of a few images drawn for it.

    Raises:
        InputError: as ``reproduce_claims``.
    """
    options = options or ReproduceOptions()
    estimator = Estimator(find_claims(claims), model, judge, options)
    return estimator.estimate(estimator.fitted, estimator.heads, estimator.rate)


class Estimator:
    """What claims take on a model, by size; a few images are drawn once the rate is asked for."""

    def __init__(
        self, chosen: Sequence[Claim], model: "str | DiffusionPipeline", judge: str | Judge, options: ReproduceOptions
    ) -> None:
        self.model, self.judge, self.options = model, judge, options
        self.source = find_source(model, options.drawing)
        self.chosen, self.needs = chosen, needs_of(chosen, self.source, options)
        self.settings = options.drawing.settings(self.source)
        self.seen = seen_by(judge, options)

    @cached_property
    def rate(self) -> Rate:
        """Measured on a prompt like those of the bench; of claims that need no run, nothing is."""
        from dominance.runs.bench.candidates import category_candidates
        from dominance.suites.pools import default_pools, load_pools

        if not self.needs:
            return Rate(0.0, 0.0)
        pools = load_pools(default_pools(self.source.world))
        prompt = category_candidates(pools, pools.categories[0], 0)[0].prompt
        return measured_rate(self.model, self.judge, prompt, self.options)

    def of(self, claims: Sequence[Claim]) -> "Estimator":
        """The same for some of the claims, at the rate that is measured already."""
        some = copy(self)
        some.chosen, some.needs = claims, needs_of(claims, self.source, self.options)
        return some

    @property
    def measured(self) -> Rate | None:
        """The rate, where it has been asked for."""
        return vars(self).get("rate")

    @cached_property
    def heads(self) -> int:
        if not HEADED & set(self.needs):
            return 0
        return heads_of(RunModel(self.source, self.options.drawing, self.options.machine))

    def _works(self, size: Size, needs: Sequence[str], heads: int) -> dict[str, Work]:
        return works(needs, facts_of(size, self.source, self.options, heads, self.settings.steps))

    def _minutes(self, size: Size) -> float:
        return self.rate.minutes(self._works(size, self.needs, self.heads).values())

    @property
    def fitted(self) -> Size:
        """The size that fits into the budget."""
        return fitting(full_size(self.source.world), self._minutes, self.options.budget)

    def estimate(self, size: Size, heads: int, rate: Rate | None) -> ReproduceEstimate:
        """What a size takes; without a rate, nothing is said of its minutes."""
        questions = len(load_questions(self.options.asking.questions).templates["object"])

        def cost(size: Size, needs: Sequence[str]) -> Cost:
            found = self._works(size, needs, heads).values()
            counts = total(found, self.settings.guidance > 1, self.settings.steps, questions)
            return Cost(*counts, None if rate is None else round(rate.minutes(found), 1))

        return ReproduceEstimate(
            **vars(cost(size, self.needs)),
            claims=tuple(claim.name for claim in self.chosen),
            model=self.source.name,
            judge=self.seen[0],
            share=size.share,
            budget=self.options.budget,
            full_minutes=cost(full_size(self.source.world), self.needs).minutes,
            seconds_an_image=None if rate is None else round(rate.image, 3),
            timed=0 if rate is None else TIMED,
            runs={name: work.words for name, work in self._works(size, self.needs, heads).items()},
            by_claim={one.name: cost(size, needs_of((one,), self.source, self.options)) for one in self.chosen},
        )


def needs_of(claims: Sequence[Claim], source: "ModelSource", options: ReproduceOptions) -> tuple[str, ...]:
    """The shared runs that claims look at, each once; before them the control, where anything is drawn.

    A claim of which one run cannot be, since there is no such model, is refused before anything is drawn for it.
    """
    facts = facts_of(full_size(source.world), source, options)
    possible = [claim for claim in claims if are_possible(claim.needs, facts)]
    needs = dict.fromkeys(need for claim in possible for need in claim.needs)
    return ("control", *needs) if needs else ()


def facts_of(size: Size, source: "ModelSource", options: ReproduceOptions, heads: int = 0, steps: int = 1) -> Facts:
    """What the work depends on."""
    rivals, known = rivals_of(source, options), memorized_of(source, options)
    return Facts(
        size,
        heads,
        steps,
        twin=rivals.twin is not None,
        opposed=rivals.twin is not None and bool(rivals.opposed),
        other=rivals.other is not None,
        shared=rivals.other is not None and rivals.other == rivals.twin,
        adapted=known is not None and known.adapter is not None,
        memorized=0 if known is None else len(known.suite.prompts),
    )


def seen_by(judge: str | Judge, options: ReproduceOptions) -> tuple[str, str]:
    """Name and identity of the judge, which must see new images."""
    found = unasked({}, judge, options.machine.device, options.asking)
    refuse_named(found, "claims draw their own images")
    return found.name, found.identity
