"""Scores existing images: the audit without its first stage."""

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Literal

from dominance.judges.protocol import Judge
from dominance.models.drawing import Machine
from dominance.records import RunResult, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.brought import Brought, find_images
from dominance.runs.audit.estimate import Estimate, estimate_of
from dominance.runs.audit.options import ScoreOptions, limited
from dominance.runs.audit.other_run import compared
from dominance.runs.audit.result import finish, put_plan
from dominance.runs.audit.sameness import folder_of, take_over
from dominance.runs.engines.choice import at_work, crew_of
from dominance.runs.engines.crew import Crew
from dominance.runs.stages.identity import find_taught
from dominance.runs.stages.judge_fit import note_taken_for, of_folders, warn, world_of_files, world_warnings
from dominance.runs.stages.judging import (
    ReadyJudge,
    check_names,
    check_questions,
    judge_for,
    questions_of,
    unasked,
)
from dominance.runs.stages.picture_scores import check_measuring, find_measuring
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import Plan, PlannedImage, ask_all
from dominance.runs.store.repeat import Repeat
from dominance.suites import find_suite, load_questions

BROUGHT = "images in "
"""How the model is named where none draws."""


def score(
    images: Path | str,
    suite: str | Suite,
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: ScoreOptions | None = None,
) -> RunResult:
    """Judges and scores a folder of images; resumes an earlier run in the run folder.

    Args:
        images: a folder, or a CSV with the columns path and prompt. An image's prompt is known by the name of a folder
            that it lies in (the prompt's id or text, or ``caseNNN_anything`` as in the official release), by the prompt
            that the file or a table beside it holds, or by its own name; for a suite of one prompt, the folder itself
            may hold the images. What is not used is named in ``RunResult.left_out``.
        suite: the prompts that the images were made from.
        out: the run folder; ``runs/score-SUITE`` by default.

    Raises:
        InputError: no image belongs to a prompt, or folders contradict each other; nothing is written.
    """
    options = options or ScoreOptions()
    repeat = Repeat("score", {"images": images, "suite": suite, "judge": judge, "out": out}, options)
    crew = crew_of(options.machine)
    plan, seen_by, _ = plan_brought(judge_for, images, suite, judge, out, options, crew=crew)
    folder = folder_of(plan, out, f"score-{plan.suite.name}")
    plan = compared(plan, folder, options.beside, options.limits.baseline)
    with looked_at(plan, folder, seen_by, repeat, options.machine, crew) as (_, result):
        return result


def estimate_score(
    images: Path | str,
    suite: str | Suite,
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: ScoreOptions | None = None,
) -> Estimate:
    """What the same call of ``score`` would still ask; asks and writes nothing.

    Raises:
        InputError: as ``score``, except for what shows only when the judge is reached.
    """
    options = options or ScoreOptions()
    plan, seen_by, _ = plan_brought(unasked, images, suite, judge, out, options)
    folder = folder_of(plan, out, f"score-{plan.suite.name}")
    return estimate_of(compared(plan, folder, options.beside, options.limits.baseline), folder, seen_by)


@contextlib.contextmanager
def looked_at(
    plan: Plan, folder: Path, judge: Judge, repeat: Repeat, machine: Machine, crew: Crew | None
) -> Generator[tuple[Ledger, RunResult]]:
    """Judges and scores the images of a plan in its folder, which stays locked while the block runs."""
    if not (folder / LEDGER_NAME).exists():
        check_measuring(plan, machine.device)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger, at_work(crew):
        take_over(plan, ledger, folder)
        put_plan(plan, ledger)
        repeat.keep(folder)
        note_taken_for(judge, plan.world)
        warn(plan.judge_warnings)
        _enter(plan.images, ledger)
        manifest: dict[str, object] = {
            "images": {"folder": plan.model.removeprefix(BROUGHT), "count": len(plan.images)}
        }
        yield ledger, finish(plan, ledger, folder, judge, manifest, machine.batch, machine.device, crew)


def plan_brought(
    ready: ReadyJudge,
    images: Path | str,
    suite: str | Suite,
    judge: str | Judge,
    out: Path | str | None,
    options: ScoreOptions,
    origin: Literal["score", "sweep"] = "score",
    crew: Crew | None = None,
) -> tuple[Plan, Judge, Brought]:
    """The plan for images made elsewhere, before the judge is asked; its judge, and what the images are known by."""
    asking = options.asking
    whole = find_suite(suite, options.concepts)
    loaded = limited(whole, options.limit, options.limits)
    questions = load_questions(asking.questions)
    check_run_folder(Path(out or Path("runs") / f"{origin}-{loaded.name}"))
    brought = find_images(Path(images), whole, loaded)
    world = world_of_files((image.file for image in brought.images), loaded)
    how, scores = options.taught, origin == "score"  # a sweep has other images than those that name it
    taught = find_taught(how.taught, how.references, how.embedder, loaded, world, unnamed=scores)
    asked = ask_all(loaded, questions.ask, taught)
    seen_by = ready(asked, judge, options.machine.device, asking, crew)
    check_questions(seen_by, asked, asking.questions)
    settings: dict[str, object] = {"questions": questions.name, "limit": options.limit, **asking.record()}
    settings |= {"allow_unfit_judge": True} if options.limits.allow_unfit_judge else {}
    plan = Plan(
        suite=loaded,
        model=f"{BROUGHT}{images}",
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=questions_of(seen_by, asked),
        images=brought.images,
        settings=RunSettings.of(settings),
        origin=origin,
        world=world,
        judge_warnings=world_warnings(seen_by, world, of_folders([images])),
        left_out=brought.left_out,
        taught=taught,
        measuring=find_measuring(options.measuring),
    )
    check_names(seen_by, plan)
    return plan, seen_by, brought


def _enter(planned: Sequence[PlannedImage], ledger: Ledger) -> None:
    """Records every image; an image whose folder was moved gets its new path."""
    known = ledger.images()
    for image in planned:
        if image.item not in known or known[image.item].file != image.file:
            ledger.add_image(ImageRow(image.item, image.text, None, image.file, {}))
