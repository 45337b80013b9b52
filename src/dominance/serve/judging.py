"""The judge of ``POST /score``: a process of its own that answers batches, so that its end does not end the service.

``python -m dominance.serve.judging FD JUDGE DEVICE`` reads requests from a connection; it is no command for users.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection

from PIL import Image

from dominance.errors import DominanceError
from dominance.judges.options import Asking
from dominance.judges.protocol import AsksItself, Judge
from dominance.records import Answer, Concept, Prompt, Question, Suite
from dominance.runs.stages.judge_fit import world_of_sizes, world_warnings
from dominance.runs.stages.judging import judge_of
from dominance.runs.stages.scoring import score_image
from dominance.serve.live import Answered, Asked, ConceptScore, LiveScore
from dominance.suites import load_questions
from dominance.suites.brackets import parse_prompt


def score_batch(judge: Judge, asked: Sequence[Asked]) -> list[Answered]:
    """Judges images together."""
    began = time.monotonic()
    answered: list[Answered] = ["not judged"] * len(asked)
    ready: list[tuple[int, Prompt, tuple[Question, ...]]] = []
    for place, each in enumerate(asked):
        try:
            prompt = parse_prompt(each.prompt, "prompt")
            questions = tuple(question for concept in prompt.concepts for question in _questions(judge, concept))
            judge.check(questions)
        except DominanceError as error:
            answered[place] = str(error)
        else:
            ready.append((place, prompt, questions))
    if ready:
        images = [Image.frombytes("RGB", asked[place].size, asked[place].pixels) for place, *_ in ready]
        given = judge.answer(images, [questions for *_, questions in ready])
        took = (len(ready), round(time.monotonic() - began, 4))
        for (place, prompt, _), answers in zip(ready, given, strict=True):
            answered[place] = _scored(judge, prompt, answers, asked[place].size, took)
    return answered


def _scored(
    judge: Judge, prompt: Prompt, answers: Sequence[Answer], size: tuple[int, int], took: tuple[int, float]
) -> LiveScore:

    found = score_image(prompt, "image", None, answers)
    asked = Counter(answer.question.concept for answer in answers)
    return LiveScore(
        prompt=prompt.text,
        judge=judge.name,
        verdict=found.verdict,
        dvd=found.dvd,
        dominating=found.dominating,
        dominated=found.dominated,
        concepts=tuple(
            ConceptScore(name, yes, asked[name], None if found.verdict is None else found.shows(name))
            for name, yes in found.yes.items()
        ),
        doubtful=found.doubtful,
        problem=found.problem,
        warnings=_warnings(judge, prompt, size),
        batch=took[0],
        judging_seconds=took[1],
    )


def _questions(judge: Judge, concept: Concept) -> tuple[Question, ...]:

    return (judge.ask(concept) if isinstance(judge, AsksItself) else None) or load_questions().ask(concept)


def _warnings(judge: Judge, prompt: Prompt, size: tuple[int, int]) -> tuple[str, ...]:

    world = world_of_sizes([size], Suite("score", (prompt,)))
    return tuple(warning.told for warning in world_warnings(judge, world, "this image is no such drawing"))


def serve_judge(connection: Connection, judge: str, device: str) -> None:
    """Loads the judge, says that it is ready, or why not, and answers until the other side closes."""
    try:
        loaded = judge_of(judge, device, Asking())
    except DominanceError as error:
        connection.send(str(error))
        return
    connection.send(None)
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            return
        try:
            connection.send(score_batch(loaded, asked))
        except DominanceError as error:
            connection.send([str(error)] * len(asked))


def main() -> None:
    """Runs the process."""
    from dominance.allocator import keep_freed_memory

    number, judge, device = sys.argv[1:]
    keep_freed_memory()
    serve_judge(Connection(int(number)), judge, device)


if __name__ == "__main__":
    main()
