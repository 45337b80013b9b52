"""The runs that claims share: each is made once, when a claim first asks for it, in a folder of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dominance.judges.protocol import Judge
from dominance.models.drawing import Drawing
from dominance.models.source import find_source
from dominance.records import JudgeWarning, PromptResult, RunResult, Suite
from dominance.reproduce.ablated import ablated_of, head_sets_of
from dominance.reproduce.attention import FirstStep, PaperLayers, Recorded, first_step_of, overlaps_of, recorded_of
from dominance.reproduce.control import control_of
from dominance.reproduce.disrupted import disrupted_of, undisrupted_of
from dominance.reproduce.impossible import ImpossibleError, asked_of_model
from dominance.reproduce.kept import kept, kept_each
from dominance.reproduce.listed import drawn_from, given_list, listed_suite, missing_one, recorded_missing
from dominance.reproduce.memorized import (
    CopiesResult,
    Memorized,
    heads_of_copies,
    known_by_heart,
    known_by_picture,
    memorized_of,
)
from dominance.reproduce.methods import CATEGORY_WORD, LOSSES
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.patched import Patched, patched_of
from dominance.reproduce.recorder import Recorder
from dominance.reproduce.rigidity import Rivals, enough_nouns, rivals_of
from dominance.reproduce.size import Size
from dominance.reproduce.suites import (
    alone_suite,
    by_kind,
    by_turns,
    dominance_suite,
    factorial_suite,
    independent_suite,
    is_led_by_entity,
    steered_suite,
)
from dominance.reproduce.transfer import Transfer, transfer_of
from dominance.reproduce.work import heads_of
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.options import BenchOptions
from dominance.runs.bench.result import DOMINANCE, BenchResult, Entry, bench_suite
from dominance.runs.bench.run import build_bench
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.mitigation.result import MitigationResult
from dominance.runs.mitigation.run import mitigate_suite
from dominance.runs.noise_norm.options import NoiseNormOptions
from dominance.runs.noise_norm.result import MemorizationResult
from dominance.runs.noise_norm.run import measure_noise_norm
from dominance.runs.reproduction.result import Control
from dominance.runs.stages.judging import unasked
from dominance.seeds import DEFAULT_SEEDS
from dominance.suites.pools import Pools, default_pools, load_pools

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource

Item = TypeVar("Item")
Kind = TypeVar("Kind")

_FRESH = 100
"""Seeds from here on are new to the bench, whose prompts were chosen by their images of other seeds."""
_TRIED = 8
"""Candidates for each prompt of the bench, at most."""


class Experiments:
    """One model's shared runs, of one size, in one folder.

    Attributes:
        source: what is known of the model before it is loaded.
    """

    def __init__(
        self,
        model: "str | DiffusionPipeline",
        judge: str | Judge,
        options: ReproduceOptions,
        size: Size,
        folder: Path,
    ) -> None:
        self.model, self.judge, self.options, self.size, self.folder = model, judge, options, size, folder
        self.source: ModelSource = find_source(model, options.drawing)
        self.recorder = Recorder(self.source, options)

    @property
    def judge_warnings(self) -> tuple[JudgeWarning, ...]:
        """Reasons to mistrust the judge that the runs made so far have found."""
        made = [getattr(own, "run", own) if isinstance(own, BenchResult) else own for own in vars(self).values()]
        made += [run for run, _ in vars(self).get("factorial", ())]
        found = [warning for run in made for warning in getattr(run, "judge_warnings", ())]
        return tuple(dict.fromkeys(found))

    def drawing(self, seeds: Sequence[int]) -> Drawing:
        """How images are drawn, with these seeds."""
        return replace(self.options.drawing, seeds=tuple(seeds))

    def fresh(self, count: int) -> tuple[int, ...]:
        """So many seeds that the bench did not draw."""
        return tuple(range(_FRESH, _FRESH + count))

    @cached_property
    def bench(self) -> BenchResult:
        """Prompts that the model dominates or balances, found among candidates."""
        base = self.options.drawing.seeds or DEFAULT_SEEDS
        options = BenchOptions(
            target=self.size.bench,
            limit=_TRIED * self.size.bench,
            drawing=self.drawing(base[: self.size.bench_seeds]),
            asking=self.options.asking,
            machine=self.options.machine,
        )
        return build_bench(self.model, self.judge, self.folder / "bench", options)

    def entries(self, part: str, count: int | None = None) -> tuple[Entry, ...]:
        """Prompts of a part of the bench, its categories by turns.

        Raises:
            ImpossibleError: there are none.
        """
        if not self.bench.part(part):
            tried = sum(tally.tried for tally in self.bench.tallies)
            raise ImpossibleError(f"of {tried} candidates, none is a {part} prompt of this model")
        return by_turns(self.bench.part(part))[:count]

    @property
    def both(self) -> tuple[Entry, ...]:
        """All prompts of the bench; as ``entries``."""
        return (*self.entries(DOMINANCE), *self.entries(BALANCED))

    @cached_property
    def redrawn(self) -> RunResult:
        """The bench's prompts from new seeds, without the advantage of its selection; as ``both``."""
        _ = self.both
        return self._audit(bench_suite(self.bench, name="bench"), self.size.fresh_seeds, "fresh")

    def _audit(self, suite: Suite, seeds: int, name: str, model: "str | DiffusionPipeline | None" = None) -> RunResult:
        options = self._judged(AuditOptions, seeds)
        return audit(suite, self.model if model is None else model, self.judge, self.folder / name, options)

    @property
    def layers(self) -> PaperLayers:
        """The paper's layers in this model."""
        return self.recorder.layers

    @cached_property
    def first_steps(self) -> tuple[FirstStep, ...]:
        """The first step of each prompt of the bench, with several noises."""
        noises = self.fresh(self.size.noises)

        def look(entry: Entry) -> FirstStep:
            return first_step_of(entry, self.recorder.look(entry.result.prompt, noises), self.layers)

        by_id = {entry.kept.id: entry for entry in self.both}
        return tuple(self.each("first-steps", "first steps", FirstStep, by_id, look).values())

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
        """Whole generations of prompts of both parts."""
        count, seeds = self.size.recorded, self.fresh(self.size.recorded_seeds)
        entries = (*self.entries(DOMINANCE, count), *self.entries(BALANCED, count))

        def record(entry: Entry) -> Recorded:
            direction = entry.direction or (None, None)
            explained = self.recorder.explained(entry.result.prompt, seeds)
            return recorded_of(entry.kept.id, entry.kept.part, direction, explained, self.layers)

        by_id = {entry.kept.id: entry for entry in entries}
        return tuple(self.each("recorded", "generations recorded", Recorded, by_id, record).values())

    @cached_property
    def norms(self) -> MemorizationResult:
        """How far each prompt of the bench, and each that this model has memorized, moves the predicted noise."""
        known = self.memorized
        return self._norms(known if known is not None and known.adapter is None else None, "norms")

    @cached_property
    def memorized_norms(self) -> MemorizationResult:
        """The same with the prompts that the model has memorized, if need be with an adapter; as ``copies``."""
        known = known_by_heart(self.memorized)
        return self.norms if known.adapter is None else self._norms(known, "memorized-norms")

    def _norms(self, known: Memorized | None, name: str) -> MemorizationResult:
        drawing = self.drawing(self.fresh(self.size.norm_seeds))
        suite = bench_suite(self.bench, name="bench")
        if known is not None:
            suite = replace(suite, prompts=(*suite.prompts, *known.suite.prompts))
            drawing = known.drawing(drawing)
        options = NoiseNormOptions(drawing=drawing, machine=self.options.machine.by_itself())
        with asked_of_model():
            return measure_noise_norm(suite, self.model, self.folder / name, options)

    @cached_property
    def memorized(self) -> Memorized | None:
        """Prompts that the model has memorized, where some are known."""
        return memorized_of(self.source, self.options)

    @cached_property
    def copies(self) -> CopiesResult:
        """Copies of memorized pictures, each without each single head.

        Raises:
            ImpossibleError: no prompt is known to be memorized, or not which picture of it.
        """
        known = known_by_picture(self.memorized)
        _, options = self.layers, self._judged(AuditOptions, self.size.memorized_seeds)
        return heads_of_copies(
            known.first(self.size.memorized), self.model, self.judge, options, self.folder / "memorized"
        )

    ablated = cached_property(ablated_of)
    head_sets = cached_property(head_sets_of)

    @cached_property
    def replaced(self) -> MitigationResult:
        """Dominance prompts that a landmark, character or artist dominates, plain and with a category word for it.

        Raises:
            ImpossibleError: there are none.
        """
        led = [entry for entry in self.entries(DOMINANCE) if is_led_by_entity(entry)]
        if not led:
            raise ImpossibleError("objects dominate all dominance prompts of this model, and have no category word")
        suite = dominance_suite(led[: self.size.repaired])
        return self.mitigated(suite, tuple(CATEGORY_WORD), self.size.repaired_seeds, "replacement")

    disrupted = cached_property(disrupted_of)
    undisrupted = cached_property(undisrupted_of)

    @cached_property
    def patched(self) -> Patched:
        """Collapsed images with parts of the twin put in; as ``patched_of``."""
        return patched_of(self)

    @cached_property
    def pools(self) -> Pools:
        """Concepts and captions that suit the model."""
        return load_pools(default_pools(self.source.world))

    @cached_property
    def independent(self) -> RunResult:
        """Prompts that nothing filters."""
        suite = independent_suite(self.pools, self.size.independent)
        return self._audit(suite, self.size.independent_seeds, "independent")

    @cached_property
    def rivals(self) -> Rivals:
        """Models of other training."""
        return rivals_of(self.source, self.options)

    @cached_property
    def twin_independent(self) -> RunResult:
        """The same prompts and noise in a model of other training.

        Raises:
            ImpossibleError: none is known.
        """
        suite = independent_suite(self.pools, self.size.independent)
        return self._audit(suite, self.size.independent_seeds, "twin-independent", self.rivals.needs_twin())

    @cached_property
    def other_independent(self) -> RunResult:
        """The same prompts and noise in a model of other training: the one that is given, or the miniature's base.

        Raises:
            ImpossibleError: none is known.
        """
        other = self.rivals.other
        if other is None:
            raise ImpossibleError("it needs a second model of other training; give --other")
        suite = independent_suite(self.pools, self.size.independent)
        name = "twin-independent" if other == self.rivals.twin else "other-independent"
        return self._audit(suite, self.size.independent_seeds, name, other)

    @cached_property
    def overlaps(self) -> dict[str, dict[str, list[float]]]:
        """By prompt and measure, the overlap of the concepts' maps at the last step, an image a value."""
        seeds = self.fresh(self.size.independent_seeds)

        def overlap(result: PromptResult) -> dict[str, list[float]]:
            explained = self.recorder.explained(result.prompt, seeds, maps_at_end=True)
            return overlaps_of(explained) if len(explained.places) > 1 else {}

        prompts = {result.prompt.id: result for result in self.independent.prompts}
        found = self.each("maps", "maps recorded", dict[str, list[float]], prompts, overlap)
        return {name: own for name, own in found.items() if own}

    @cached_property
    def control(self) -> Control:
        """Whether single concepts are drawn, as the judge sees them."""
        suite = alone_suite(self.pools, self.size.alone)
        return control_of(self._audit(suite, self.size.alone_seeds, "alone"))

    @cached_property
    def listed(self) -> RunResult:
        """Prompts as other benchmarks list them."""
        given, count = given_list(self.options, tells=True), self.size.listed
        suite = listed_suite(self.pools, self.source.world, count) if given is None else drawn_from(given, count)
        return self._audit(suite, self.size.listed_seeds, "listed")

    @cached_property
    def listed_focus(self) -> dict[str, float]:
        """By prompt, its focus score in the paper's layers."""
        prompts = {each.prompt.id: each.prompt for each in self.listed.prompts}
        focus = partial(self.recorder.focus, seeds=self.fresh(self.size.noises))
        return self.each("listed-focus", "first steps", float, prompts, focus)

    @cached_property
    def listed_recorded(self) -> tuple[Recorded, ...]:
        """Generations of those of them that lack a concept, from just the noises with which they do."""
        wanted = {one.prompt.id: one for one in missing_one(self.listed.prompts)[: self.size.recorded]}
        record = partial(recorded_missing, self.recorder)
        return tuple(self.each("listed-recorded", "generations recorded", Recorded, wanted, record).values())

    @cached_property
    def transfer(self) -> Transfer:
        """What a rule that was fitted on this model's bench says of the prompts of models of other training.

        Raises:
            ImpossibleError: no other model is known, or the bench is too small to fit a rule on.
        """
        return transfer_of(self)

    @cached_property
    def steered(self) -> MitigationResult:
        """Prompts of two, three and four concepts plain, under each overlap loss and under Attend-and-Excite."""
        self.recorder.needs_places()  # before anything is drawn
        suite = steered_suite(self.pools, self.size.steered, self.size.crowded)
        methods = (*(f"overlap:loss={loss}" for loss in LOSSES), "attend-and-excite")
        return self.mitigated(suite, methods, self.size.steered_seeds, "steered")

    @cached_property
    def factorial(self) -> tuple[tuple[RunResult, Mapping[str, float]], ...]:
        """Three concepts a prompt, rigid or varied, on the model and on its twin, each with its concepts' diversity.

        Raises:
            ImpossibleError: the model has not three concepts of either kind.
        """
        ours = self.rivals.ours or (by_kind(self.pools) if self.kinds_stand_in else {})
        rigid, varied = enough_nouns(self.pools, ours)
        suite = factorial_suite("factorial", rigid, varied, self.size.cell)
        runs = [(self._audit(suite, self.size.cell_seeds, "factorial"), ours)]
        twin, theirs = self.rivals.twin, self.rivals.theirs
        if twin is not None and self.rivals.opposed >= {c.name for prompt in suite.prompts for c in prompt.concepts}:
            runs.append((self._audit(suite, self.size.cell_seeds, "twin-factorial", twin), theirs))
        return tuple(runs)

    @property
    def kinds_stand_in(self) -> bool:
        """Whether kinds stand for rigidity, because nothing is known of the model's training pictures."""
        return self.source.world is None and not self.rivals.ours

    @cached_property
    def heads(self) -> int:
        """Attention heads of the model, over all layers; 0 where they are of a kind that is not known."""
        return self.kept("heads", int, lambda: heads_of(self.recorder.opened))

    @cached_property
    def judged_by(self) -> str:
        """The judge's identity."""
        return unasked({}, self.judge, self.options.machine.device, self.options.asking).identity

    def mitigated(self, suite: Suite, methods: tuple[str, ...], seeds: int, name: str) -> MitigationResult:
        """A suite plain and by methods."""
        options = self._judged(MitigateOptions, seeds, methods=methods)
        return mitigate_suite(suite, self.model, self.judge, self.folder / name, options)

    def _judged(self, kind: Any, seeds: int, **more: object) -> Any:
        """Options of a command that draws so many new seeds and asks the judge."""
        drawing = self.drawing(self.fresh(seeds))
        return kind(drawing=drawing, asking=self.options.asking, machine=self.options.machine, **more)

    def kept(self, name: str, kind: Any, make: Callable[[], Kind]) -> Kind:
        """What a file holds, or what is made now and written to it."""
        return kept(self.folder / f"{name}.json", kind, make)

    def each(
        self, name: str, what: str, kind: Any, items: Mapping[str, Item], make: Callable[[Item], Kind]
    ) -> dict[str, Kind]:
        """What is made of each item, kept in a folder of that name; see ``kept_each``."""
        return kept_each(self.folder / name, what, kind, items, make)
