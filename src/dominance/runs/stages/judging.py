"""The stage that asks the judge about every image that lacks answers."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

from PIL import Image

from dominance.errors import InputError, ItemError
from dominance.judges.answers.judge import AnswersJudge
from dominance.judges.protocol import (
    AsksItself,
    DescribedJudge,
    ImageName,
    Judge,
    JudgeStoppedError,
    NamedJudge,
    PacedJudge,
)
from dominance.judges.registry import load_judge
from dominance.pictures import open_image
from dominance.progress import Progress
from dominance.records import Answer, Concept, Question
from dominance.runs.stages.drawing import in_halves
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan
from dominance.wording import on_one_line

_AT_ONCE = 32
"""Images that a judge looks at at once, unless asked otherwise."""

_MOST_NAMED = 20
"""Unscored images that are named on standard error; the report names all."""

_LONGEST_LINE = 1000
"""Characters of a line about one of them; what would steer the terminal is escaped."""

_Asked = tuple[str, Path, tuple[Question, ...]]
_Item = tuple[str, tuple[Question, ...]]
_Given = list[tuple[Answer, ...]]
_Answers = Callable[[Sequence[int]], _Given]
"""Gives the answers about some of the images of a batch, by their places in it."""


def judge_for(
    asked: Mapping[Concept, tuple[Question, ...]], judge: str | Judge, device: str, mode: str = "fast"
) -> Judge:
    """The judge, loaded if only its name is given.

    Raises:
        ModelError: no such judge, or one that does not understand all the questions.
    """
    if isinstance(judge, str):
        loaded = load_judge(judge, device) if mode == "fast" else load_judge(judge, device, mode)
    else:
        loaded = judge
    loaded.check([question for questions in questions_of(loaded, asked).values() for question in questions])
    return loaded


def questions_of(judge: Judge, asked: Mapping[Concept, tuple[Question, ...]]) -> dict[Concept, tuple[Question, ...]]:
    """The questions about each concept: the judge's own where it brings some, else those that were to be asked."""
    if not isinstance(judge, AsksItself):
        return dict(asked)
    return {concept: judge.ask(concept) or questions for concept, questions in asked.items()}


def check_names(judge: Judge, plan: Plan) -> None:
    """Refuses a judge that knows images by name and names one, or a question, that is not of a whole suite's plan.

    Raises:
        ModelError: such a judge holds an answer about another image or question.
    """
    if isinstance(judge, NamedJudge) and plan.settings.limit is None:
        questions = [question for asked in plan.questions.values() for question in asked]
        judge.check_images([ImageName(i.prompt_id, i.name, i.file) for i in plan.images], questions)


def refuse_named(judge: Judge, why: str) -> None:
    """Raises an InputError for a judge that knows images by name, where new ones are drawn."""
    if isinstance(judge, NamedJudge):
        raise InputError(
            f"the judge {on_one_line(judge.name, 120)} holds answers about images that are there, and {why}; give a"
            " judge that looks at images, and check it with `dominance judge check`"
        )


def check_questions(judge: Judge, asked: Mapping[Concept, tuple[Question, ...]], given: Path | None) -> None:
    """Raises an InputError if the user's questions would never be asked, since the judge brings its own."""
    if given is not None and questions_of(judge, asked) != asked:
        raise InputError(
            f"the judge {on_one_line(judge.name, 120)} holds one label a concept, so that the questions in"
            f" {on_one_line(given, 120)} are never asked; leave out --questions"
        )


def foreign_note(judge: Judge, world: str | None) -> str:
    """What must be known of a judge that was taught on one world of pictures and is to look at others; else nothing.

    Args:
        world: of the pictures; None for pictures of no closed world, or made elsewhere.
    """
    taught = getattr(judge, "world", None)
    if taught in (None, world):
        return ""
    return (
        f"note: the judge {judge.name!r} was taught on drawings of the {taught} world; on other pictures its answers"
        " are meaningless: give --judge, see `dominance list judges`\n"
    )


