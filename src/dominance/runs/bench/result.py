"""The result of a bench: kept prompts, what their images show, and how many candidates were tried."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import computed_field

from dominance.documents import Keyed, from_json
from dominance.errors import RunError
from dominance.files import is_file
from dominance.measures import MeasuredMean
from dominance.records import JudgeWarning, Kind, PromptResult, Rate, RunResult, ScoredImage, Suite
from dominance.run_settings import RunSettings
from dominance.runs.audit.document import PromptDocument, prompt_values
from dominance.runs.audit.result import recorded_plan, result_of
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.stages.measures import measured_means
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger
from dominance.wording import on_one_line

BENCH = "bench"
"""Key of the bench's record in the ledger, and origin of its plan."""
DOMINANCE = "dominance"
PARTS: tuple[str, ...] = (DOMINANCE, BALANCED)


@dataclass(frozen=True)
class Kept:
    """The origin of a prompt of the bench.

    Attributes:
        id: of the prompt.
        part: ``dominance`` or ``balanced``.
        category: kind of the expected dominator; ``object`` for a pair of objects.
        style: of the caption.
        concept, object: the two concepts, the expected dominator first.
    """

    id: str
    part: str
    category: Kind
    style: str
    concept: str
    object: str


@dataclass(frozen=True)
class StreamTally:
    """The outcome of one stream of candidates: of a category, or of the control set.

    Attributes:
        target, kept: prompts wanted and found.
        tried: candidates with images for this stream.
        qualified: tried candidates that met the criterion, whether or not there was room for them.
        undecided: candidates rejected only because some images could not be made or judged.
        candidates: all in the pools.
        too_long: tried candidates without images, because the model does not read all of their concepts.
        open_tried, open_qualified: of those that were tried before the first was skipped and whose outcome is known;
            None in benches of earlier versions. What is skipped, by a cap or as a near duplicate, is like what
            qualified before it, so that what is tried from there on qualifies less often than candidates do.
    """

    name: str
    target: int
    kept: int
    tried: int
    qualified: int
    undecided: int
    candidates: int
    too_long: int = 0
    open_tried: int | None = None
    open_qualified: int | None = None

    @computed_field
    @property
    def missing(self) -> int:
        return self.target - self.kept

    @computed_field(alias="yield")
    @property
    def share(self) -> float | None:
        """Share that qualified of the candidates that were tried before any was skipped; else of all tried."""
        return yield_of(self).share


@dataclass(frozen=True)
class Entry:
    """One prompt of the bench, with what its images show.

    Attributes:
        agreeing: images that collapse in the prompt's direction, or, in the control set, are balanced.
        direction: (dominating, dominated) of a dominance prompt, else None.
    """

    kept: Kept
    result: PromptResult
    agreeing: int
    direction: tuple[str, str] | None


@dataclass(frozen=True)
class BenchRecord:
    """The ledger's record of a bench, besides its plan."""

    finished: bool
    kept: tuple[Kept, ...] = ()
    tallies: tuple[StreamTally, ...] = ()
    stopped: str | None = None


@dataclass(frozen=True)
class BenchResult:
    """A finished bench; ``stopped`` says why prompts are missing, if any."""

    run: RunResult
    entries: tuple[Entry, ...]
    tallies: tuple[StreamTally, ...]
    stopped: str | None

    def part(self, name: str) -> tuple[Entry, ...]:
        """The entries of ``dominance`` or ``balanced``."""
        return tuple(entry for entry in self.entries if entry.kept.part == name)

    @property
    def measures(self) -> dict[str, tuple[MeasuredMean, ...]]:
        """Presence, and with ``--similarity`` what else was measured, of each part that has prompts."""
        parts = {name: [image for entry in self.part(name) for image in entry.result.images] for name in PARTS}
        return {name: measured_means(images) for name, images in parts.items() if images}

    @property
    def complete(self) -> bool:
        """Whether every target is met and every image of the kept prompts is scored."""
        return all(tally.missing == 0 for tally in self.tallies) and self.run.unscored == 0


def agreement(images: list[ScoredImage] | tuple[ScoredImage, ...], part: str) -> tuple[int, tuple[str, str] | None]:
    """The number of images that collapse in the most frequent direction, and the direction; or of balanced images."""
    if part == BALANCED:
        return sum(image.verdict == "balanced" for image in images), None
    directions = Counter(pair for image in images for pair in image.collapses)
    if not directions:
        return 0, None
    direction, count = directions.most_common(1)[0]
    return count, direction


def bench_of(
    run: RunResult, kept: tuple[Kept, ...], tallies: tuple[StreamTally, ...], stopped: str | None
) -> BenchResult:
    """The bench from the run of its own suite."""
    results = {result.prompt.id: result for result in run.prompts}
    entries = [Entry(k, results[k.id], *agreement(results[k.id].images, k.part)) for k in kept]
    return BenchResult(run, tuple(entries), tallies, stopped)


