"""Examines the papers' claims one after the other, each on the runs that it shares with the others."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dominance.documents import from_json, to_json
from dominance.errors import DominanceError, RunError
from dominance.files import is_file
from dominance.judges.measuring import Measuring
from dominance.judges.protocol import Judge
from dominance.metrics.multiplicity import holm
from dominance.models.source import find_source
from dominance.reproduce.claims.claim import Claim, verdict_of
from dominance.reproduce.claims.registry import CLAIMS, find_claims
from dominance.reproduce.experiments import Experiments, ImpossibleError
from dominance.reproduce.memorized import memorized_of
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import Rivals, rivals_of
from dominance.reproduce.size import Size, fitting, full_size
from dominance.reproduce.work import TIMED, Facts, Rate, ReproduceEstimate, Work, heads_of, measured_rate, total, works
from dominance.runs.reproduction.result import ClaimResult, Finding, ReproduceResult, SizeRecord
from dominance.runs.stages.judging import refuse_named, unasked
from dominance.runs.stages.model import RunModel
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, default_folder, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.repeat import Repeat
from dominance.suites.entries import slug
from dominance.wording import on_one_line, quoted

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource

PLAN, RESULT, SPENT = "reproduce plan", "reproduce", "reproduce seconds"
"""Names of the ledger's values; a finding's is the claim's, after ``reproduce claim``."""
WARNINGS = "reproduce warnings"
_HEADED = {"ablation", "memorized"}
"""Shared runs that depend on how many heads there are."""


@dataclass(frozen=True)
class _Plan:
    """What a folder reproduces, decided once, so that the same command goes on with the same size.

    Attributes:
        claims: that the size was fitted to; all claims may be examined at the full size.
    """

    model: str
    identity: str
    judge: str
    judge_identity: str
    drawing: str
    budget: float | None
    claims: tuple[str, ...]
    size: Size


