"""The stage that asks the judge about every image without answers."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from PIL import Image

from dominance.errors import InputError, ItemError
from dominance.judges.answers.judge import AnswersJudge
from dominance.judges.options import Asking
from dominance.judges.protocol import (
    AsksItself,
    DescribedJudge,
    ImageName,
    Judge,
    JudgeStoppedError,
    NamedJudge,
    PacedJudge,
    RemoteJudge,
)
from dominance.judges.registry import load_judge
from dominance.pictures import open_image
from dominance.progress import Progress, say
from dominance.records import Answer, Concept, Question
from dominance.runs.engines.crew import Crew
from dominance.runs.engines.supply import Supply
from dominance.runs.engines.work import Ended, sendable
from dominance.runs.stages.drawing import in_halves
from dominance.runs.stages.elsewhere import GivenJudge, Judged, JudgingWork, NamedJudgeLoader, WorkersJudge, shown_to
from dominance.runs.stages.keeping import Given, Item, Record
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan
from dominance.wording import on_one_line

_AT_ONCE = 32
"""Default number of images per request to a judge."""

_MOST_NAMED = 20
"""Unscored images named on standard error; the report names all."""

_LONGEST_LINE = 1000
"""Characters of a line about one of them."""

_NOT_LOADED = ("answers:", "openai:")
"""Judges without weights to load."""

_Asked = tuple[str, Path, tuple[Question, ...]]
_Answers = Callable[[Sequence[int]], Given]
"""The answers about some images of a batch, by their indices in it."""
ReadyJudge = Callable[[Mapping[Concept, tuple[Question, ...]], str | Judge, str, Asking, Crew | None], Judge]
"""What makes a judge ready: ``judge_for``, or ``unasked``."""


def judge_of(judge: str | Judge, device: str, asking: Asking, crew: Crew | None = None) -> Judge:
    """The judge, loaded if given by name; nothing is asked yet.

    Args:
        crew: the workers that will ask it, each its own.

    Raises:
        ModelError: the judge does not exist, does not take its options, or cannot be sent to workers.
        InputError: there are options for a judge that was made in Python.
    """
    if isinstance(judge, str):
        if not judge.startswith(_NOT_LOADED):
            say(f"loading the judge {on_one_line(judge, 120)}")
        # Workers have the devices; this process only asks it what it understands.
        here = device if crew is None else "cpu"
        loaded = load_judge(judge, here, asking.judge_mode, asking.options)
        if crew is not None:
            crew.lend(loaded, JudgingWork(NamedJudgeLoader.of(judge, device, asking)))
        return loaded
    if asking.judge_option:
        raise InputError(
            f"the judge {on_one_line(judge.name, 120)} was made in Python, so judge_option would not reach it; set its"
            " options where it is made"
        )
    if crew is not None and not _asked_here(judge):
        sendable(judge, f"the judge {on_one_line(judge.name, 120)}")
        crew.lend(judge, JudgingWork(GivenJudge(judge)))
    return judge


def _asked_here(judge: Judge) -> bool:
    """Whether this process alone asks it: it holds answers, or is a server that does the work elsewhere anyway."""
    return isinstance(judge, NamedJudge | RemoteJudge)


def judge_for(
    asked: Mapping[Concept, tuple[Question, ...]],
    judge: str | Judge,
    device: str,
    asking: Asking | None = None,
    crew: Crew | None = None,
) -> Judge:
    """The judge, ready to be asked, by these workers if there are any.

    Raises:
        ModelError: the judge does not exist, or does not understand all the questions.
    """
    loaded = judge_of(judge, device, asking or Asking(), crew)
    loaded.check([question for questions in questions_of(loaded, asked).values() for question in questions])
    return loaded


def unasked(
    asked: Mapping[Concept, tuple[Question, ...]],  # noqa: ARG001 - as judge_for
    judge: str | Judge,
    device: str,
    asking: Asking | None = None,
    crew: Crew | None = None,  # noqa: ARG001
) -> Judge:
    """The judge as ``judge_for`` gives it, without a word to it: for estimates."""
    return judge_of(judge, device, asking or Asking())


def questions_of(judge: Judge, asked: Mapping[Concept, tuple[Question, ...]]) -> dict[Concept, tuple[Question, ...]]:
    """The questions about each concept: the judge's own if it has any, else the given ones."""
    if not isinstance(judge, AsksItself):
        return dict(asked)
    return {concept: judge.ask(concept) or questions for concept, questions in asked.items()}


def check_names(judge: Judge, plan: Plan) -> None:
    """Raises a ModelError if a judge by name has answers about images or questions outside a whole suite's plan."""
    if isinstance(judge, NamedJudge) and plan.settings.limit is None:
        questions = [question for asked in plan.questions.values() for question in asked]
        judge.check_images([ImageName(i.prompt_id, i.name, i.file) for i in plan.images], questions)


