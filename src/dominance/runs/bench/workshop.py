"""Tries candidates: makes and judges their images in rounds, and drops a candidate once it cannot qualify."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dominance.errors import RunError
from dominance.judges.protocol import Judge
from dominance.records import Prompt, ScoredImage, Suite
from dominance.runs.audit.result import scored_images
from dominance.runs.bench.candidates import BALANCED, Candidate
from dominance.runs.bench.result import DOMINANCE, agreement
from dominance.runs.bench.selection import needed, rounds
from dominance.runs.stages.drawing import make_images, missing_images
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.model import RunModel
from dominance.runs.store.bench_ledger import RememberingLedger
from dominance.runs.store.plan import Plan, plan_images

Attempt = tuple[str, Candidate]
"""A stream and one of its candidates."""


@dataclass(frozen=True)
class Outcome:
    """What a candidate's images show so far.

    Attributes:
        agreeing: images that meet the stream's criterion.
        undecided: whether it fails only because some images could not be made or judged.
        too_long: whether it has no images, because the model does not read all of its concepts.
    """

    agreeing: int
    undecided: bool
    too_long: bool = False


def standing(images: Sequence[ScoredImage], stream: str, total: int) -> tuple[int, int]:
    """How many of a candidate's images meet the stream's criterion, and how many may when all are made and judged."""
    agreeing, _ = agreement(tuple(images), BALANCED if stream == BALANCED else DOMINANCE)
    return agreeing, agreeing + total - sum(image.verdict is not None for image in images)


class Workshop:
    """Model, judge and ledger of a bench; the model is loaded when an image is missing."""

    def __init__(
        self,
        plan: Plan,
        seeds: Sequence[int],
        model: RunModel,
        judge: Judge,
        ledger: RememberingLedger,
        folder: Path,
    ) -> None:
        self._plan, self._seeds, self._model, self._judge = plan, seeds, model, judge
        self._ledger, self._folder = ledger, folder
        self._any_scored = False

    def plan_of(self, prompts: Iterable[Prompt], images: int | None = None) -> Plan:
        """The bench's plan for these prompts, with ``images`` per prompt; all by default."""
        suite = Suite(self._plan.suite.name, tuple(prompts), self._plan.suite.description)
        planned = plan_images(suite, self._seeds[:images], self._model.source.identity, self._model.settings)
        return replace(self._plan, suite=suite, images=planned)

    def examine(self, plan: Plan) -> dict[str, list[ScoredImage]]:
        """Makes and judges the plan's missing images; returns the scored images by prompt id.

        Raises:
            RunError: several images were due, and no image of the bench could be made and judged so far.
        """
        missing = missing_images(plan.images, self._ledger, self._folder)
        if missing:
            self._ledger.forget_images(image.item for image in missing if image.item in self._ledger.images())
            model = self._model
            make_images(missing, model.draws(), model.settings, self._ledger, self._folder, model.batches())
        waiting = unanswered(plan, self._ledger, self._folder)
        if waiting:
            ask_judge(waiting, plan, self._judge, self._ledger, crew=self._model.crew)
        scored = scored_images(replace(plan, measuring=None), self._ledger)  # the judge alone selects
        listed = [image for images in scored.values() for image in images]
        self._any_scored = self._any_scored or any(image.verdict is not None for image in listed)
        if len(listed) > 1 and not self._any_scored:
            raise RunError(
                f"none of {len(listed)} images could be made and judged ({listed[0].problem}); fix this, and run the"
                " same command again to resume"
            )
        return scored

    def _too_long(self, attempts: Sequence[Attempt]) -> Mapping[str, str]:
        """The candidates that the model does not read as a whole; one with images has been found to be read."""
        prompts = {candidate.prompt.id: candidate.prompt for _, candidate in attempts}
        images = self._ledger.images()
        drawn = {image.prompt_id for image in self.plan_of(prompts.values(), 1).images if image.item in images}
        new = [prompt for id, prompt in prompts.items() if id not in drawn]
        return self._model.texts(new).refused if new else {}

    def attempt(self, attempts: Sequence[Attempt]) -> dict[tuple[str, str], Outcome]:
        """The outcome of each attempt, by stream and prompt id.

        Images are made in rounds; a candidate continues while it could still qualify if all its other images agreed, so
        stopping early never changes the result.
        """
        total = len(self._seeds)
        outcomes: dict[tuple[str, str], Outcome] = {}
        long = self._too_long(attempts)
        outcomes |= {(stream, c.prompt.id): Outcome(0, False, True) for stream, c in attempts if c.prompt.id in long}
        going = [(stream, candidate) for stream, candidate in attempts if candidate.prompt.id not in long]
        for portion in rounds(total):
            prompts = {candidate.prompt.id: candidate.prompt for _, candidate in going}
            scored = self.examine(self.plan_of(prompts.values(), portion.stop)) if prompts else {}
            still = []
            for stream, candidate in going:
                images = scored[candidate.prompt.id]
                agreeing, reachable = standing(images, stream, total)
                undecided = agreeing < needed(total) <= reachable and portion.stop == total
                outcomes[stream, candidate.prompt.id] = Outcome(agreeing, undecided)
                if reachable >= needed(total):
                    still.append((stream, candidate))
            going = still
        return outcomes
