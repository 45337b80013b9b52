"""Usable images by workers: those of one process, try by try, whoever is killed; and no try on a guess."""

import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from light_work import LightJudge, opinion
from measured_pictures import tiny_measuring
from PIL import Image

from dominance.documents import to_json
from dominance.errors import InputError, ModelError
from dominance.judges.protocol import JudgeStoppedError
from dominance.models.drawing import Drawing, Machine
from dominance.records import Answer, Concept, Prompt, Question, Suite
from dominance.runs.engines.local import LocalPlace
from dominance.runs.engines.supply import Supply
from dominance.runs.generation import work
from dominance.runs.generation.course import Bounds, Course, Risk
from dominance.runs.generation.options import GenerateOptions
from dominance.runs.generation.result import Attempt, GenerationResult
from dominance.runs.generation.run import generate
from dominance.runs.generation.trying import Making, made
from dominance.runs.store.ledger import Ledger

PAIR = (Concept("tower", "landmark"), Concept("mug"))
SUITE = Suite(
    "two", (Prompt("one", "a tower and a mug", PAIR), Prompt("other", "a mug beside a tower", PAIR, seeds=(3, 4, 5, 6)))
)
TWO, ALONE = Machine("cpu", workers=2), Machine("cpu")


@dataclass(frozen=True)
class Deadly(LightJudge):
    """Kills whoever asks it first."""

    file: Path | None = None
    kind: str = "killed"

    def answer(
        self, images: Sequence[Image.Image], questions: Sequence[Sequence[Question]]
    ) -> list[tuple[Answer, ...]]:
        if self.file is not None and not self.file.exists():
            self.file.touch()
            if self.kind == "stopped":
                raise JudgeStoppedError("the judge is gone")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(images, questions)


def options(early: Path, machine: Machine, **more: Any) -> GenerateOptions:
    drawing = Drawing(steps=5, guidance=2.0)
    given = {"methods": ("schedule:until=0.5",), "usable": 3, "check": True, "budget": 150}
    return GenerateOptions(drawing=drawing, machine=machine, early=early, **{**given, **more})


def compared(result: GenerationResult, folder: Path) -> tuple[Any, Any, Any, Any]:
    """Everything but folder and seconds: the document, the ledger's rows and answers, and the files."""
    document = to_json(replace(result, run="", manifest={}))
    for prompt in document["prompts"]:
        for attempt in prompt["attempts"]:
            attempt.pop("seconds", None)
    with Ledger(folder / "run.sqlite") as ledger:
        rows = {
            item: (row.prompt, row.seed, row.file, {k: v for k, v in row.settings.items() if k != "seconds"})
            for item, row in ledger.images().items()
        }
        answers = ledger.answers("scripted")
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.glob("images/*/*")}
    return document, rows, answers, files