def reproduce_claims(
    claims: Sequence[str] = (),
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: ReproduceOptions | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> ReproduceResult:
    """Examines claims of the papers on a model; resumes an earlier reproduction in the folder.

    Args:
        claims: by name; all by default.
        out: the folder; ``runs/reproduce-MODEL`` by default.
        tell: receives a line before each claim.

    Raises:
        InputError: a claim, the model, the judge or an option cannot be used; nothing is written.
        RunError: the folder holds something else.
    """
    options = options or ReproduceOptions()
    chosen = find_claims(claims)
    repeat = Repeat("reproduce", {"claims": list(claims) or None, "model": model, "judge": judge, "out": out}, options)
    source = find_source(model, options.drawing)
    seen_by = _seen_by(judge, options)
    plan = _Plan(
        source.name,
        source.identity,
        *seen_by,
        repr(_decisive(options)),
        options.budget,
        tuple(claim.name for claim in chosen),
        full_size(source.world),
    )
    folder = _folder(out, plan)
    known = _plan_in(folder)
    if known is not None:
        plan = replace(plan, size=known.size)
    elif options.budget is not None:
        plan = replace(plan, size=_Estimator(chosen, model, judge, options).fitted)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        if known is None:
            ledger.put(PLAN, to_json(plan))
        repeat.keep(folder)
        experiments = Experiments(model, judge, options, plan.size, folder)
        for claim in chosen:
            if ledger.get(f"reproduce claim {claim.name}") is None:
                tell(f"{claim.name}: {claim.title}")
                _examine(claim, experiments, ledger)
        return _result(folder, plan, chosen, ledger, experiments)


def _decisive(options: ReproduceOptions) -> tuple[object, ...]:
    """The options that decide what is found, beside the budget."""
    measuring = () if options.measuring == Measuring() else (options.measuring,)
    return (options.drawing, options.asking, options.other, options.memorized, options.trained, *measuring)


def _seen_by(judge: str | Judge, options: ReproduceOptions) -> tuple[str, str]:
    """Name and identity of the judge, which must see new images."""
    found = unasked({}, judge, options.machine.device, options.asking)
    refuse_named(found, "claims draw their own images")
    return found.name, found.identity


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
    estimator = _Estimator(chosen, model, judge, options)
    source, settings, size = estimator.source, estimator.settings, estimator.fitted
    found = estimator.works(size)
    images, evaluations, calls = total(found.values(), settings.guidance > 1, settings.steps)
    return ReproduceEstimate(
        claims=tuple(claim.name for claim in chosen),
        model=source.name,
        judge=_seen_by(judge, options)[0],
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


class _Estimator:
    """What claims take on a model, by size; a few images are drawn once the rate is asked for."""

    def __init__(
        self, chosen: Sequence[Claim], model: "str | DiffusionPipeline", judge: str | Judge, options: ReproduceOptions
    ) -> None:
        self.model, self.judge, self.options = model, judge, options
        self.needs = _needs(chosen)
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
        if not _HEADED & set(self.needs):
            return 0
        return heads_of(RunModel(self.source, self.options.drawing, self.options.machine))

    def works(self, size: Size) -> dict[str, Work]:
        """By shared run."""
        return works(self.needs, self._facts(size))

    def _facts(self, size: Size) -> Facts:
        adapted = _adapted(self.source, self.options)
        return _facts(size, rivals_of(self.source, self.options), adapted, self.heads, self.settings.steps)

    def minutes(self, size: Size) -> float:
        return self.rate.minutes(self.works(size).values())

    @property
    def fitted(self) -> Size:
        """The size that fits into the budget."""
        return fitting(full_size(self.source.world), self.minutes, self.options.budget)


def _needs(claims: Sequence[Claim]) -> tuple[str, ...]:
    """The shared runs that claims look at, each once."""
    return tuple(dict.fromkeys(need for claim in claims for need in claim.needs))


def _adapted(source: "ModelSource", options: ReproduceOptions) -> bool:
    """Whether an adapter comes along with which the model has memorized prompts."""
    known = memorized_of(source, options)
    return known is not None and known.adapter is not None


def _facts(size: Size, rivals: Rivals, adapted: bool, heads: int, steps: int = 1) -> Facts:
    return Facts(
        size,
        heads,
        steps,
        twin=rivals.twin is not None and bool(rivals.opposed),
        other=rivals.other is not None,
        shared=rivals.other == rivals.twin and bool(rivals.opposed),
        mirrored=rivals.twin is not None and bool(rivals.opposed),
        adapted=adapted,
    )


def _folder(out: Path | str | None, plan: _Plan) -> Path:
    """The folder: as given, else the default, or one beside it where that holds another reproduction.

    Raises:
        RunError: the given folder holds something else.
    """

    def difference(folder: Path) -> str | None:
        check_run_folder(folder)
        known = _plan_in(folder)
        if known is None:
            return "a run of another command" if _taken(folder) else None
        if (known.identity, known.judge_identity) != (plan.identity, plan.judge_identity):
            those = f"the model {quoted(known.model)} and the judge {quoted(known.judge)}"
            return f"a reproduction with {those}, or what was so called"
        if known.drawing != plan.drawing:
            return "a reproduction with other options"
        if known.budget != plan.budget:
            return f"a reproduction with {_budget(known.budget)}"
        if plan.budget is not None and not set(plan.claims) <= set(known.claims):
            return "a reproduction of other claims, whose size was fitted to its budget"
        return None

    if out is None:
        marks = [plan.identity, plan.judge_identity, plan.budget, plan.claims, plan.drawing]
        return default_folder(Path("runs") / f"reproduce-{slug(Path(plan.model).name)}", difference, marks)
    if (held_here := difference(Path(out))) is not None:
        raise RunError(f"{on_one_line(out, 120)} holds {held_here}; give another --out")
    return Path(out)


def _budget(minutes: float | None) -> str:
    return "no budget" if minutes is None else f"a budget of {minutes:g} minutes"


def _taken(folder: Path) -> bool:
    return is_file(folder / LEDGER_NAME)


def _plan_in(folder: Path) -> _Plan | None:
    document = _value_in(folder, PLAN)
    return None if document is None else from_json(_Plan, document)


def _value_in(folder: Path, name: str) -> Any:
    if not is_file(folder / LEDGER_NAME):
        return None
    with Ledger(folder / LEDGER_NAME) as ledger:
        return ledger.get(name)


def _examine(claim: Claim, experiments: Experiments, ledger: Ledger) -> None:
    """Measures a claim and records its finding; what was not possible is tried again by the next call."""
    before = time.perf_counter()
    try:
        finding = claim.examine(experiments)
        ledger.put(f"reproduce claim {claim.name}", to_json(finding))
    except RunError:
        raise
    except (ImpossibleError, DominanceError) as error:
        ledger.put(f"reproduce impossible {claim.name}", str(error))
    finally:
        spent = ledger.get(SPENT)
        ledger.put(SPENT, (float(spent) if isinstance(spent, int | float) else 0.0) + time.perf_counter() - before)
        known = ledger.get(WARNINGS)
        noted = known if isinstance(known, list) else []
        ledger.put(WARNINGS, noted + [each for each in to_json(experiments.judge_warnings) if each not in noted])


def _result(
    folder: Path, plan: _Plan, chosen: Sequence[Claim], ledger: Ledger, experiments: Experiments
) -> ReproduceResult:
    """All claims of the folder, with what stands of them together."""
    from dominance.records import JudgeWarning
    from dominance.runs.store.manifest import environment

    done = [_outcome(claim, ledger) for claim in CLAIMS.values() if claim in chosen or _is_done(claim, ledger)]
    decided = {one.name: one.finding.chance for one in done if one.finding.chance is not None}
    standing = holm(decided)
    spent = ledger.get(SPENT)
    settings = experiments.options.drawing.settings(experiments.source).record()
    warned = ledger.get(WARNINGS)
    needs = _needs([CLAIMS[one.name] for one in done])
    adapted = _adapted(experiments.source, experiments.options)
    facts = _facts(plan.size, experiments.rivals, adapted, experiments.heads if _HEADED & set(needs) else 0)
    made = {name: work.words for name, work in works(needs, facts).items()}
    result = ReproduceResult(
        run=str(folder),
        model=plan.model,
        judge=plan.judge,
        budget=plan.budget,
        minutes=(float(spent) if isinstance(spent, int | float) else 0.0) / 60,
        size=SizeRecord(plan.size.share, made),
        claims=tuple(replace(one, stands=one.name in standing and one.verdict != "undecided") for one in done),
        settings=settings,
        judge_warnings=tuple(from_json(JudgeWarning, each) for each in warned) if isinstance(warned, list) else (),
        manifest={"model": experiments.source.describe(experiments.options.drawing.settings(experiments.source)),
                  **environment()},
    )  # fmt: skip
    ledger.put(RESULT, to_json(result))
    return result


def _is_done(claim: Claim, ledger: Ledger) -> bool:
    return ledger.get(f"reproduce claim {claim.name}") is not None


def _outcome(claim: Claim, ledger: Ledger) -> ClaimResult:
    document = ledger.get(f"reproduce claim {claim.name}")
    if document is None:
        finding = Finding(why=str(ledger.get(f"reproduce impossible {claim.name}") or ""))
    else:
        finding = from_json(Finding, document)
    return ClaimResult(
        claim.name,
        claim.title,
        claim.says,
        claim.source,
        claim.figure,
        claim.design,
        claim.rule,
        verdict_of(finding, claim.rule),
        finding,
        claim.otherwise,
    )


def is_reproduction(folder: Path) -> bool:
    """Whether the folder holds a reproduction, finished or not."""
    return _value_in(folder, PLAN) is not None


def read_reproduction(folder: Path | str) -> ReproduceResult:
    """The result of a reproduction's folder.

    Raises:
        RunError: there is none, or none that this version reads.
    """
    document = _value_in(Path(folder), RESULT)
    shown = on_one_line(folder, 120)
    if document is None:
        raise RunError(f"the reproduction in {shown} is not finished; run its `dominance reproduce` command again")
    try:
        return from_json(ReproduceResult, {**document, "run": str(folder)})
    except ValueError:
        raise RunError(
            f"this version of dominance cannot read the result in {shown}; run its `dominance reproduce` command again"
        ) from None
