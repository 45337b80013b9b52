"""What a run would take before it is made: images to draw, questions to ask, and what an endpoint would be sent."""

import contextlib
import math
import shutil
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dominance.errors import ItemError
from dominance.files import is_file
from dominance.judges.protocol import Judge, RemoteJudge
from dominance.pictures import open_image
from dominance.records import LeftOut
from dominance.runs.audit.sameness import take_over
from dominance.runs.stages.drawing import missing_images
from dominance.runs.stages.one_answer import ControlAnswers, known_controls, most_control_questions
from dominance.runs.stages.picture_scores import still_to_measure
from dominance.runs.store.bench_ledger import RememberingLedger
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan

_MEASURED = 20
"""Images whose size is measured; more would take long and say the same."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run would still take, as things stand in its folder.

    Attributes:
        images: of the whole run, each counted once; some may be there already.
        questions: of the whole run; some may be answered already, by this judge with these options.
        denoising_steps: of all images to draw; None where no model draws. Under guidance most models evaluate their
            denoiser twice a step.
        guidance: that they are drawn at; None where no model draws.
        calls: to an endpoint, one for each open question, without those that must be repeated; None for a judge that is
            not sent anything.
        megabytes: that the calls carry; None where no image is there to be measured.
        measured: images that were measured for it.
        answer_tokens: the most that an endpoint may write in one answer.
        images_to_measure: without a question, those still to be drawn among them; None where nothing is asked for.
        measured_by: the models that do.
        control_questions: the most that may be asked about control pictures beside these, to find out whether the judge
            gives one answer to everything.
        left_out: images that were given and would not be used.
    """

    run: str
    suite: str
    model: str
    judge: str
    images: int
    images_there: int
    images_to_draw: int
    questions: int
    questions_answered: int
    questions_to_ask: int
    denoising_steps: int | None = None
    guidance: float | None = None
    calls: int | None = None
    megabytes: float | None = None
    measured: int = 0
    answer_tokens: int | None = None
    images_to_measure: int | None = None
    measured_by: tuple[str, ...] = ()
    control_questions: int = 0
    left_out: tuple[LeftOut, ...] = ()


def estimate_of(plan: Plan, folder: Path, judge: Judge) -> Estimate:
    """What the run of this plan would still take.

    Raises:
        RunError: the folder holds another run.
    """
    with copied_ledger(folder) as ledger:
        take_over(plan, ledger, folder)
        return counted(plan, folder, judge, ledger)


def counted(plan: Plan, folder: Path, judge: Judge, ledger: Ledger) -> Estimate:
    """The same by a copy of the folder's ledger, whatever run that holds."""
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    asked: dict[str, set[str]] = {}
    for image in plan.images:
        texts = {question.text for question in plan.asked_about(prompts[image.prompt_id])}
        asked.setdefault(image.item, set()).update(texts)
    files = {image.item: folder / image.file for image in plan.images}
    missing, answered, known, to_measure = _state(plan, folder, ledger)
    still = {item: texts if item in missing else texts - answered.get(item, set()) for item, texts in asked.items()}
    questions, left = sum(map(len, asked.values())), sum(map(len, still.values()))
    found = Estimate(
        run=str(folder),
        suite=plan.suite.name,
        model=plan.model,
        judge=plan.judge,
        images=len(asked),
        images_there=len(asked) - len(missing),
        images_to_draw=len(missing),
        questions=questions,
        questions_answered=questions - left,
        questions_to_ask=left,
        denoising_steps=None if plan.settings.steps is None else plan.settings.steps * len(missing),
        guidance=plan.settings.guidance,
        images_to_measure=to_measure,
        measured_by=() if plan.measuring is None else plan.measuring.names,
        control_questions=most_control_questions(plan, known, len(asked), questions),
        left_out=plan.left_out,
    )
    there = [files[item] for item, texts in still.items() if texts and item not in missing]
    return _sent(found, judge, there) if isinstance(judge, RemoteJudge) else found


def _sent(found: Estimate, judge: RemoteJudge, there: Sequence[Path]) -> Estimate:
    """With what the calls carry, from a few of the images that they are about."""
    step = max(1, math.ceil(len(there) / _MEASURED))
    pictures = [picture for path in there[::step] if not isinstance(picture := open_image(path), ItemError)]
    sizes = [judge.bytes_sent(picture) for picture in pictures]
    calls = found.questions_to_ask
    return replace(
        found,
        calls=calls,
        megabytes=round(calls * sum(sizes) / len(sizes) / 1e6, 3) if sizes else None,
        measured=len(sizes),
        answer_tokens=judge.answer_tokens,
    )


def _state(
    plan: Plan, folder: Path, ledger: Ledger
) -> tuple[set[str], dict[str, set[str]], ControlAnswers, int | None]:
    """Items without an image, texts of answered questions by item, control answers, and images to measure."""
    to_draw = [image for image in plan.images if image.seed is not None]
    missing = {image.item for image in missing_images(to_draw, ledger, folder)}
    answers, known = ledger.answers(plan.judge_identity), known_controls(plan, ledger)
    to_measure = None if plan.measuring is None else still_to_measure(plan, ledger, missing)
    return missing, {item: {*by_text} for item, by_text in answers.items()}, known, to_measure


@contextlib.contextmanager
def copied_ledger(folder: Path) -> Generator[RememberingLedger]:
    """A copy of the folder's ledger, because opening it writes beside it; an empty one where there is none."""
    with tempfile.TemporaryDirectory() as place:
        for name in (LEDGER_NAME, f"{LEDGER_NAME}-wal"):
            if is_file(folder / name):
                shutil.copyfile(folder / name, Path(place, name))
        with RememberingLedger(Path(place, LEDGER_NAME)) as ledger:
            yield ledger
