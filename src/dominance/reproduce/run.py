"""Examines the papers' claims one after the other, each on the runs that it shares with the others."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.documents import from_json, to_json
from dominance.errors import RunError
from dominance.judges.protocol import Judge
from dominance.metrics.multiplicity import holm
from dominance.reproduce.claims.claim import Claim, verdict_of
from dominance.reproduce.claims.registry import CLAIMS, find_claims
from dominance.reproduce.estimate import HEADED, Estimator, facts_of, needs_of
from dominance.reproduce.experiments import Experiments
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.plan import PLAN, Plan, decisive, folder_of, plan_in, value_in
from dominance.reproduce.size import full_size
from dominance.reproduce.spent import counted, seconds_spent
from dominance.reproduce.work import Rate, works
from dominance.runs.reproduction.result import ClaimResult, Control, Finding, ReproduceResult, SizeRecord
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.repeat import Repeat
from dominance.wording import on_one_line

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

RESULT, WARNINGS, CONTROL = "reproduce", "reproduce warnings", "reproduce control"
"""Names of the ledger's values; a finding's is the claim's, after ``reproduce claim``."""


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
    estimator = Estimator(chosen, model, judge, options)
    source = estimator.source
    plan = Plan(
        source.name,
        source.identity,
        *estimator.seen,
        decisive(source, options),
        options.budget,
        tuple(claim.name for claim in chosen),
        full_size(source.world),
    )
    basis = {claim.name: claim.rests_on(options) for claim in CLAIMS.values()}
    folder = folder_of(out, plan)
    known = plan_in(folder)
    if known is not None:
        plan = replace(plan, size=known.size)
    elif options.budget is not None:
        plan = replace(plan, size=estimator.fitted)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        if known is None:
            ledger.put(PLAN, to_json(plan))
        repeat.keep(folder)
        experiments = Experiments(model, judge, options, plan.size, folder)
        ahead = [claim for claim in chosen if not _is_done(claim, ledger, basis)]
        _prepare(experiments, ledger, estimator.of(ahead), tell)
        for claim in ahead:
            tell(f"{claim.name}: {claim.title}")
            _spend(experiments, ledger, lambda own=claim: _examine(own, experiments, ledger, basis))
        known = [claim for claim in CLAIMS.values() if claim in chosen or _is_known(claim, ledger, basis)]
        return _result(folder, plan, known, ledger, experiments)


def _prepare(experiments: Experiments, ledger: Ledger, estimator: Estimator, tell: Callable[[str], None]) -> None:
    """Tells what the claims that are left will take, and draws the control where it is not there yet.

    Where no budget had a rate measured, minutes are told after the control, at the rate of its own images: a timing
    would load a large model three times more, for images that nobody keeps.
    """
    if not estimator.needs:
        return
    size = experiments.size
    heads = experiments.heads if HEADED & set(estimator.needs) else 0
    for line in estimator.estimate(size, heads, estimator.measured).sentences:
        tell(line)
    fresh, before = not (experiments.folder / "alone").exists(), time.perf_counter()
    if not fresh:
        tell("what the folder holds already is not drawn again")
    if ledger.get(CONTROL) is not None:
        return
    tell("control: whether the model draws single concepts")
    _spend(experiments, ledger, lambda: ledger.put(CONTROL, to_json(experiments.control)))
    if fresh and estimator.measured is None:
        rate = Rate((time.perf_counter() - before) / (size.alone * size.alone_seeds), 0.0)
        tell(estimator.estimate(size, heads, rate).at_control)


def _spend(experiments: Experiments, ledger: Ledger, act: Callable[[], None]) -> None:
    """Does something; what it took, and what it found about the judge, is noted also where it ends in an error."""
    try:
        with counted(ledger.path):
            act()
    finally:
        known = ledger.get(WARNINGS)
        noted = known if isinstance(known, list) else []
        ledger.put(WARNINGS, noted + [each for each in to_json(experiments.judge_warnings) if each not in noted])


