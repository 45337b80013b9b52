"""The result of a run folder, derived from ledger and plan."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from dominance.documents import from_json, to_json
from dominance.errors import RunError
from dominance.files import is_file
from dominance.judges.protocol import Judge
from dominance.records import Answer, Prompt, RunResult, ScoredImage
from dominance.runs.audit.baseline import baseline_of
from dominance.runs.audit.beside import beside_of, keep_images
from dominance.runs.engines.crew import Crew
from dominance.runs.stages.drawing import missing_images
from dominance.runs.stages.gate import judge_gate
from dominance.runs.stages.identity import embed_pictures, identity_of
from dominance.runs.stages.judging import ask_judge, asked_by, judge_record, unanswered
from dominance.runs.stages.measures import measured_means
from dominance.runs.stages.one_answer import ask_controls, known_controls, one_answer_warnings
from dominance.runs.stages.picture_scores import measure_pictures, picture_scores
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt
from dominance.runs.stages.texts import Texts
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.measurements import refuse_measurement
from dominance.runs.store.plan import Plan, PlannedImage
from dominance.wording import on_one_line


def read_result(folder: Path | str) -> RunResult:
    """The current result of a run folder.

    Raises:
        RunError: it is not a run folder, or its run has no plan yet.
    """
    folder = Path(folder)
    if not is_file(folder / LEDGER_NAME):
        raise RunError(
            f"{on_one_line(folder, 120)} is not a run folder: it has no {LEDGER_NAME}; give the folder that"
            " `dominance audit` named"
        )
    with Ledger(folder / LEDGER_NAME) as ledger:
        plan = recorded_plan(ledger, folder)
        if plan is None:
            refuse_measurement(ledger, folder)
            raise RunError(f"the run in {folder} has no plan yet; run its `dominance audit` command again")
        if plan.origin == "judge check":
            raise RunError(
                f"{on_one_line(folder, 120)} holds a judge check, not images of prompts; open its"
                " judge-check.html, or give the folder of an audit"
            )
        return result_of(plan, ledger, folder)


def recorded_plan(ledger: Ledger, folder: Path) -> Plan | None:
    """The plan of the folder's run, or None if it has none yet.

    Raises:
        RunError: another version wrote a plan that this one cannot read.
    """
    document = ledger.get("plan")
    if document is None:
        return None
    try:
        return from_json(Plan, document)
    except (KeyError, TypeError, ValueError):
        raise RunError(f"this version of dominance cannot read the plan in {folder}; give another --out") from None


def result_of(plan: Plan, ledger: Ledger, folder: Path) -> RunResult:
    """Scores everything in the ledger that belongs to the plan."""
    scored = scored_images(plan, ledger)
    prompts = tuple(score_prompt(prompt, scored.get(prompt.id, ())) for prompt in plan.suite.prompts)
    warnings = (*plan.judge_warnings, *one_answer_warnings(plan.judge, prompts, known_controls(plan, ledger)))
    gate, allowed = plan.gate, plan.settings.allow_unfit_judge is True
    baseline = None if plan.baseline is None else baseline_of(plan.baseline, prompts)
    return RunResult(
        run=str(folder),
        suite=plan.suite.name,
        model=plan.model,
        judge=plan.judge,
        settings=plan.settings,
        prompts=prompts,
        groups=score_groups(prompts),
        gate=None if gate is None else judge_gate(gate, prompts, warnings, baseline, allow_unfit_judge=allowed),
        manifest=cast(dict, ledger.get("manifest") or {}),
        judge_warnings=warnings,
        left_out=plan.left_out,
        unread=plan.notes,
        identity=identity_of(plan.taught, prompts, folder),
        beside=None if plan.beside is None else beside_of(plan.beside, prompts, folder),
        baseline=baseline,
        measures=measured_means(image for prompt in prompts for image in prompt.images),
    )


def scored_images(plan: Plan, ledger: Ledger) -> dict[str, list[ScoredImage]]:
    """Every image of the plan with its score, by prompt, in the order of the plan."""
    rows, failures = ledger.images(), ledger.failures()
    answers = ledger.answers(plan.judge_identity)
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    measured = picture_scores(plan, ledger)
    scored: dict[str, list[ScoredImage]] = {}
    for image in plan.images:
        prompt = prompts[image.prompt_id]
        row = rows.get(image.item)
        known = answers.get(image.item, {})
        refused = plan.refused.get(prompt.id)
        if row is None or refused is not None:
            problem = refused or failures.get(image.item, "not made yet")
            result = score_image(prompt, image.name, None, (), problem, image.seed)
        else:
            given = _answers(plan, prompt, known, failures.get(image.item))
            found = score_image(prompt, image.name, row.file, given, seed=image.seed)
            result = replace(found, scores=measured.get((image.item, prompt.id)))
        scored.setdefault(prompt.id, []).append(result)
    return scored


def _answers(
    plan: Plan, prompt: Prompt, known: dict[str, tuple[bool, float | None]], problem: str | None
) -> tuple[Answer, ...]:
    answers = []
    for question in plan.asked_about(prompt):
        yes, p_yes = known.get(question.text, (None, None))
        answers.append(Answer(question, yes, p_yes, problem if yes is None else None))
    return tuple(answers)


def settle_texts(
    plan: Plan, ledger: Ledger, folder: Path, texts: Callable[[], Texts]
) -> tuple[Plan, list[PlannedImage]]:
    """The plan with what the model does not read of its prompts, named on standard error, and the images to make.

    Args:
        texts: loads the model; called only when an image is missing.
    """
    earlier = recorded_plan(ledger, folder)
    known = replace(plan, **_known_texts(plan, earlier)) if earlier is not None else plan
    missing = missing_images(known.to_draw, ledger, folder)
    if missing:
        read = texts()
        known = replace(plan, refused=dict(read.refused), notes=dict(read.notes))
        missing = missing_images(known.to_draw, ledger, folder)
    Texts(tuple(prompt.id for prompt in plan.suite.prompts), known.refused, known.notes).tell()
    return known, missing


def _known_texts(plan: Plan, earlier: Plan) -> dict[str, dict[str, str]]:
    """What an earlier plan says of the same prompts and the same model."""
    if earlier.model_identity != plan.model_identity:
        return {}
    before = {prompt.id: prompt for prompt in earlier.suite.prompts}
    same = {
        prompt.id
        for prompt in plan.suite.prompts
        if prompt.id in before
        and (before[prompt.id].text, before[prompt.id].concepts) == (prompt.text, prompt.concepts)
    }
    return {
        name: {id: why for id, why in getattr(earlier, name).items() if id in same} for name in ("refused", "notes")
    }


def put_plan(plan: Plan, ledger: Ledger) -> None:
    """Records the plan, and clears the manifest of an earlier, different plan."""
    document = to_json(plan)
    if ledger.get("plan") not in (None, document):
        ledger.put("manifest", {})
    ledger.put("plan", document)


def finish(
    plan: Plan,
    ledger: Ledger,
    folder: Path,
    judge: Judge,
    manifest: dict[str, object],
    batch: int | None = None,
    device: str = "auto",
    crew: Crew | None = None,
) -> RunResult:
    """Asks the open questions, and a few about control pictures; writes manifest and scores, and returns the result.

    Args:
        batch: images per request to the judge; None for the default.
        device: where pictures of a taught concept are compared, and pictures are measured.
        crew: the workers that ask the judge; this process does without.
    """
    from dominance.runs.store.manifest import environment

    waiting = unanswered(plan, ledger, folder)
    if waiting:
        ask_judge(waiting, plan, judge, ledger, batch, crew)
    if plan.taught is not None:
        rows = ledger.images()
        files = [Path(rows[image.item].file) for image in plan.to_draw if image.item in rows]
        plan = embed_pictures(plan, files, folder, device)
        put_plan(plan, ledger)
        manifest = {**manifest, "taught": to_json(plan.taught)}
    described = {
        **manifest,
        **measure_pictures(plan, ledger, folder, device),
        "judge": judge_record(judge, ledger),
        "settings": plan.settings.record(),
        **environment(),
    }
    ledger.put("manifest", described)
    ask_controls(plan, asked_by(crew, judge), ledger, folder, result_of(plan, ledger, folder).prompts)
    result = result_of(plan, ledger, folder)
    ledger.put_scores(image for prompt in result.prompts for image in prompt.images)
    if result.beside is not None and keep_images(result.beside, folder):
        return result_of(plan, ledger, folder)
    return result
