"""POST /score: images are judged together, as `score` judges them; what cannot be answered in time is refused."""

import asyncio
import threading
from multiprocessing.connection import Pipe

import pytest
from made_runs import png

from dominance.judges.protocol import ScriptedJudge
from dominance.serve.judging import score_batch
from dominance.serve.live import Asked, LiveScore
from dominance.serve.scoring import BusyError, LiveJudge
from dominance.serve.uploads import Most, read_upload

PROMPT = "a [castle:landmark] and a [chair]"


def asked(prompt: str = PROMPT, side: int = 64) -> Asked:
    image = read_upload(png(side), Most(1, 1))
    return Asked(prompt, image.size, image.tobytes())


def castles_only() -> ScriptedJudge:
    return ScriptedJudge(lambda image, question: 0.9 if question.concept == "castle" else 0.1)


def test_a_batch_is_scored_image_by_image() -> None:
    first, second, third = score_batch(castles_only(), [asked(), asked("a [chair"), asked("a [castle:landmark]")])
    assert isinstance(first, LiveScore)
    assert (first.verdict, first.dvd, first.dominating, first.dominated) == ("collapsed", 100.0, "castle", "chair")
    assert [(c.concept, c.yes, c.questions, c.present) for c in first.concepts] == [
        ("castle", 5, 5, True), ("chair", 0, 5, False),
    ]  # fmt: skip
    assert (first.batch, isinstance(second, str)) == (2, True)
    assert isinstance(third, LiveScore)
    assert third.verdict == "balanced"


def test_an_unanswered_question_leaves_an_image_unscored() -> None:
    (found,) = score_batch(ScriptedJudge(lambda image, question: None), [asked()])
    assert isinstance(found, LiveScore)
    assert (found.verdict, found.dvd) == (None, None)
    assert found.problem


class Pretended(LiveJudge):
    """A judge whose process is a thread of this test."""

    def __init__(self, answer, **options) -> None:
        super().__init__("scripted", "cpu", **{"batch": 4, "waiting": 8, "seconds": 5.0, **options})
        self.answer, self.sizes = answer, []

    def _start(self) -> None:
        self._connection, other = Pipe()
        self.begun += 1

        def run() -> None:
            try:
                other.send(None)
                while True:
                    given = other.recv()
                    self.sizes.append(len(given))
                    other.send(self.answer(given))
            except Exception:
                other.close()

        threading.Thread(target=run, daemon=True).start()


def test_requests_at_once_are_judged_together() -> None:
    judge = Pretended(lambda given: [each.prompt for each in given])

    async def ask() -> list:
        found = await asyncio.gather(*(judge.score(Asked(str(n), (1, 1), b"xyz")) for n in range(8)))
        await judge.end()
        return found

    assert asyncio.run(ask()) == [str(number) for number in range(8)]
    assert judge.sizes == [4, 4]
    assert judge.batches == [2, 8]


def test_too_many_are_refused_at_once_and_a_slow_judge_in_time() -> None:
    held = threading.Event()
    judge = Pretended(lambda given: held.wait(60) and ["late"], waiting=2, batch=1, seconds=0.5)

    async def ask() -> list:
        found = await asyncio.gather(
            *(judge.score(Asked(str(n), (1, 1), b"xyz")) for n in range(9)), return_exceptions=True
        )
        held.set()
        await judge.end()
        return found

    found = asyncio.run(ask())
    assert all(isinstance(each, BusyError) for each in found)
    assert sum("too many" in str(each) for each in found) == 7
    assert sum("in time" in str(each) or "loaded" in str(each) for each in found) == 2


def test_a_judge_that_died_is_begun_again() -> None:
    lives = iter([False, True])

    def answer(given: list) -> list:
        if not next(lives):
            raise OSError
        return ["alive"]

    judge = Pretended(answer)

    async def ask() -> object:
        with pytest.raises(BusyError, match="process ended"):
            await judge.score(Asked("x", (1, 1), b"xyz"))
        found = await judge.score(Asked("x", (1, 1), b"xyz"))
        await judge.end()
        return found

    assert asyncio.run(ask()) == "alive"
    assert judge.begun == 2


def test_images_that_wait_hold_no_more_memory_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dominance.serve.scoring._MOST_BYTES", 10)
    held = threading.Event()
    judge = Pretended(lambda given: held.wait(60) and [each.prompt for each in given], batch=1)

    async def ask() -> list:
        asked = [judge.score(Asked(str(n), (2, 1), b"x" * 6)) for n in range(3)]
        asyncio.get_running_loop().call_later(0.1, held.set)
        found = await asyncio.gather(*asked, return_exceptions=True)
        found.append(await judge.score(Asked("large", (9, 9), b"x" * 99)))
        await judge.end()
        return found

    first, *refused, last = asyncio.run(ask())
    assert (first, last) == ("0", "large")
    assert all(isinstance(each, BusyError) and "too many" in str(each) for each in refused)
