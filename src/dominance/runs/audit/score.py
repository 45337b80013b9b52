"""Scores images that were made elsewhere: the audit without its first stage."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from dominance.errors import InputError
from dominance.files import is_folder
from dominance.judges.protocol import Judge
from dominance.pictures import IMAGE_ENDINGS
from dominance.records import Prompt, RunResult, RunSettings, Suite
from dominance.runs.audit.options import ScoreOptions, limited
from dominance.runs.audit.result import check_same_suite, finish, put_plan
from dominance.runs.stages.judging import check_names, check_questions, judge_for, note_foreign, questions_of
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
    """Judges and scores a folder of images; resumes whatever the run folder already holds.

    Args:
        images: a folder with one subfolder a prompt, named by the prompt's id, or ``caseNNN_anything`` as the
            official release names them; for a suite of one prompt the images may lie in the folder itself.
        suite: what the images were made from.
        out: the run folder; by default ``runs/score-`` and the suite's name.

    Raises:
        InputError: no image belongs to any prompt, two folders are of one case, or a file leads out of the folder;
            nothing was written.
    """
    options = options or ScoreOptions()
    asking = options.asking
    repeat = Repeat("score", {"images": images, "suite": suite, "judge": judge, "out": out}, options)
    loaded = limited(find_suite(suite), options.limit, options.limits)
    questions = load_questions(asking.questions)
    folder = Path(out) if out is not None else Path("runs") / f"score-{loaded.name}"
    check_run_folder(folder)
    planned = find_images(Path(images), loaded)
    asked = ask_all(loaded, questions.ask)
    seen_by = judge_for(asked, judge, options.machine.device, asking.judge_mode)
    check_questions(seen_by, asked, asking.questions)
    plan = Plan(
        suite=loaded,
        model=f"images in {images}",
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=questions_of(seen_by, asked),
        images=planned,
        settings=RunSettings.of({"questions": questions.name, "limit": options.limit, "judge_mode": asking.judge_mode}),
        origin="score",
    )
    check_names(seen_by, plan)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        check_same_suite(plan, ledger, folder)
        put_plan(plan, ledger)
        repeat.keep(folder)
        note_foreign(seen_by, None)
        _enter(planned, ledger)
        manifest = {"images": {"folder": str(images), "count": len(planned)}}
        return finish(plan, ledger, folder, seen_by, manifest, options.machine.batch)


def _enter(planned: Sequence[PlannedImage], ledger: Ledger) -> None:
    """Gives every image its row; one that was known elsewhere, because the folder was moved, gets its new place."""
    known = ledger.images()
    for image in planned:
        if image.item not in known or known[image.item].file != image.file:
            ledger.add_image(ImageRow(image.item, image.text, None, image.file, {}))


def find_images(folder: Path, suite: Suite) -> tuple[PlannedImage, ...]:
    """The images of each prompt, by name.

    Raises:
        InputError: the folder is missing, holds no image of any prompt, or a link leads out of it.
    """
    if not is_folder(folder):
        shown = on_one_line(folder, 120)
        raise InputError(f"no folder of images at {shown}; give a folder with one subfolder a prompt")
    found = []
    try:
        for prompt, places in _places(folder, suite).items():
            for place in places:
                prefix = f"{place.name}/" if len(places) > 1 else ""
                found += [_planned(prompt, file, f"{prefix}{file.name}", folder) for file in _image_files(place)]
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be read ({complaint(error)}); mend it") from None
    if not found:
        first = suite.prompts[0].id
        raise InputError(
            f"{folder} holds no image of any prompt of the suite {suite.name!r}; name its subfolders by the prompts'"
            f" ids, for instance {folder / first}, and let its files end in {', '.join(sorted(IMAGE_ENDINGS))}"
        )
    return tuple(found)


def _places(folder: Path, suite: Suite) -> dict[Prompt, list[Path]]:
    """The subfolders of each prompt, by the prompt's id or its case number; of a single prompt perhaps the folder.

    Raises:
        InputError: two folders of one prompt's case.
    """
    by_id = {prompt.id.lower(): prompt for prompt in suite.prompts}
    by_case = {case: prompt for prompt in suite.prompts if (case := _case_of(prompt)) is not None}
    places: dict[Prompt, list[Path]] = {}
    cases: dict[Prompt, Path] = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        case = folder_case(place.name)
        prompt = by_id.get(place.name.lower()) or (None if case is None else by_case.get(case))
        if prompt is None:
            continue
        if case is not None and (first := cases.setdefault(prompt, place)) != place:
            raise InputError(
                f"the folders {quoted(first.name)} and {quoted(place.name)} in {on_one_line(folder, 120)} are both of"
                f" case {case}; leave one of them there, and score the other by itself"
            )
        places.setdefault(prompt, []).append(place)
    if not places and len(suite.prompts) == 1:
        places[suite.prompts[0]] = [folder]
    return places


def _case_of(prompt: Prompt) -> int | None:
    """The number of a prompt whose id is ``caseNNN`` and no more."""
    return None if "_" in prompt.id else folder_case(prompt.id)


def _image_files(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.suffix.lower() in IMAGE_ENDINGS and path.is_file())


def _planned(prompt: Prompt, file: Path, name: str, folder: Path) -> PlannedImage:
    """The image, its item made of its place and content; one that cannot be opened fails when it is judged."""
    resolved, root = file.resolve(), folder.resolve()
    if not resolved.is_relative_to(root):
        raise InputError(f"{file} leads out of the folder of images, to {resolved}; give the images themselves")
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
