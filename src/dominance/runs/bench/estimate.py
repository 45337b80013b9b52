"""What a bench would take before it is built: how many candidates qualify shows only in their images, hence bounds."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.judges.protocol import Judge
from dominance.records import Prompt, Suite
from dominance.runs.audit.estimate import Estimate, copied_ledger, counted
from dominance.runs.audit.result import scored_images
from dominance.runs.bench.candidates import BALANCED, Candidate
from dominance.runs.bench.options import BenchOptions
from dominance.runs.bench.run import DecidedBench, check_same_bench, decided_bench
from dominance.runs.bench.selection import rounds
from dominance.runs.bench.trial import CandidateTrial
from dominance.runs.bench.workshop import Attempt, Outcome, Workshop, standing
from dominance.runs.stages.drawing import missing_images
from dominance.runs.stages.judging import unasked
from dominance.runs.store.bench_ledger import RememberingLedger

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@dataclass(frozen=True, kw_only=True)
class BenchEstimate:
    """The least and the most that a bench would still take, as things stand in its folder.

    Attributes:
        prompts: wanted, of both parts together.
        candidates: prompts that may be tried in all: those of the pools, or the limit.
        images_each: of a candidate that is tried to the end.
        images_first: of a candidate before it can be dropped.
        least: what ends the build soonest: that the next candidates all qualify, or that none does and each is dropped
            at once, so that the limit or the pools end, or too few would qualify.
        found: prompts of the bench then.
        most: that every candidate is tried to the end.
    """

    prompts: int
    candidates: int
    images_each: int
    images_first: int
    least: Estimate
    found: int
    most: Estimate


def estimate_bench(
    model: "str | DiffusionPipeline" = "miniature",
    judge: str | Judge = "miniature",
    out: Path | str | None = None,
    options: BenchOptions | None = None,
) -> BenchEstimate:
    """The least and the most that the same call of ``build_bench`` would still draw and ask; it does neither.

    Candidates that the model does not read as a whole take nothing; they show when it is loaded, and count here.

    Raises:
        InputError: as ``build_bench``, except for what shows only when the model is loaded or the judge is reached.
        RunError: the folder holds another bench.
    """
    bench = decided_bench(model, judge, out, options or BenchOptions(), ready=unasked)
    total = len(bench.seeds)
    with copied_ledger(bench.folder) as ledger:
        check_same_bench(bench.identities, ledger, bench.folder)
        estimating = _Estimating(bench, ledger)
        ends = [estimating.least(qualify=qualify) for qualify in (True, False)]
        least, found = min(ends, key=lambda end: end[0].images_to_draw)
        prompts = sum(shelf.target for shelf in bench.trial.shelves.values())
        return BenchEstimate(
            prompts=prompts,
            candidates=bench.trial.most,
            images_each=total,
            images_first=rounds(total)[0].stop,
            least=least,
            found=found,
            most=estimating.most(),
        )


class _Foreseen:
    """Outcomes of candidates: those that the folder knows, and one and the same for the others.

    Attributes:
        tried: images by prompt, as far as each was tried.
        guessed: prompts whose outcome the folder does not know.
    """

    def __init__(self, workshop: Workshop, trial: CandidateTrial, ledger: RememberingLedger, folder: Path, total: int):
        self._workshop, self._ledger, self._folder, self._total = workshop, ledger, folder, total
        self._shelves, self._needed = copy.deepcopy(trial.shelves), trial.needed
        self._part: dict[str, bool] = {}
        self.tried: dict[Prompt, int] = {}
        self.guessed: set[Prompt] = set()

    def outcomes(self, attempts: Sequence[Attempt], *, qualify: bool) -> dict[tuple[str, str], Outcome]:
        """Of these attempts; a candidate of which nothing is known qualifies where there is room for it, or fails."""
        return {(stream, c.prompt.id): self._outcome(stream, c, qualify) for stream, c in attempts}

    def _outcome(self, stream: str, candidate: Candidate, qualify: bool) -> Outcome:
        shelf, prompt = self._shelves[stream], candidate.prompt
        agreeing = self._known(stream, prompt)
        if agreeing is None:
            self.guessed.add(prompt)
            balances = stream == BALANCED
            fits = qualify and shelf.has_room(candidate) and self._part.setdefault(prompt.id, balances) is balances
            agreeing = self._total if fits else 0
            self._try(prompt, self._total if fits else self.tried[prompt])
        if agreeing >= self._needed and shelf.has_room(candidate):
            shelf.keep(candidate)
        return Outcome(agreeing, undecided=False)

    def _known(self, stream: str, prompt: Prompt) -> int | None:
        """The images that meet the criterion; None where that shows only in images that are not made and judged."""
        agreeing = 0
        for portion in rounds(self._total):
            self._try(prompt, portion.stop)
            if not self._ledger.images():
                return None
            plan = self._workshop.plan_of([prompt], portion.stop)
            images = scored_images(plan, self._ledger)[prompt.id]
            if missing_images(plan.images, self._ledger, self._folder) or any(i.verdict is None for i in images):
                return None
            agreeing, reachable = standing(images, stream, self._total)
            if reachable < self._needed:
                break
        return agreeing

    def _try(self, prompt: Prompt, images: int) -> None:
        self.tried[prompt] = max(images, self.tried.get(prompt, 0))


class _Estimating:
    """One estimate; its ledger is a copy."""

    def __init__(self, bench: DecidedBench, ledger: RememberingLedger) -> None:
        self._bench, self._ledger = bench, ledger
        self._total = len(bench.seeds)
        plan = replace(bench.plan, measuring=None)  # the judge alone selects
        self._workshop = Workshop(plan, bench.seeds, bench.model, bench.judge, ledger, bench.folder)

    def least(self, *, qualify: bool) -> tuple[Estimate, int]:
        """What is left if all candidates to come qualify, or none does; and how many prompts are found."""
        trial, foreseen = self._begin()
        for _ in trial.waves(lambda wave: foreseen.outcomes(wave, qualify=qualify)):
            pass
        kept = [candidate.prompt for shelf in trial.shelves.values() for candidate in shelf.kept]
        return self._counted(foreseen.tried, kept), len(kept)

    def most(self) -> Estimate:
        """What is left if every candidate to come is tried to its last image."""
        trial, foreseen = self._begin()
        for _ in trial.waves(lambda wave: foreseen.outcomes(wave, qualify=False)):
            if foreseen.guessed:
                break
        tried = dict(foreseen.tried)
        if foreseen.guessed:
            tried |= dict.fromkeys((*foreseen.guessed, *trial.left()), self._total)
        whole = [prompt for prompt, images in tried.items() if images == self._total]
        wanted = sum(shelf.target for shelf in trial.shelves.values())
        return self._counted(tried, whole[:wanted])

    def _begin(self) -> tuple[CandidateTrial, _Foreseen]:
        given = self._bench.trial
        trial = CandidateTrial(given.streams, copy.deepcopy(given.shelves), given.needed, given.limit)
        return trial, _Foreseen(self._workshop, trial, self._ledger, self._bench.folder, self._total)

    def _counted(self, tried: Mapping[Prompt, int], kept: Iterable[Prompt]) -> Estimate:
        """Of so many images of each prompt; images of what is kept are measured, too."""
        by_images: dict[int, list[Prompt]] = {}
        plan_of = self._workshop.plan_of
        for prompt, images in tried.items():
            by_images.setdefault(images, []).append(prompt)
        plan = replace(
            self._bench.plan,
            suite=Suite(self._bench.plan.suite.name, tuple(tried), self._bench.plan.suite.description),
            images=tuple(planned for images, of in by_images.items() for planned in plan_of(of, images).images),
            measuring=None,
        )
        found = counted(plan, self._bench.folder, self._bench.judge, self._ledger)
        if (measuring := self._bench.plan.measuring) is None:
            return found
        measured = replace(plan_of(kept), measuring=measuring)
        to_measure = counted(measured, self._bench.folder, self._bench.judge, self._ledger).images_to_measure
        return replace(found, images_to_measure=to_measure, measured_by=measuring.names)