def bench_suite(bench: BenchResult, part: str | None = None, name: str | None = None) -> Suite:
    """The bench's prompts, or those of one part, as a suite with the groups ``dominance`` and ``balanced``.

    Args:
        name: of the suite; the bench's own by default.
    """
    parts = PARTS if part is None else (part,)
    prompts = tuple(entry.result.prompt for part in parts for entry in bench.part(part))
    kept = ", ".join(f"{len(bench.part(part))} {part}" for part in parts)
    made = f"DominanceBench of {bench.run.model}, judged by {bench.run.judge}"
    return Suite(name or bench.run.suite, prompts, f"{made}: {kept} prompts.")


def is_bench(folder: Path) -> bool:
    """Whether the folder's ledger holds a bench, finished or not."""
    if not is_file(folder / LEDGER_NAME):
        return False
    with Ledger(folder / LEDGER_NAME) as ledger:
        return ledger.get(BENCH) is not None


def read_bench(folder: Path | str) -> BenchResult:
    """The bench of a folder.

    Raises:
        RunError: there is none, or it is not finished.
    """
    folder = Path(folder)
    shown = on_one_line(folder, 120)
    if not is_bench(folder):
        raise RunError(f"{shown} does not hold a bench; give the folder that `dominance bench build` wrote")
    with Ledger(folder / LEDGER_NAME) as ledger:
        record = from_json(BenchRecord, ledger.get(BENCH))
        plan = recorded_plan(ledger, folder)
        if plan is None or not record.finished:
            raise RunError(f"the bench in {shown} is not finished; run its `dominance bench build` command again")
        return bench_of(result_of(plan, ledger, folder), record.kept, record.tallies, record.stopped)


def yield_words(tallies: Sequence[StreamTally]) -> str:
    """What the yield is, in words."""
    words = (
        "Yield: the share that qualified of the candidates tried before any was skipped, by a cap or as a near"
        " duplicate of one that was kept; what is tried after that qualifies less often."
    )
    if all(tally.open_tried is not None for tally in tallies):
        return words
    return f"{words} This bench is of an earlier version, which did not count them apart: its yields are of all tried."


def yield_of(tally: StreamTally) -> Rate:
    """Qualified candidates among those tried before any was skipped; the interval allows for trying until enough.

    Of a bench of an earlier version, among all tried: a share that is too low where candidates were skipped.
    """
    from dominance.metrics.intervals import exact_rate

    if tally.open_tried is None or tally.open_qualified is None:
        return yield_of_all(tally)
    return exact_rate(tally.open_qualified, tally.open_tried)


def yield_of_all(tally: StreamTally) -> Rate:
    """Qualified candidates among all tried."""
    from dominance.metrics.intervals import exact_rate

    return exact_rate(tally.qualified, tally.tried)


@dataclass(frozen=True, kw_only=True)
class BenchPrompt(PromptDocument):
    """A prompt's origin, the number of agreeing images, and what its images show."""

    part: str
    category: Kind
    style: str
    concept: str
    object: str
    agreeing: int
    direction: Annotated[tuple[str, str], Keyed(("dominating", "dominated"))] | None


@dataclass(frozen=True)
class BenchDocument:
    """What ``dominance bench build`` and ``show`` print."""

    UNPRINTED: ClassVar[set[str]] = {"manifest"}

    bench: str
    model: str
    judge: str
    settings: RunSettings
    images: int
    unscored: int
    complete: bool
    stopped: str | None
    streams: tuple[StreamTally, ...]
    prompts: tuple[BenchPrompt, ...]
    manifest: dict[str, object] = field(default_factory=dict)
    judge_warnings: tuple[JudgeWarning, ...] = ()
    measures: dict[str, tuple[MeasuredMean, ...]] = field(default_factory=dict)


def document_of(bench: BenchResult) -> BenchDocument:
    """The document of a bench."""
    run = bench.run
    return BenchDocument(
        bench=run.run,
        model=run.model,
        judge=run.judge,
        settings=run.settings,
        images=run.images,
        unscored=run.unscored,
        complete=bench.complete,
        stopped=bench.stopped,
        streams=bench.tallies,
        prompts=tuple(bench_prompt(entry) for entry in bench.entries),
        manifest=run.manifest,
        judge_warnings=run.judge_warnings,
        measures=bench.measures,
    )


def bench_prompt(entry: Entry) -> BenchPrompt:
    """One prompt's document."""
    values = {**vars(entry.kept), **prompt_values(entry.result)}
    return BenchPrompt(**values, agreeing=entry.agreeing, direction=entry.direction)