def _examine(claim: Claim, experiments: Experiments, ledger: Ledger, basis: Mapping[str, str]) -> None:
    """Measures a claim and records its finding; what was not possible is tried again by the next call that names it.

    All other errors, such as a judge that stops answering, end the command: they say nothing about the claim.
    """
    ledger.put(f"reproduce basis {claim.name}", None)  # a finding of another basis may be there
    try:
        finding = to_json(claim.examine(experiments))
    except ImpossibleError as error:
        ledger.put(f"reproduce impossible {claim.name}", str(error))
        finding = None
    ledger.put(f"reproduce claim {claim.name}", finding)
    ledger.put(f"reproduce basis {claim.name}", basis[claim.name])


def _result(
    folder: Path, plan: Plan, claims: Sequence[Claim], ledger: Ledger, experiments: Experiments
) -> ReproduceResult:
    """All claims of the folder, with what stands of them together."""
    from dominance.records import JudgeWarning
    from dominance.runs.store.manifest import environment

    done = [_outcome(claim, ledger, folder) for claim in claims]
    decided = {one.name: one.finding.chance for one in done if one.finding.chance is not None}
    standing = holm(decided)
    source, options = experiments.source, experiments.options
    settings = options.drawing.settings(source)
    warned, control = (ledger.get(name) for name in (WARNINGS, CONTROL))
    needs = needs_of(claims, source, options)
    facts = facts_of(plan.size, source, options, experiments.heads if HEADED & set(needs) else 0)
    result = ReproduceResult(
        run=str(folder),
        model=plan.model,
        judge=plan.judge,
        budget=plan.budget,
        minutes=seconds_spent(ledger) / 60,
        size=SizeRecord(plan.size.share, {name: work.words for name, work in works(needs, facts).items()}),
        claims=tuple(replace(one, stands=one.name in standing and one.verdict != "undecided") for one in done),
        settings=settings.record(),
        judge_warnings=tuple(from_json(JudgeWarning, each) for each in warned) if isinstance(warned, list) else (),
        control=None if control is None else from_json(Control, control),
        world=source.world,
        twins=options.other is None and experiments.rivals.twin is not None,
        manifest={"model": source.describe(settings), **environment()},
    )
    ledger.put(RESULT, to_json(result))
    return result


def _is_done(claim: Claim, ledger: Ledger, basis: Mapping[str, str]) -> bool:
    """Whether its finding is there, and rests on what it would rest on now."""
    return ledger.get(f"reproduce claim {claim.name}") is not None and _is_known(claim, ledger, basis)


def _is_known(claim: Claim, ledger: Ledger, basis: Mapping[str, str]) -> bool:
    """Whether an earlier call has found something on what it would rest on now, or that it is not possible."""
    return ledger.get(f"reproduce basis {claim.name}") == basis[claim.name]


def _outcome(claim: Claim, ledger: Ledger, folder: Path) -> ClaimResult:
    document = ledger.get(f"reproduce claim {claim.name}")
    if document is None:
        finding = Finding(why=str(ledger.get(f"reproduce impossible {claim.name}") or ""))
    else:
        try:
            finding = from_json(Finding, document)
        except ValueError:
            raise RunError(
                f"this version of dominance cannot read what {on_one_line(folder, 120)} holds of the claim"
                f" {claim.name}; give another --out"
            ) from None
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
    return value_in(folder, PLAN) is not None


def read_reproduction(folder: Path | str) -> ReproduceResult:
    """The result of a reproduction's folder.

    Raises:
        RunError: there is none, or none that this version reads.
    """
    document = value_in(Path(folder), RESULT)
    shown = on_one_line(folder, 120)
    if document is None:
        raise RunError(f"the reproduction in {shown} is not finished; run its `dominance reproduce` command again")
    try:
        return from_json(ReproduceResult, {**document, "run": str(folder)})
    except ValueError:
        raise RunError(
            f"this version of dominance cannot read the result in {shown}; run its `dominance reproduce` command again"
        ) from None