def refuse_named(judge: Judge, why: str) -> None:
    """Raises an InputError for a judge that knows images by name when new images are drawn."""
    if isinstance(judge, NamedJudge):
        raise InputError(
            f"the judge {on_one_line(judge.name, 120)} holds answers about existing images, but {why}; give a judge"
            " that looks at images, and check it with `dominance judge check`"
        )


def refuse_asked_here(judge: Judge, why: str) -> None:
    """Raises an InputError for a judge that workers cannot ask where they have to."""
    if _asked_here(judge):
        raise InputError(
            f"the judge {on_one_line(judge.name, 120)} is asked by the command's own process, but {why}; leave out"
            " --workers and --engine, or give a judge that is loaded"
        )


def check_questions(judge: Judge, asked: Mapping[Concept, tuple[Question, ...]], given: Path | None) -> None:
    """Raises an InputError if the user's questions would never be asked, because the judge has its own."""
    if given is not None and questions_of(judge, asked) != asked:
        raise InputError(
            f"the judge {on_one_line(judge.name, 120)} has questions of its own, so those in {on_one_line(given, 120)}"
            " would never be asked; leave out --questions"
        )


def note_bare_seeds(judge: Judge, plan: Plan) -> None:
    """Warns on standard error that labels by seed alone match any model's images with these seeds."""
    if not isinstance(judge, AnswersJudge):
        return
    by_seed = {key.image for key in judge.labels.votes} & {image.name for image in plan.images}
    if by_seed:
        sys.stderr.write(
            f"note: the labels in {on_one_line(judge.labels.file, 120)} name images by seed, so they apply to any"
            " model's images with these seeds; to tie a label to a picture, use its file name, such as"
            f" {PurePath(plan.images[0].file).name}\n"
        )


def judge_record(judge: Judge, ledger: Ledger) -> dict[str, object]:
    """The manifest's entry on the judge, with the number of answers that have a probability."""
    answers = [answer for by_text in ledger.answers(judge.identity).values() for answer in by_text.values()]
    with_p_yes = sum(1 for _, p_yes in answers if p_yes is not None)
    answered = {"with_p_yes": with_p_yes, "yes_or_no_alone": len(answers) - with_p_yes}
    return {**described_judge(judge), "answered": answered}


def described_judge(judge: Judge) -> dict[str, object]:
    """Name and identity of a judge, and what more it has to say."""
    more = judge.describe() if isinstance(judge, DescribedJudge) else {}
    return {"name": judge.name, "identity": judge.identity, **more}


def unanswered(plan: Plan, ledger: Ledger, folder: Path) -> list[_Asked]:
    """Existing images, with the questions that this judge has not answered yet; those that it failed on come last."""
    files = {item: row.file for item, row in ledger.images().items()}
    answers = ledger.answers(plan.judge_identity)
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    asked: dict[str, dict[str, Question]] = {}
    for image in plan.to_draw:
        if image.item in files:
            known = answers.get(image.item, {})
            questions = plan.asked_about(prompts[image.prompt_id])
            asked.setdefault(image.item, {}).update({q.text: q for q in questions if q.text not in known})
    failed = ledger.failures()
    return [
        (item, folder / files[item], tuple(questions.values()))
        for item, questions in sorted(asked.items(), key=lambda entry: entry[0] in failed)
        if questions
    ]


def ask_judge(
    open_questions: Sequence[_Asked],
    plan: Plan,
    judge: Judge,
    ledger: Ledger,
    batch: int | None = None,
    crew: Crew | None = None,
) -> None:
    """Asks the questions, and stores the answers batch by batch.

    Images that cannot be read or judged are recorded as failures and named on standard error; the rest continue, and
    the next run asks again. A slow judge is left after a row of answers that cannot be read, see ``unread``, unless
    only images remain that it failed on before.

    Args:
        crew: the workers that ask it, which were given to ``judge_for``.

    Raises:
        ModelError: the judge can no longer answer, or knows images by name and names one that does not exist.
        JudgeStoppedError: its answers cannot be read.
    """
    if plan.origin == "score":
        check_names(judge, plan)
    batch = batch or _AT_ONCE
    if isinstance(judge, PacedJudge):
        batch = min(batch, judge.images_at_once)
    fresh = {item for item, _, _ in open_questions} - {*ledger.failures()}
    record = Record(ledger, plan.judge_identity)
    with Progress("judged", total=len(open_questions), each="an image") as progress:
        if crew is None or _asked_here(judge):
            crew, judged = None, _judged_here(open_questions, batch, judge, plan, record)
        else:
            judged = _judged_by(crew, open_questions, batch, judge, record)
        for chunk in judged:
            progress.advance(len(chunk), None if crew is None else crew.pace())
            fresh -= {item for item, _, _ in chunk}
            if isinstance(judge, PacedJudge) and fresh and record.unread.too_many:
                raise JudgeStoppedError(record.unread.told(judge.name))
    tell_unscored(record.failed, plan)


