"""Scores images that were made elsewhere: the audit without its first stage."""

import hashlib
import re
from pathlib import Path

from dominance.bench import load_questions, load_suite
from dominance.errors import InputError
from dominance.judges import Judge, load_judge
from dominance.records import Prompt, RunResult, Suite
from dominance.runs.audit import AuditOptions, finish, limited
from dominance.runs.folder import LEDGER_NAME, check_run_folder, held
from dominance.runs.ledger import ImageRow, Ledger
from dominance.runs.plan import Plan, PlannedImage, ask_all, plan_document

SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".webp")
_CASE = re.compile(r"(case\d+)_.*", re.IGNORECASE)


def score(
    images: Path | str,
    suite: str | Suite,
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: AuditOptions | None = None,
) -> RunResult:
    """Judges and scores a folder of images; resumes whatever the run folder already holds.

    Args:
        images: a folder with one subfolder a prompt, named by the prompt's id, or ``caseNNN_anything`` as the
            official release names them; for a suite of one prompt the images may lie in the folder itself.
        suite: what the images were made from.
        out: the run folder; by default ``runs/score-`` and the suite's name.

    Raises:
        InputError: no image belongs to any prompt, or a file leads out of the folder; nothing was written.
    """
    options = options or AuditOptions()
    loaded = limited(load_suite(suite) if isinstance(suite, str) else suite, options)
    questions = load_questions(options.questions)
    folder = Path(out) if out is not None else Path("runs") / f"score-{loaded.name}"
    check_run_folder(folder)
    planned = find_images(Path(images), loaded)
    asked = ask_all(loaded, questions.ask)
    seen_by = load_judge(judge, options.device) if isinstance(judge, str) else judge
    seen_by.check([question for listed in asked.values() for question in listed])
    plan = Plan(
        suite=loaded,
        model=f"images in {images}",
        judge=seen_by.name,
        judge_identity=seen_by.identity,
        questions=asked,
        images=planned,
        settings={"questions": questions.name, "limit": options.limit},
        image_settings={},
    )
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        ledger.put("plan", plan_document(plan))
        known = ledger.images()
        for image in planned:
            if image.item not in known:
                ledger.add_image(ImageRow(image.item, image.text, None, image.file, {}))
        return finish(plan, ledger, folder, seen_by, {"images": {"folder": str(images), "count": len(planned)}})


def find_images(folder: Path, suite: Suite) -> tuple[PlannedImage, ...]:
    """The images of each prompt, by name.

    Raises:
        InputError: the folder is missing, holds no image of any prompt, or a link leads out of it.
    """
    if not folder.is_dir():
        raise InputError(f"no folder of images at {folder}; give a folder with one subfolder a prompt")
    root = folder.resolve()
    by_id = {prompt.id.lower(): prompt for prompt in suite.prompts}
    places: list[tuple[Prompt, Path]] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        case = _CASE.fullmatch(place.name)
        prompt = by_id.get(place.name.lower()) or (by_id.get(case[1].lower()) if case else None)
        if prompt is not None:
            places.append((prompt, place))
    if not places and len(suite.prompts) == 1:
        places = [(suite.prompts[0], folder)]
    found = [_planned(prompt, file, root) for prompt, place in places for file in _image_files(place)]
    if not found:
        first = suite.prompts[0].id
        raise InputError(
            f"{folder} holds no image of any prompt of the suite {suite.name!r}; name its subfolders by the prompts'"
            f" ids, for instance {folder / first}, and the files *.png, *.jpg or *.webp"
        )
    return tuple(found)


def _image_files(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _planned(prompt: Prompt, file: Path, root: Path) -> PlannedImage:
    resolved = file.resolve()
    if not resolved.is_relative_to(root):
        raise InputError(f"{file} leads out of the folder of images, to {resolved}; give the images themselves")
    digest = hashlib.sha256(str(resolved.relative_to(root)).encode())
    with resolved.open("rb") as opened:
        digest.update(hashlib.file_digest(opened, "sha256").digest())
    return PlannedImage(digest.hexdigest()[:32], prompt.id, prompt.text, file.name, None, str(resolved))
