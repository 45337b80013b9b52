"""What a reproduction will take, before it starts: at the rate of a few images that are drawn for it."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dominance.judges.protocol import Judge
from dominance.models.source import find_source
from dominance.reproduce.claims.claim import Claim
from dominance.reproduce.claims.registry import find_claims
from dominance.reproduce.memorized import memorized_of
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import rivals_of
from dominance.reproduce.size import Size, fitting, full_size
from dominance.reproduce.work import TIMED, Facts, Rate, ReproduceEstimate, Work, heads_of, measured_rate, total, works
from dominance.runs.stages.judging import refuse_named, unasked
from dominance.runs.stages.model import RunModel

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource

HEADED = {"ablation", "memorized"}
"""Shared runs that depend on how many heads there are."""


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
    chosen = find_claims(claims)
    estimator = Estimator(chosen, model, judge, options)
    source, settings, size = estimator.source, estimator.settings, estimator.fitted
    found = estimator.works(size)
    images, evaluations, calls = total(found.values(), settings.guidance > 1, settings.steps)
    return ReproduceEstimate(
        claims=tuple(claim.name for claim in chosen),
        model=source.name,
        judge=seen_by(judge, options)[0],
        share=size.share,
        images=images,
        evaluations=evaluations,
        calls=calls,
        minutes=round(estimator.minutes(size), 1),
        full_minutes=round(estimator.minutes(full_size(source.world)), 1),
        seconds_an_image=round(estimator.rate.image, 3),
        timed=TIMED,
        runs={name: work.words for name, work in found.items()},
    )


class Estimator:
    """What claims take on a model, by size; a few images are drawn once the rate is asked for."""

    def __init__(
        self, chosen: Sequence[Claim], model: "str | DiffusionPipeline", judge: str | Judge, options: ReproduceOptions
    ) -> None:
        self.model, self.judge, self.options = model, judge, options
        self.needs = needs_of(chosen)
        self.source = find_source(model, options.drawing)
        self.settings = options.drawing.settings(self.source)

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

    @cached_property
    def heads(self) -> int:
        if not HEADED & set(self.needs):
            return 0
        return heads_of(RunModel(self.source, self.options.drawing, self.options.machine))

    def works(self, size: Size) -> dict[str, Work]:
        """By shared run."""
        return works(self.needs, facts_of(size, self.source, self.options, self.heads, self.settings.steps))

    def minutes(self, size: Size) -> float:
        return self.rate.minutes(self.works(size).values())

    @property
    def fitted(self) -> Size:
        """The size that fits into the budget."""
        return fitting(full_size(self.source.world), self.minutes, self.options.budget)


def needs_of(claims: Sequence[Claim]) -> tuple[str, ...]:
    """The shared runs that claims look at, each once; before them the control, where anything is drawn."""
    needs = dict.fromkeys(need for claim in claims for need in claim.needs)
    return ("control", *needs) if needs else ()


def facts_of(size: Size, source: "ModelSource", options: ReproduceOptions, heads: int, steps: int = 1) -> Facts:
    """What the work depends on."""
    rivals, known = rivals_of(source, options), memorized_of(source, options)
    return Facts(
        size,
        heads,
        steps,
        twin=rivals.twin is not None and bool(rivals.opposed),
        other=rivals.other is not None,
        shared=rivals.other == rivals.twin and bool(rivals.opposed),
        mirrored=rivals.twin is not None and bool(rivals.opposed),
        adapted=known is not None and known.adapter is not None,
        memorized=0 if known is None else len(known.suite.prompts),
    )


def seen_by(judge: str | Judge, options: ReproduceOptions) -> tuple[str, str]:
    """Name and identity of the judge, which must see new images."""
    found = unasked({}, judge, options.machine.device, options.asking)
    refuse_named(found, "claims draw their own images")
    return found.name, found.identity
