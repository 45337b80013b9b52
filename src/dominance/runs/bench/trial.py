"""The course of a bench: which candidates to try next, which to keep, and when to stop."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dominance.metrics import wilson_interval
from dominance.progress import Progress
from dominance.records import Prompt
from dominance.runs.bench.candidates import Candidate
from dominance.runs.bench.result import StreamTally
from dominance.runs.bench.selection import Shelf
from dominance.runs.bench.workshop import Attempt, Outcome

Try = Callable[[Sequence[Attempt]], Mapping[tuple[str, str], Outcome]]
"""The outcomes of attempts, by stream and prompt id."""
_AT_ONCE = 8
"""Candidates of a stream tried together."""
_ENOUGH = 100
"""Candidates of a stream tried before it may be given up."""


@dataclass
class CandidateTrial:
    """The trial of all streams, a few candidates of each at a time."""

    streams: Mapping[str, list[Candidate]]
    shelves: Mapping[str, Shelf]
    needed: int
    limit: int | None = None
    at_once: int = _AT_ONCE
    _positions: dict[str, int] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _tried: Counter[str] = field(default_factory=Counter)
    _qualified: Counter[str] = field(default_factory=Counter)
    _undecided: Counter[str] = field(default_factory=Counter)
    _too_long: Counter[str] = field(default_factory=Counter)
    _given_up: set[str] = field(default_factory=set)
    _narrowed: set[str] = field(default_factory=set)
    _open: set[tuple[str, str]] = field(default_factory=set)
    _open_tried: Counter[str] = field(default_factory=Counter)
    _open_qualified: Counter[str] = field(default_factory=Counter)
    _limited: bool = False

    def run(self, attempt: Try, tell: Callable[[str], None]) -> None:
        """Fills the shelves until they are full, cannot be filled, or the limit is reached."""
        wanted = sum(shelf.target for shelf in self.shelves.values())
        with Progress("prompts kept", total=wanted, each="a prompt") as progress:
            for kept in self.waves(attempt):
                tell(self.line())
                progress.advance(kept, f"{sum(self._tried.values())} candidates tried")

    def waves(self, attempt: Try) -> Iterator[int]:
        """The same, a few candidates of each stream at a time; gives how many prompts each wave adds."""
        while wave := self._next():
            before = self._kept
            outcomes = attempt(wave)
            for stream, candidate in wave:
                outcome = outcomes[stream, candidate.prompt.id]
                shelf = self.shelves[stream]
                qualifies = outcome.agreeing >= self.needed
                self._qualified[stream] += qualifies
                self._undecided[stream] += outcome.undecided
                self._too_long[stream] += outcome.too_long
                if (stream, candidate.prompt.id) in self._open and not (outcome.undecided or outcome.too_long):
                    self._open_tried[stream] += 1
                    self._open_qualified[stream] += qualifies
                if qualifies and shelf.has_room(candidate):
                    shelf.keep(candidate)
            yield self._kept - before

    @property
    def most(self) -> int:
        """How many prompts may be tried in all: those of all streams, or the limit."""
        prompts = len({candidate.prompt.id for stream in self.streams.values() for candidate in stream})
        return prompts if self.limit is None else min(self.limit, prompts)

    def left(self) -> list[Prompt]:
        """The prompts that may still be tried, each once: again for another stream, or for the first time."""
        ahead = (
            candidate.prompt
            for name, shelf in self.shelves.items()
            if shelf.missing and name not in self._given_up
            for candidate in self.streams[name][self._positions.get(name, 0) :]
        )
        prompts = {prompt.id: prompt for prompt in ahead}
        new = [prompt for id, prompt in prompts.items() if id not in self._seen]
        again = [prompt for id, prompt in prompts.items() if id in self._seen]
        return again + (new if self.limit is None else new[: max(0, self.limit - len(self._seen))])

    @property
    def _kept(self) -> int:
        return sum(len(shelf.kept) for shelf in self.shelves.values())

    def _next(self) -> list[Attempt]:
        """The next candidates of every stream that lacks prompts; they now count as tried."""
        wave: list[Attempt] = []
        for name, shelf in self.shelves.items():
            wanted = min(self.at_once, 2 * shelf.missing)
            stream, position = self.streams[name], self._positions.get(name, 0)
            if self._is_hopeless(name):
                self._given_up.add(name)
                continue
            while wanted > 0 and position < len(stream):
                candidate = stream[position]
                if shelf.has_room(candidate):
                    if self._is_one_too_many(candidate):
                        self._limited = True
                        break
                    self._tried[name] += 1
                    self._seen.add(candidate.prompt.id)
                    wave.append((name, candidate))
                    wanted -= 1
                    if name not in self._narrowed:
                        self._open.add((name, candidate.prompt.id))
                else:
                    self._narrowed.add(name)
                position += 1
            self._positions[name] = position
        return wave

    def _is_hopeless(self, name: str) -> bool:
        """Whether the remaining candidates would not fill the shelf even at the upper end of the yield's interval.

        Without this, a stream in which nothing qualifies would try every candidate of the pools.
        """
        tried, missing = self._tried[name] - self._undecided[name], self.shelves[name].missing
        if missing == 0 or tried < _ENOUGH:
            return False
        _, highest = wilson_interval(self._qualified[name], tried)
        return highest * (len(self.streams[name]) - self._positions[name]) < missing

    def _is_one_too_many(self, candidate: Candidate) -> bool:
        return self.limit is not None and len(self._seen) >= self.limit and candidate.prompt.id not in self._seen

    def tallies(self) -> tuple[StreamTally, ...]:
        """The outcome of each stream."""
        return tuple(
            StreamTally(
                name=name,
                target=shelf.target,
                kept=len(shelf.kept),
                tried=self._tried[name],
                qualified=self._qualified[name],
                undecided=self._undecided[name],
                candidates=len(self.streams[name]),
                too_long=self._too_long[name],
                open_tried=self._open_tried[name],
                open_qualified=self._open_qualified[name],
            )
            for name, shelf in self.shelves.items()
        )

    def line(self) -> str:
        """Progress, in one line."""
        parts = []
        for tally in self.tallies():
            share = "" if tally.share is None else f", yield {tally.share:.0%}"
            parts.append(f"{tally.name} {tally.kept}/{tally.target} ({tally.tried} tried{share})")
        return f"kept: {', '.join(parts)}"

    def stopped(self) -> str | None:
        """Why prompts are missing, in one line; None if none are."""
        missing = [tally for tally in self.tallies() if tally.missing]
        if not missing:
            return None
        named = ", ".join(f"{tally.missing} of {tally.target} {tally.name}" for tally in missing)
        if self._limited:
            why = "the limit of candidates was reached"
        elif self._given_up:
            why = f"too few candidates qualified to continue ({', '.join(sorted(self._given_up))})"
        else:
            why = "no candidates are left within the caps"
        undecided = sum(tally.undecided for tally in missing)
        again = f"; {undecided} candidates lack images or answers: run the same command again" if undecided else ""
        long = sum(tally.too_long for tally in missing)
        if long:
            why += f"; {long} candidates are longer than the model reads: shorten the captions of the pools"
        return f"{named} prompts are missing: {why}{again}"
