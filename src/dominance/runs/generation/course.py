"""A prompt on its way to its usable images: what was tried, what comes next, and why it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dominance.records import Prompt
from dominance.runs.generation.policy import Step, Try, sure_steps
from dominance.runs.generation.result import Attempt, Ended, Rejection
from dominance.runs.stages.method_names import PLAIN


@dataclass(frozen=True)
class Bounds:
    """What holds for every prompt of a run.

    Attributes:
        wanted: usable images.
        budget: most network evaluations.
        plain: those of one plain image.
        seeds: of the noises, unless the prompt has its own; None for 0, 1, 2 and so on without end.
    """

    wanted: int
    budget: int
    plain: int
    seeds: Sequence[int] | None


@dataclass(frozen=True)
class Risk:
    """What preflight says of a prompt, and the network evaluations that it took."""

    risk: str | None = None
    score: float | None = None
    threshold: float | None = None
    evaluations: float = 0.0


@dataclass(eq=False)
class Course:
    """A prompt, by its ways.

    Attributes:
        takes: the most network evaluations of an image by a way, where those of a plain one are not.
        attempts: in order.
        ended, problem: as ``GeneratedPrompt`` has them.
    """

    prompt: Prompt
    risk: Risk
    ways: tuple[str, ...]
    bounds: Bounds
    takes: Mapping[str, float] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    ended: Ended = "done"
    problem: str | None = None

    @property
    def usable(self) -> int:
        return sum(each.outcome == "usable" for each in self.attempts)

    @property
    def spent(self) -> float:
        return self.risk.evaluations + sum(each.evaluations or 0.0 for each in self.attempts)

    @property
    def out(self) -> set[str]:
        """Ways that ended before the denoiser ran: they cannot serve the prompt."""
        return {each.way for each in self.attempts if each.outcome == "error" and not each.evaluations}

    def steps(self, most: int) -> list[Step]:
        """The next tries, as far as they come whatever becomes of those before; nothing where it has ended."""
        bounds, missing = self.bounds, self.bounds.wanted - self.usable
        if missing < 1 or self.ended != "done":
            return []
        tried = [Try(each.way, each.seed, each.outcome) for each in self.attempts]
        seeds = self.prompt.seeds or bounds.seeds
        found = sure_steps(tried, self.ways, seeds, min(most, missing), self.out)
        if not found and self.out.issuperset(self.ways) and PLAIN not in self.ways:
            self.ways = (*self.ways, PLAIN)  # at high risk, but no method can serve it
            return self.steps(most)
        if not found:
            self.ended = "no way" if self.out.issuperset(self.ways) else "noises"
            self.problem = next((each.problem for each in self.attempts if each.way in self.out), None)
            return []
        way, _ = found[0]
        own = [each for each in self.attempts if each.way == way]
        finished = any(attempt.file is not None for attempt in own)
        first = float(bounds.plain) if finished else self.takes.get(way, float(bounds.plain))
        each_takes = max([first, *(attempt.evaluations or 0.0 for attempt in own)])
        within = sum(self.spent + (place + 1) * each_takes <= bounds.budget for place in range(len(found)))
        if not within:
            self.ended = "budget"
        return found[: within if way == PLAIN or finished else min(within, 1)]  # else what one takes is a guess

    def take(self, _step: Step, attempt: Attempt) -> None:
        """What came of the next try."""
        self.attempts.append(attempt)


@dataclass(eq=False)
class PlainCourse:
    """The same prompt by plain rejection, beside it."""

    prompt: Prompt
    bounds: Bounds
    tried: list[Try] = field(default_factory=list)
    spent: float = 0.0

    def steps(self, most: int) -> list[Step]:
        """As of a ``Course``."""
        missing = self.bounds.wanted - sum(each.outcome == "usable" for each in self.tried)
        affordable = int((self.bounds.budget - self.spent) // self.bounds.plain)
        return sure_steps(self.tried, (PLAIN,), self.prompt.seeds or self.bounds.seeds, min(most, missing, affordable))

    def take(self, step: Step, found: tuple[bool | None, float]) -> None:
        """Whether it is usable, None where that is not known, and what it took."""
        usable, took = found
        self.tried.append(Try(*step, "usable" if usable else "failed"))
        self.spent += took or self.bounds.plain

    def rejection(self) -> Rejection:
        """What it took in all."""
        return Rejection(len(self.tried), sum(each.outcome == "usable" for each in self.tried), self.spent)


@dataclass(eq=False)
class Unfinished:
    """The images of a prompt that were given up, to be finished for a check; none depends on another.

    Attributes:
        left: those still to be finished.
        usable: whether one would have been, by its item and way; one without a verdict is left out.
    """

    prompt: Prompt
    left: list[Attempt]
    usable: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, course: Course) -> "Unfinished":
        return cls(course.prompt, [each for each in course.attempts if each.outcome == "given up"])

    def steps(self, most: int) -> list[Step]:
        """The next of them."""
        return [(each.way, each.seed) for each in self.left[:most]]

    def take(self, _step: Step, found: tuple[bool | None, float]) -> None:
        """As of a ``PlainCourse``."""
        each, usable = self.left.pop(0), found[0]
        if usable is not None:
            self.usable[f"{each.item} {each.way}"] = usable
