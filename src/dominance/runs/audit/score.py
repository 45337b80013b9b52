"""Scores existing images: the audit without its first stage."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_folder
from dominance.judges.protocol import Judge
from dominance.pictures import IMAGE_ENDINGS
from dominance.records import Prompt, RunResult, RunSettings, Suite
from dominance.runs.audit.estimate import Estimate, estimate_of
from dominance.runs.audit.options import ScoreOptions, limited
from dominance.runs.audit.result import check_same_suite, finish, put_plan
from dominance.runs.stages.judge_fit import note_taken_for, of_folders, warn, world_of_files, world_warnings
from dominance.runs.stages.judging import (
    ReadyJudge,
    check_names,
    check_questions,
    judge_for,
    questions_of,
    unasked,
)
from dominance.runs.store.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import Plan, PlannedImage, ask_all
from dominance.runs.store.repeat import Repeat
from dominance.suites import find_suite, load_questions
from dominance.suites.official_prompts import folder_case
from dominance.wording import complaint, on_one_line, quoted


def score(
    images: Path | str,
    suite: str | Suite,
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: ScoreOptions | None = None,
) -> RunResult:
    """Judges and scores a folder of images; resumes an earlier run in the run folder.

    Args:
        images: a folder with one subfolder per prompt, named by the prompt's id, or ``caseNNN_anything`` as in the
            official release; for a suite of one prompt, the folder itself may hold the images.
        suite: the prompts that the images were made from.
        out: the run folder; ``runs/score-SUITE`` by default.

    Raises:
        InputError: no image belongs to a prompt, two folders have the same case, or a file lies outside the folder;
            nothing is written.
    """
    options = options or ScoreOptions()
    plan, folder, seen_by, repeat = _decided(judge_for, images, suite, judge, out, options)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        check_same_suite(plan, ledger, folder)
        put_plan(plan, ledger)
        repeat.keep(folder)
        note_taken_for(seen_by, plan.world)
        warn(plan.judge_warnings)
        _enter(plan.images, ledger)
        manifest = {"images": {"folder": str(images), "count": len(plan.images)}}
        return finish(plan, ledger, folder, seen_by, manifest, options.machine.batch)


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
    plan, folder, seen_by, _ = _decided(unasked, images, suite, judge, out, options or ScoreOptions())
    return estimate_of(plan, folder, seen_by)


def _decided(
    ready: ReadyJudge,
    images: Path | str,
    suite: str | Suite,
    judge: str | Judge,
    out: Path | str | None,
    options: ScoreOptions,
) -> tuple[Plan, Path, Judge, Repeat]:
    """Everything that is decided before the judge is asked."""
    asking = options.asking
    repeat = Repeat("score", {"images": images, "suite": suite, "judge": judge, "out": out}, options)
    loaded = limited(find_suite(suite, options.concepts), options.limit, options.limits)
    questions = load_questions(asking.questions)
    folder = Path(out) if out is not None else Path("runs") / f"score-{loaded.name}"
    check_run_folder(folder)
    planned = find_images(Path(images), loaded)
    asked = ask_all(loaded, questions.ask)
    seen_by = ready(asked, judge, options.machine.device, asking)
    check_questions(seen_by, asked, asking.questions)
    world = world_of_files((image.file for image in planned), loaded)
    settings: dict[str, object] = {"questions": questions.name, "limit": options.limit, **asking.record()}
    settings |= {"allow_unfit_judge": True} if options.limits.allow_unfit_judge else {}
    plan = Plan(
        suite=loaded,
        model=f"images in {images}",
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=questions_of(seen_by, asked),
        images=planned,
        settings=RunSettings.of(settings),
        origin="score",
        world=world,
        judge_warnings=world_warnings(seen_by, world, of_folders([images])),
    )
    check_names(seen_by, plan)
    return plan, folder, seen_by, repeat


def _enter(planned: Sequence[PlannedImage], ledger: Ledger) -> None:
    """Records every image; an image whose folder was moved gets its new path."""
    known = ledger.images()
    for image in planned:
        if image.item not in known or known[image.item].file != image.file:
            ledger.add_image(ImageRow(image.item, image.text, None, image.file, {}))


def find_images(folder: Path, suite: Suite) -> tuple[PlannedImage, ...]:
    """The images of each prompt, by name.

    Raises:
        InputError: the folder is missing, holds no image of a prompt, or has a link that leads out of it.
    """
    if not is_folder(folder):
        shown = on_one_line(folder, 120)
        raise InputError(f"there is no image folder at {shown}; give a folder with one subfolder per prompt")
    found = []
    try:
        for prompt, subfolders in _subfolders(folder, suite).items():
            for subfolder in subfolders:
                prefix = f"{subfolder.name}/" if len(subfolders) > 1 else ""
                found += [_planned(prompt, file, f"{prefix}{file.name}", folder) for file in _image_files(subfolder)]
    except OSError as error:
        raise InputError(
            f"{error.filename or folder} cannot be read ({complaint(error)}); check its permissions"
        ) from None
    if not found:
        first = suite.prompts[0].id
        raise InputError(
            f"{folder} holds no image of any prompt of the suite {suite.name!r}; name its subfolders after the prompts'"
            f" ids, such as {folder / first}, with files ending in {', '.join(sorted(IMAGE_ENDINGS))}"
        )
    return tuple(found)


def _subfolders(folder: Path, suite: Suite) -> dict[Prompt, list[Path]]:
    """The subfolders of each prompt, by id or case number; for a single prompt, the folder itself if none matches.

    Raises:
        InputError: two folders have the same case.
    """
    by_id = {prompt.id.lower(): prompt for prompt in suite.prompts}
    by_case = {case: prompt for prompt in suite.prompts if (case := _case_of(prompt)) is not None}
    subfolders: dict[Prompt, list[Path]] = {}
    cases: dict[Prompt, Path] = {}
    for subfolder in sorted(path for path in folder.iterdir() if path.is_dir()):
        case = folder_case(subfolder.name)
        prompt = by_id.get(subfolder.name.lower()) or (None if case is None else by_case.get(case))
        if prompt is None:
            continue
        if case is not None and (first := cases.setdefault(prompt, subfolder)) != subfolder:
            raise InputError(
                f"the folders {quoted(first.name)} and {quoted(subfolder.name)} in {on_one_line(folder, 120)} are both"
                f" case {case}; keep one, and score the other separately"
            )
        subfolders.setdefault(prompt, []).append(subfolder)
    if not subfolders and len(suite.prompts) == 1:
        subfolders[suite.prompts[0]] = [folder]
    return subfolders


def _case_of(prompt: Prompt) -> int | None:
    """The number of a prompt whose id is exactly ``caseNNN``."""
    return None if "_" in prompt.id else folder_case(prompt.id)


def _image_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_ENDINGS and path.is_file())


def _planned(prompt: Prompt, file: Path, name: str, folder: Path) -> PlannedImage:
    """The image; its item is a hash of path and content. An unreadable image fails when it is judged."""
    resolved, root = file.resolve(), folder.resolve()
    if not resolved.is_relative_to(root):
        raise InputError(f"{file} leads out of the image folder, to {resolved}; replace the link with the image itself")
    try:
        digest = hashlib.sha256(str(resolved.relative_to(root)).encode())
        str(resolved).encode()
    except UnicodeEncodeError:
        raise InputError(f"the name of {str(file)!r} is not UTF-8; rename it") from None
    try:
        with resolved.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError:
        digest.update(b"cannot be opened")
    return PlannedImage(digest.hexdigest()[:32], prompt.id, prompt.text, name, None, str(resolved))
