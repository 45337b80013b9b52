"""The stage that asks the judge about every image that lacks answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from dominance.errors import ItemError
from dominance.judges import Judge, load_judge
from dominance.progress import Progress
from dominance.records import Answer, Concept, Question
from dominance.runs.generating import in_halves
from dominance.runs.ledger import Ledger
from dominance.runs.pictures import open_image
from dominance.runs.plan import Plan

_Asked = tuple[str, Path, tuple[Question, ...]]


def judge_for(asked: Mapping[Concept, tuple[Question, ...]], judge: str | Judge, device: str) -> Judge:
    """The judge, loaded if only its name is given.

    Raises:
        ModelError: no such judge, or one that does not understand all the questions.
    """
    loaded = load_judge(judge, device) if isinstance(judge, str) else judge
    loaded.check([question for questions in asked.values() for question in questions])
    return loaded


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


def ask_judge(open_questions: Sequence[_Asked], plan: Plan, judge: Judge, ledger: Ledger, batch: int = 32) -> None:
    """Asks; images that cannot be read or judged are recorded as failures and the rest goes on."""
    with Progress("judged", total=len(open_questions)) as progress:
        for start in range(0, len(open_questions), batch):
            chunk = open_questions[start : start + batch]
            readable, images = [], []
            for item, path, questions in chunk:
                image = open_image(path)
                if isinstance(image, ItemError):
                    ledger.add_failure(item, "judge", str(image))
                else:
                    readable.append((item, questions))
                    images.append(image)
            if readable:
                _ask(readable, images, plan, judge, ledger)
            progress.advance(len(chunk))


def _ask(
    asked: Sequence[tuple[str, tuple[Question, ...]]],
    images: Sequence[Image.Image],
    plan: Plan,
    judge: Judge,
    ledger: Ledger,
) -> None:
    def answer(part: Sequence[int]) -> list[tuple[Answer, ...] | ItemError]:
        questions = [asked[index][1] for index in part]
        given = judge.answer([images[index] for index in part], questions)
        return [_complete(answers, wanted) for answers, wanted in zip(given, questions, strict=True)]

    outcomes = in_halves(answer, range(len(asked)))
    answered = []
    failed = []
    for (item, _), outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, ItemError):
            failed.append((item, str(outcome)))
            continue
        answered.append((item, outcome))
        problem = next((a.problem or "the judge gave no answer" for a in outcome if a.yes is None), None)
        if problem is not None:
            failed.append((item, problem))
    ledger.add_answers(plan.judge_identity, answered)
    for item, message in failed:
        ledger.add_failure(item, "judge", message)


def _complete(answers: tuple[Answer, ...], wanted: Sequence[Question]) -> tuple[Answer, ...] | ItemError:
    if len(answers) == len(wanted):
        return answers
    return ItemError(f"the judge gave {len(answers)} answers to {len(wanted)} questions")
