"""A crew whose workers are made up: one that does not answer is ended, and its batch goes to another."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from dominance.errors import RunError
from dominance.runs.engines.crew import Crew, Worker
from dominance.runs.engines.supply import Supply
from dominance.runs.engines.work import Do, Done, Ended, Held, Hold, Message, Reply

MINUTES = 0.002


@dataclass(eq=False)
class Quick:
    """Answers at once, unless it hangs."""

    name: str
    hangs_on: object
    replies: list[Reply] = field(default_factory=list)
    hung: bool = False
    stopped: bool = False

    def give(self, message: Message) -> None:
        match message:
            case Hold(sent):
                self.hung = self.hangs_on == "loading"
                self.replies += [] if self.hung else [Held(sent.key)]
            case Do(_, batch):
                assert isinstance(batch, list)
                self.hung = self.hangs_on in batch
                self.replies += [] if self.hung else [Done([10 * item for item in batch])]

    def stop(self) -> None:
        self.stopped = True


@dataclass
class QuickPlace:
    """Two of them; ``hangs_on`` says on which item, or that they hang while they load."""

    hangs_on: object
    starts_at_once: bool = True
    reads_files: bool = True
    writes_files: bool = False
    started: list[Quick] = field(default_factory=list)

    def most(self) -> int:
        return 2

    def start(self, number: int) -> Quick:
        self.started.append(Quick(f"worker {number}", self.hangs_on))
        return self.started[-1]

    def replies(self, workers: list[Worker], seconds: float) -> Iterator[tuple[Worker, Reply]]:
        ready = [worker for worker in workers if isinstance(worker, Quick) and worker.replies]
        if not ready:
            assert seconds <= 60 * MINUTES
            time.sleep(seconds)
        yield from ((worker, worker.replies.pop(0)) for worker in ready)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Nothing:
    def __call__(self) -> None:
        """Loads nothing."""


def done(place: QuickPlace) -> dict[int, object]:
    found: dict[int, object] = {}
    with Crew(place, MINUTES) as crew:
        supply = Supply(list(range(8)), lambda: 4, workers=2)
        for batch, outcome in crew.carry_out(Nothing(), supply):  # ty: ignore
            found |= (
                dict.fromkeys(batch, outcome) if isinstance(outcome, Ended) else dict(zip(batch, outcome, strict=True))
            )
    return found


def test_what_hangs_is_ended_and_the_item_to_blame_fails_alone(capsys: pytest.CaptureFixture[str]) -> None:
    place = QuickPlace(hangs_on=5)
    found = done(place)
    assert found.pop(5) == Ended("did not answer within 0.002 min and was ended")
    assert found == {item: 10 * item for item in (0, 1, 2, 3, 4, 6, 7)}
    assert sum(worker.hung for worker in place.started) >= 3
    assert all(worker.stopped for worker in place.started)
    said = capsys.readouterr().err
    assert "did not answer within 0.002 min and was ended; its 4 images will be done by another" in said


def test_workers_that_never_load_end_the_run() -> None:
    with pytest.raises(RunError, match="3 workers in a row ended while they loaded, the last did not answer within"):
        done(QuickPlace(hangs_on="loading"))


class Waited(Exception):
    """So many seconds would have been waited."""


@dataclass
class FullPlace(QuickPlace):
    """Has no room, and waits for no answer."""

    starts_at_once: bool = False

    def replies(self, workers: list[Worker], seconds: float) -> Iterator[tuple[Worker, Reply]]:
        raise Waited(seconds)


def test_one_that_waits_for_room_is_not_silent() -> None:
    with pytest.raises(Waited, match=r"^inf$"):
        done(FullPlace(hangs_on="loading"))
