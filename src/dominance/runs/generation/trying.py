"""Tries, made by this process one after the other, or by workers as many at once as are sure to be needed."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dominance.errors import DominanceError
from dominance.guidance.registry import Method
from dominance.judges.protocol import Judge
from dominance.models.on_demand import OnDemand
from dominance.records import Prompt
from dominance.runs.engines.crew import Crew
from dominance.runs.engines.holder import sent_back
from dominance.runs.engines.supply import Supply
from dominance.runs.engines.work import Ended
from dominance.runs.generation.drawing import Drawer
from dominance.runs.generation.policy import Step
from dominance.runs.stages.drawing import Elsewhere
from dominance.runs.stages.early import EarlyCalibration
from dominance.runs.stages.model import RunModel
from dominance.runs.store.journal import Journal, Told, enter
from dominance.runs.store.plan import Plan


class Line(Protocol):
    """A prompt's tries, each of which may depend on those before."""

    prompt: Prompt

    def steps(self, most: int) -> list[Step]:
        """The next, as far as they come whatever becomes of those before; nothing where it has ended."""
        ...

    def take(self, step: Step, outcome: Any, /) -> None:
        """What came of the next."""
        ...


@dataclass(frozen=True)
class Task:
    """A try, as workers are given it.

    Attributes:
        whole: drawn to its end, for a check.
        known, files: what the run folder has of its image already, and of the picture predicted on the way.
    """

    prompt: Prompt
    way: str
    seed: int
    whole: bool
    known: tuple[Told, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """What came of it, and what is to be entered in the run's ledger.

    Attributes:
        outcome: as ``Drawer.attempt`` has it, or, of a whole one, ``Drawer.finish``; None where something ended it.
        stopped: that; it is wrong for every try.
    """

    outcome: Any
    told: tuple[Told, ...]
    files: Mapping[str, bytes]
    stopped: Exception | None = None


@dataclass(frozen=True)
class TryingWork:
    """Loads model and judge together, and draws and judges one image after the other, as the command itself would."""

    model: RunModel
    judge: Callable[[], Judge]
    methods: Mapping[str, Method | None]
    plan: Plan
    early: EarlyCalibration | None

    def __call__(self) -> Callable[[Task], Tried]:
        judge = OnDemand(self.judge)
        self.model()
        judge()

        def make(task: Task) -> Tried:
            with tempfile.TemporaryDirectory() as place, Journal() as journal:
                folder = Path(place)
                enter(task.known, task.files, journal, folder)
                journal.told.clear()
                drawer = Drawer(self.model, judge, self.methods, self.plan, journal, folder, self.early)
                act = drawer.finish if task.whole else drawer.attempt
                outcome, stopped = None, None
                try:
                    outcome = act(task.prompt, task.way, task.seed)
                except DominanceError as error:
                    stopped = sent_back(error)
                told = tuple(journal.told)
                return Tried(outcome, told, contents(told, folder), stopped)

        return make


def contents(told: Sequence[Told], folder: Path) -> dict[str, bytes]:
    """The files of the images that are told of."""
    names = {file for entry in told if (file := getattr(entry, "file", None)) is not None}
    return {name: (folder / name).read_bytes() for name in names}


@dataclass(frozen=True)
class Making:
    """How tries are made.

    Attributes:
        known: what is known of a try already; None where it is still to be made.
        here: makes it in this process.
        task: it as workers are given it.
        kept: what becomes of a worker's outcome once it is in the ledger.
    """

    known: Callable[[Line, Step], Any | None]
    here: Callable[[Line, Step], Any]
    task: Callable[[Line, Step], Task]
    kept: Callable[[Line, Step, Tried | Ended], Any]


def made(lines: Sequence[Line], making: Making, elsewhere: Elsewhere | None) -> Iterator[tuple[Line, Any]]:
    """Every try of every line with what came of it, in each line's own order.

    Args:
        elsewhere: the workers; with them, lines go on side by side, and each line's outcomes are those that it would
            have by itself.
    """
    if elsewhere is not None:
        yield from _Shared(making, elsewhere.crew).made(lines, elsewhere)
        return
    for line in lines:
        while steps := line.steps(1):
            known = making.known(line, steps[0])
            outcome = making.here(line, steps[0]) if known is None else known
            line.take(steps[0], outcome)
            yield line, outcome


@dataclass(frozen=True, eq=False)
class _Due:
    line: Line
    step: Step


class _Shared:
    """Tries that workers make, and those of their outcomes whose turn has not come."""

    def __init__(self, making: Making, crew: Crew) -> None:
        self._making, self._crew = making, crew
        self._begun: dict[tuple[int, Step], _Due] = {}
        self._arrived: dict[tuple[int, Step], Any] = {}

    def made(self, lines: Sequence[Line], elsewhere: Elsewhere) -> Iterator[tuple[Line, Any]]:
        first: list[_Due] = []
        for line in lines:
            yield from self._taken(line)
            first += self._due(line)
        supply = Supply(first, lambda: 1)
        for (due,), reply in self._crew.carry_out(elsewhere.work, supply, self._task):
            self._arrived[id(due.line), due.step] = self._making.kept(due.line, due.step, reply)
            yield from self._taken(due.line)
            if more := self._due(due.line):
                supply.put_back(more)  # before other lines, so that lines end one after the other

    def _task(self, batch: Sequence[_Due]) -> Task:
        return self._making.task(batch[0].line, batch[0].step)

    def _known(self, line: Line, step: Step) -> Any | None:
        arrived = self._arrived.get((id(line), step))
        return self._making.known(line, step) if arrived is None else arrived

    def _taken(self, line: Line) -> Iterator[tuple[Line, Any]]:
        """What comes next and has come of it, one after the other."""
        while steps := line.steps(1):
            if (outcome := self._known(line, steps[0])) is None:
                return
            line.take(steps[0], outcome)
            yield line, outcome

    def _due(self, line: Line) -> list[_Due]:
        """What no worker has begun of the tries that are sure to come."""
        fresh = [
            step
            for step in line.steps(self._crew.most())
            if (id(line), step) not in self._begun and self._known(line, step) is None
        ]
        found = [_Due(line, step) for step in fresh]
        self._begun |= {(id(line), due.step): due for due in found}
        return found