def note_foreign(judge: Judge, world: str | None) -> None:
    """Says so on standard error; see ``foreign_note``."""
    sys.stderr.write(foreign_note(judge, world))


def note_bare_seeds(judge: Judge, plan: Plan) -> None:
    """Says on standard error that labels by seed alone would fit any model's images of these seeds."""
    if not isinstance(judge, AnswersJudge):
        return
    by_seed = {key.image for key in judge.labels.votes} & {image.name for image in plan.images}
    if by_seed:
        sys.stderr.write(
            f"note: the labels in {on_one_line(judge.labels.file, 120)} name images by their seeds, and are taken for"
            " the images of these seeds whatever made them; the file name of an image, such as"
            f" {PurePath(plan.images[0].file).name}, ties a label to the picture\n"
        )


def judge_record(judge: Judge, ledger: Ledger) -> dict[str, object]:
    """What the manifest says about the judge, and how many of its answers came with a probability."""
    answers = [answer for by_text in ledger.answers(judge.identity).values() for answer in by_text.values()]
    with_p_yes = sum(1 for _, p_yes in answers if p_yes is not None)
    return {
        "name": judge.name,
        "identity": judge.identity,
        **(judge.describe() if isinstance(judge, DescribedJudge) else {}),
        "answered": {"with_p_yes": with_p_yes, "yes_or_no_alone": len(answers) - with_p_yes},
    }


def unanswered(plan: Plan, ledger: Ledger, folder: Path) -> list[_Asked]:
    """Images that exist and the questions about them that this judge has not answered yet."""
    files = {item: row.file for item, row in ledger.images().items()}
    answers = ledger.answers(plan.judge_identity)
    prompts = {prompt.id: prompt for prompt in plan.suite.prompts}
    asked: dict[str, dict[str, Question]] = {}
    for image in plan.images:
        if image.item in files:
            known = answers.get(image.item, {})
            questions = plan.asked_about(prompts[image.prompt_id])
            asked.setdefault(image.item, {}).update({q.text: q for q in questions if q.text not in known})
    return [(item, folder / files[item], tuple(questions.values())) for item, questions in asked.items() if questions]


def ask_judge(
    open_questions: Sequence[_Asked], plan: Plan, judge: Judge, ledger: Ledger, batch: int | None = None
) -> None:
    """Asks, and keeps every answer as soon as its batch is there.

    Images that cannot be read or judged are recorded as failures, named on standard error, and the rest goes on; the
    next run asks about them again.

    Raises:
        ModelError: the judge can answer no more, or knows images by name and names one that there is not.
    """
    if plan.origin == "score":
        check_names(judge, plan)
    batch = batch or _AT_ONCE
    if isinstance(judge, PacedJudge):
        batch = min(batch, judge.images_at_once)
    names = _names(plan)
    record = _Record(ledger, plan.judge_identity)
    with Progress("judged", total=len(open_questions)) as progress:
        for start in range(0, len(open_questions), batch):
            chunk = open_questions[start : start + batch]
            if isinstance(judge, NamedJudge):
                asked, answer = _by_name(chunk, judge, names)
            else:
                asked, answer = _by_sight(chunk, judge, record)
            if asked:
                _ask(asked, answer, record)
            progress.advance(len(chunk))
    _tell(record.failed, names)


class _Record:
    """Writes answers and failures down as they come.

    Attributes:
        failed: for each item that stays unscored, why.
    """

    def __init__(self, ledger: Ledger, identity: str) -> None:
        self._ledger, self._identity = ledger, identity
        self.failed: dict[str, str] = {}

    def fail(self, item: str, reason: str) -> None:
        self._ledger.add_failure(item, "judge", reason)
        self.failed[item] = reason

    def keep(self, asked: Sequence[_Item], given: _Given) -> list[tuple[Answer, ...] | ItemError]:
        outcomes = [_complete(answers, wanted) for answers, (_, wanted) in zip(given, asked, strict=True)]
        both = [(item, outcome) for (item, _), outcome in zip(asked, outcomes, strict=True)]
        self._ledger.add_answers(self._identity, [(item, one) for item, one in both if not isinstance(one, ItemError)])
        for item, outcome in both:
            if (problem := _problem(outcome)) is not None:
                self.fail(item, problem)
        return outcomes