@pytest.mark.slow
def test_two_workers_give_what_one_process_does_whoever_is_killed(
    model: str, early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge, measuring = LightJudge(opinion), tiny_measuring(tmp_path)
    by_one, by_two = (options(early, machine, measuring=measuring) for machine in (ALONE, TWO))
    alone = generate(SUITE, None, model, judge, tmp_path / "alone", by_one).result()
    usable = [each for prompt in alone.prompts for each in prompt.usable]
    assert all(each.scores is not None and each.scores.caption_text is not None for each in usable)
    outcomes = {each.outcome for prompt in alone.prompts for each in prompt.attempts}
    assert {"usable", "given up"} <= outcomes, "such a run would show little"
    entered, enter = [0], work.enter

    def stopping(*of: Any) -> None:
        enter(*of)
        entered[0] += 1
        if entered[0] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(work, "enter", stopping)
    deadly = Deadly(opinion, file=tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt, match="run the same command again to resume"):
        generate(SUITE, None, model, deadly, tmp_path / "two", by_two).result()
    started: list[int] = []
    start = LocalPlace.start
    monkeypatch.setattr(LocalPlace, "start", lambda place, number: started.append(number) or start(place, number))
    two = generate(SUITE, None, model, deadly, tmp_path / "two", by_two).result()
    assert len(started) == 2
    assert (tmp_path / "killed").exists()
    assert "its 1 image will be done by another" in capsys.readouterr().err
    assert compared(two, tmp_path / "two") == compared(alone, tmp_path / "alone")


def test_a_judge_that_stops_in_a_worker_ends_the_run(model: str, early: Path, tmp_path: Path) -> None:
    judge = Deadly(opinion, file=tmp_path / "stopped", kind="stopped")
    with pytest.raises(ModelError, match=r"^the judge is gone$"):
        generate(SUITE, None, model, judge, tmp_path / "run", options(early, TWO)).result()


def test_a_judge_that_workers_cannot_ask_is_refused(
    model: str, early: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dominance.runs.stages.judging._asked_here", lambda judge: True)
    with pytest.raises(InputError, match=r"is asked by the command's own process, but .*; leave out --workers"):
        generate(SUITE, None, model, LightJudge(opinion), tmp_path / "run", options(early, TWO))
    assert not (tmp_path / "run").exists()


class Shuffled:
    """A crew of so many whose outcomes come back in any order."""

    def __init__(self, workers: int, rng: random.Random) -> None:
        self._workers, self._rng = workers, rng

    def most(self) -> int:
        return self._workers

    def carry_out(self, _work: object, supply: Supply[Any], task: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
        busy: list[Any] = []
        while True:
            while len(busy) < self._workers and (batch := supply.take()):
                busy.append((batch, task(batch)))
            if not busy:
                return
            yield busy.pop(self._rng.randrange(len(busy)))


def simulated(workers: int, seed: int) -> tuple[list[list[Attempt]], list[str], list[Any]]:
    """The attempts of a few prompts, why each ended, and what was drawn in all."""
    chance = random.Random(seed)
    shares = {way: chance.random() for way in ("plain", "m", "n")}
    bounds = Bounds(chance.randint(1, 6), chance.randint(10, 150), 10, chance.choice([None, range(4)]))
    ways = chance.choice([("plain", "m", "n"), ("m", "n"), ("plain",)])
    courses = [Course(Prompt(name, name, PAIR), Risk(), ways, bounds) for name in "abc"]
    drawn: list[Any] = []

    def attempt(course: Any, step: tuple[str, int]) -> Attempt:
        way, noise = step
        drawn.append((course.prompt.id, step))
        luck = random.Random(f"{seed} {course.prompt.id} {step}").random()
        outcome = "usable" if luck < shares[way] else "given up" if luck < (1 + shares[way]) / 2 else "failed"
        file = None if outcome == "given up" else "x.png"
        takes = 4.0 if outcome == "given up" else 10.0 if way == "plain" else 12.0
        return Attempt(str(step), noise, way, outcome, file, evaluations=takes)

    making = Making(
        lambda *of: None, attempt, lambda line, step: (line, step), lambda line, step, _: attempt(line, step)
    )
    crew: Any = Shuffled(workers, random.Random(seed))
    elsewhere: Any = None if workers == 1 else SimpleNamespace(crew=crew, work=None)
    list(made(courses, making, elsewhere))
    return [course.attempts for course in courses], [course.ended for course in courses], sorted(drawn)


def test_no_number_of_workers_changes_a_try_or_draws_one_more() -> None:
    at_once = 0
    for seed in range(120):
        alone = simulated(1, seed)
        for workers in (2, 5):
            assert simulated(workers, seed) == alone, seed
        at_once += sum(map(len, alone[0])) > 6
    assert at_once > 40


def test_tries_that_are_sure_to_come_are_due_together() -> None:
    bounds = Bounds(5, 1000, 10, None)
    course = Course(Prompt("a", "a", PAIR), Risk(), ("plain", "m"), bounds)
    assert course.steps(4) == [("plain", 0)]
    for seed in (0, 1):
        course.take(("plain", seed), Attempt("", seed, "plain", "usable", "x.png", evaluations=10.0))
    assert course.steps(4) == [("plain", 2), ("plain", 3), ("plain", 4)]
    assert replace(course, bounds=replace(bounds, budget=40)).steps(4) == [("plain", 2), ("plain", 3)]