def _judged_here(
    open_questions: Sequence[_Asked],
    batch: int,
    judge: Judge,
    plan: Plan,
    record: Record,
) -> Iterator[Sequence[_Asked]]:
    """Asks in this process, and gives each batch whose answers are kept."""
    names = _names(plan) if isinstance(judge, NamedJudge) else {}
    for start in range(0, len(open_questions), batch):
        chunk = open_questions[start : start + batch]
        if isinstance(judge, NamedJudge):
            asked, answer = _by_name(chunk, judge, names)
        else:
            asked, answer = _by_sight(chunk, judge, record)
        if asked:
            _ask(asked, answer, record)
        yield chunk


def asked_by(crew: Crew | None, judge: Judge) -> Judge:
    """The judge as a worker asks it, or as it is where this process does."""
    return judge if crew is None or _asked_here(judge) else WorkersJudge(judge.name, judge.identity, crew, judge)


def _judged_by(
    crew: Crew, open_questions: Sequence[_Asked], batch: int, judge: Judge, record: Record
) -> Iterator[Sequence[_Asked]]:
    """The same by workers."""
    supply = Supply(open_questions, lambda: batch, workers=crew.most())

    def task(chunk: Sequence[_Asked]) -> object:
        by_path = crew.place.reads_files
        return [shown_to(path.absolute(), questions, by_path=by_path) for _, path, questions in chunk]

    stopped: Exception | None = None
    for chunk, reply in crew.carry_out(crew.lent(judge), supply, task):
        judged = _blamed(reply, chunk) if isinstance(reply, Ended) else reply
        if judged.stopped is not None:
            stopped = judged.stopped
            supply.clear()  # what other workers have begun is kept, too
        outcomes = judged.outcomes
        answered = [
            (item, asked, given)
            for (item, _, asked), given in zip(chunk, outcomes, strict=True)
            if given is not None and not isinstance(given, ItemError)
        ]
        record.keep([(item, asked) for item, asked, _ in answered], [given for *_, given in answered])
        for (item, _, _), given in zip(chunk, outcomes, strict=True):
            if isinstance(given, ItemError):
                record.fail(item, str(given))
        yield [asked for asked, given in zip(chunk, outcomes, strict=True) if given is not None]
    if stopped is not None:
        raise stopped


def _blamed(ended: Ended, chunk: Sequence[_Asked]) -> Judged:
    return Judged([ItemError(f"every worker that looked at this image {ended.how}")] * len(chunk))


def _by_name(
    chunk: Sequence[_Asked], judge: NamedJudge, names: Mapping[str, tuple[ImageName, ...]]
) -> tuple[list[Item], _Answers]:
    """What to ask, and the function that answers it by the images' names."""
    asked = [(item, questions) for item, _, questions in chunk]
    return asked, lambda part: judge.answer_named(
        [names[asked[index][0]] for index in part], [asked[index][1] for index in part]
    )


def _by_sight(chunk: Sequence[_Asked], judge: Judge, record: Record) -> tuple[list[Item], _Answers]:
    """What to ask, and the function that answers it; unreadable images are recorded and left out."""
    asked: list[Item] = []
    images: list[Image.Image] = []
    for item, path, questions in chunk:
        image = open_image(path)
        if isinstance(image, ItemError):
            record.fail(item, str(image))
        else:
            asked.append((item, questions))
            images.append(image)
    return asked, lambda part: judge.answer([images[index] for index in part], [asked[index][1] for index in part])


def _ask(asked: Sequence[Item], answers: _Answers, record: Record) -> None:
    def answer(part: Sequence[int]) -> list[tuple[Answer, ...] | ItemError]:
        items = [asked[index] for index in part]
        try:
            given = answers(part)
        except JudgeStoppedError as stopped:
            if len(stopped.answers) == len(items):
                record.keep(items, stopped.answers)
            raise
        if len(given) != len(items):
            raise ItemError(f"{len(given)} results came back for {len(items)} items")
        # Stored here, so that one half's answers survive a failure of the other half.
        return record.keep(items, given)

    for (item, _), outcome in zip(asked, in_halves(answer, range(len(asked))), strict=True):
        if isinstance(outcome, ItemError) and item not in record.failed:
            record.fail(item, str(outcome))


def _names(plan: Plan) -> dict[str, tuple[ImageName, ...]]:
    """The names of each image, one per prompt that shares it."""
    names: dict[str, list[ImageName]] = {}
    for image in plan.images:
        names.setdefault(image.item, []).append(ImageName(image.prompt_id, image.name, image.file))
    return {item: tuple(listed) for item, listed in names.items()}


def tell_unscored(failed: Mapping[str, str], plan: Plan) -> None:
    """Names unscored images of the plan on standard error, like progress.

    Args:
        failed: why each item stays unscored.
    """
    names = _names(plan) if failed else {}
    for item, reason in list(failed.items())[:_MOST_NAMED]:
        shown = names[item][0]
        told = " ".join(reason.split())
        line = f"unscored: image {shown.name} of prompt {shown.prompt_id}: {told}"
        sys.stderr.write(f"{on_one_line(line, _LONGEST_LINE)}\n")
    if len(failed) > _MOST_NAMED:
        sys.stderr.write(f"unscored: {len(failed) - _MOST_NAMED} more images; the report names them all\n")