def _by_name(
    chunk: Sequence[_Asked], judge: NamedJudge, names: Mapping[str, tuple[ImageName, ...]]
) -> tuple[list[_Item], _Answers]:
    """What is to be asked, and what answers it without a look at the images."""
    asked = [(item, questions) for item, _, questions in chunk]
    return asked, lambda part: judge.answer_named(
        [names[asked[place][0]] for place in part], [asked[place][1] for place in part]
    )


def _by_sight(chunk: Sequence[_Asked], judge: Judge, record: _Record) -> tuple[list[_Item], _Answers]:
    """What is to be asked, and what answers it; images that cannot be read are left out and recorded."""
    asked: list[_Item] = []
    images: list[Image.Image] = []
    for item, path, questions in chunk:
        image = open_image(path)
        if isinstance(image, ItemError):
            record.fail(item, str(image))
        else:
            asked.append((item, questions))
            images.append(image)
    return asked, lambda part: judge.answer([images[place] for place in part], [asked[place][1] for place in part])


def _ask(asked: Sequence[_Item], answers: _Answers, record: _Record) -> None:
    def answer(part: Sequence[int]) -> list[tuple[Answer, ...] | ItemError]:
        items = [asked[place] for place in part]
        try:
            given = answers(part)
        except JudgeStoppedError as stopped:
            if len(stopped.answers) == len(items):
                record.keep(items, stopped.answers)
            raise
        if len(given) != len(items):
            raise ItemError(f"{len(given)} results came back for {len(items)} items")
        # Kept here and not at the end: what one half has answered must outlast whatever happens to the other.
        return record.keep(items, given)

    for (item, _), outcome in zip(asked, in_halves(answer, range(len(asked))), strict=True):
        if isinstance(outcome, ItemError) and item not in record.failed:
            record.fail(item, str(outcome))


def _complete(answers: tuple[Answer, ...], wanted: Sequence[Question]) -> tuple[Answer, ...] | ItemError:
    if len(answers) == len(wanted):
        return answers
    return ItemError(f"the judge gave {len(answers)} answers to {len(wanted)} questions")


def _problem(outcome: tuple[Answer, ...] | ItemError) -> str | None:
    """Why an image stays unscored; None when all its questions are answered."""
    if isinstance(outcome, ItemError):
        return str(outcome)
    return next((answer.problem or "the judge gave no answer" for answer in outcome if answer.yes is None), None)


def _names(plan: Plan) -> dict[str, tuple[ImageName, ...]]:
    """What each image is called; one that several prompts share has a name in each."""
    names: dict[str, list[ImageName]] = {}
    for image in plan.images:
        names.setdefault(image.item, []).append(ImageName(image.prompt_id, image.name, image.file))
    return {item: tuple(listed) for item, listed in names.items()}


def _tell(failed: Mapping[str, str], names: Mapping[str, tuple[ImageName, ...]]) -> None:
    """Names unscored images on standard error, where progress stands too."""
    for item, reason in list(failed.items())[:_MOST_NAMED]:
        shown = names[item][0]
        told = " ".join(reason.split())
        line = f"unscored: image {shown.name} of prompt {shown.prompt_id}: {told}"
        sys.stderr.write(f"{on_one_line(line, _LONGEST_LINE)}\n")
    if len(failed) > _MOST_NAMED:
        sys.stderr.write(f"unscored: {len(failed) - _MOST_NAMED} more images; the report names them all\n")
