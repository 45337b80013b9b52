"""Another judge's answers about the images that a run folder holds; no model is loaded and nothing is drawn."""

from dataclasses import replace
from pathlib import Path
from typing import cast

from dominance.errors import RunError
from dominance.files import is_file
from dominance.judges.protocol import Judge
from dominance.numbers import plural
from dominance.records import RunResult
from dominance.runs.audit.result import finish, put_plan, recorded_plan
from dominance.runs.stages.drawing import missing_images
from dominance.runs.stages.judge_fit import of_model, world_warnings
from dominance.runs.stages.judging import questions_of
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, ask_all
from dominance.suites import QuestionSet, load_questions
from dominance.wording import on_one_line


def holds_whole_run(folder: Path) -> bool:
    """Whether every image of the folder's run is there."""
    if not is_file(folder / LEDGER_NAME):
        return False
    with Ledger(folder / LEDGER_NAME) as ledger:
        plan = recorded_plan(ledger, folder)
        return plan is not None and not missing_images(plan.to_draw, ledger, folder)


def judge_again(folder: Path, judge: Judge) -> RunResult:
    """Asks this judge the bundled questions about every image of the run; earlier answers stay in the folder.

    A run that it was laid beside, or its baseline, is not compared with it any more, as the earlier judge looked at
    that one. Images that this judge has seen already, as of a call that was killed, are not asked about again.

    Raises:
        RunError: no run is there, or images of it are missing.
        ModelError: the judge does not understand all the questions.
    """
    if not is_file(folder / LEDGER_NAME):
        raise RunError(f"{on_one_line(folder, 120)} holds no run to judge again; make its images first")
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        earlier = recorded_plan(ledger, folder)
        if earlier is None:
            raise RunError(f"the run in {on_one_line(folder, 120)} has no plan yet; make its images first")
        if missing := missing_images(earlier.to_draw, ledger, folder):
            raise RunError(
                f"{on_one_line(folder, 120)} lacks {plural(len(missing), 'image')} of its run, such as"
                f" {missing[0].file}; make its images first"
            )
        plan = seen_by(judge, earlier)
        judge.check([question for questions in plan.questions.values() for question in questions])
        manifest = dict(cast(dict[str, object], ledger.get("manifest") or {}))
        put_plan(plan, ledger)
        return finish(plan, ledger, folder, judge, manifest)


def seen_by(judge: Judge, plan: Plan, questions: QuestionSet | None = None) -> Plan:
    """The same images, asked about by this judge.

    Args:
        questions: None for the bundled ones.
    """
    asked = ask_all(plan.suite, (questions or load_questions()).ask, plan.taught)
    return replace(
        plan,
        judge=judge.name,
        judge_identity=judge.identity,
        questions=questions_of(judge, asked),
        judge_warnings=world_warnings(judge, plan.world, of_model(plan.model)),
        beside=None,
        baseline=None,
    )
