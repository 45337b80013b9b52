"""The runs that claims share: each is made once, when a claim first asks for it, in a folder of its own."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dominance.documents import from_json, json_bytes
from dominance.files import is_file, write_whole
from dominance.judges.protocol import Judge
from dominance.models.drawing import Drawing
from dominance.models.source import find_source
from dominance.progress import Progress
from dominance.records import JudgeWarning, Prompt, RunResult, Suite
from dominance.reproduce.attention import (
    FirstStep,
    PaperLayers,
    Recorded,
    first_step_of,
    overlaps_of,
    paper_layers,
    recorded_of,
)
from dominance.reproduce.memorized import CopiesResult, Memorized, heads_of_copies, memorized_of
from dominance.reproduce.options import ReproduceOptions
from dominance.reproduce.rigidity import Rivals, rivals_of
from dominance.reproduce.size import Size
from dominance.reproduce.suites import (
    SLOTS,
    by_kind,
    by_turns,
    factorial_suite,
    independent_suite,
    nouns_by_rigidity,
    objects_suite,
)
from dominance.reproduce.work import heads_of
from dominance.runs.ablation.options import AblationOptions
from dominance.runs.ablation.result import AblationResult
from dominance.runs.ablation.run import ablate_suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.options import BenchOptions
from dominance.runs.bench.result import DOMINANCE, BenchResult, Entry, bench_suite
from dominance.runs.bench.run import build_bench
from dominance.runs.explanation.options import ExplainOptions
from dominance.runs.explanation.run import explain
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.mitigation.result import MitigationResult
from dominance.runs.mitigation.run import mitigate_suite
from dominance.runs.noise_norm.options import NoiseNormOptions
from dominance.runs.noise_norm.result import MemorizationResult
from dominance.runs.noise_norm.run import measure_noise_norm
from dominance.runs.stages.first_steps import look_at
from dominance.runs.stages.judging import unasked
from dominance.runs.stages.model import RunModel
from dominance.seeds import DEFAULT_SEEDS
from dominance.suites.pools import Pools, default_pools, load_pools

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource

Kind = TypeVar("Kind")

_FRESH = 100
"""Seeds from here on are new to the bench, whose prompts were chosen by their images of other seeds."""
_TRIED = 8
"""Candidates for each prompt of the bench, at most."""


LOSSES: tuple[str, ...] = ("kl", "com", "iou", "cc")
"""The overlap losses of the paper."""


class ImpossibleError(Exception):
    """A claim that cannot be examined here, and why."""


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
        """All prompts of the bench.

        Raises:
            ImpossibleError: a part of it has none.
        """
        return (*self.entries(DOMINANCE), *self.entries(BALANCED))

    @cached_property
    def redrawn(self) -> RunResult:
        """The bench's prompts from new seeds, without the advantage of its selection.

        Raises:
            ImpossibleError: a part of the bench is empty.
        """
        for part in (DOMINANCE, BALANCED):
            self.entries(part)
        return self._audit(bench_suite(self.bench, name="bench"), self.size.fresh_seeds, "fresh")

    def _audit(self, suite: Suite, seeds: int, name: str, model: "str | DiffusionPipeline | None" = None) -> RunResult:
        options = self._judged(AuditOptions, seeds)
        return audit(suite, self.model if model is None else model, self.judge, self.folder / name, options)

    @cached_property
    def opened(self) -> RunModel:
        """The model, for what records attention."""
        return RunModel(self.source, self.drawing(self.fresh(1)), self.options.machine)

    @cached_property
    def layers(self) -> PaperLayers:
        """The paper's layers in this model."""
        from dominance.probes.sites import attention_sites

        return paper_layers(attention_sites(self.opened().pipeline))

    @cached_property
    def first_steps(self) -> tuple[FirstStep, ...]:
        """The first step of each prompt of the bench, with several noises."""

        def look() -> tuple[FirstStep, ...]:
            entries, seeds = self.both, self.fresh(self.size.noises)
            prompts = [entry.result.prompt for entry in entries]
            looks = look_at(self.opened, prompts, [seeds] * len(prompts), None, "content")
            return tuple(first_step_of(entry, seen, self.layers) for entry, seen in zip(entries, looks, strict=True))

        return self.kept("first-steps", tuple[FirstStep, ...], look)

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
        """Whole generations of prompts of both parts, a file a prompt."""
        count = self.size.recorded
        entries = (*self.entries(DOMINANCE, count), *self.entries(BALANCED, count))
        found = []
        with Progress("generations recorded", total=len(entries), each="a prompt") as progress:
            for entry in entries:
                found.append(self.kept(f"recorded/{entry.kept.id}", Recorded, lambda e=entry: self._recorded(e)))
                progress.advance(1)
        return tuple(found)

    def _recorded(self, entry: Entry) -> Recorded:
        options = ExplainOptions(
            drawing=self.drawing(self.fresh(self.size.recorded_seeds)), machine=self.options.machine.by_itself()
        )
        explained = explain(entry.result.prompt, self.opened().pipeline, None, options)
        return recorded_of(entry, explained, self.layers)

    @cached_property
    def norms(self) -> MemorizationResult:
        """How far each prompt of the bench, and each that this model has memorized, moves the predicted noise."""
        known = self.memorized
        return self._norms(known if known is not None and known.adapter is None else None, "norms")

    @cached_property
    def memorized_norms(self) -> MemorizationResult:
        """The same with the prompts that the model has memorized, if need be with an adapter; as ``copies``."""
        known = self.known_by_heart()
        return self.norms if known.adapter is None else self._norms(known, "memorized-norms")

    def _norms(self, known: Memorized | None, name: str) -> MemorizationResult:
        drawing = self.drawing(self.fresh(self.size.norm_seeds))
        suite = bench_suite(self.bench, name="bench")
        if known is not None:
            suite = replace(suite, prompts=(*suite.prompts, *known.suite.prompts))
            drawing = known.drawing(drawing)
        options = NoiseNormOptions(drawing=drawing, machine=self.options.machine.by_itself())
        return measure_noise_norm(suite, self.model, self.folder / name, options)

    @cached_property
    def memorized(self) -> Memorized | None:
        """Prompts that the model has memorized, where some are known."""
        return memorized_of(self.source, self.options)

    def known_by_heart(self) -> Memorized:
        if self.memorized is None:
            raise ImpossibleError("no prompt of the model is known to be memorized; give --memorized")
        return self.memorized

    @cached_property
    def copies(self) -> CopiesResult:
        """Copies of memorized pictures, each without each single head.

        Raises:
            ImpossibleError: no prompt is known to be memorized, or not which picture of it.
        """
        known = self.known_by_heart()
        if not known.pictures:
            raise ImpossibleError(
                "the training pictures of the memorized prompts are not known, so no copy can be told"
            )
        options = self._judged(AuditOptions, self.size.memorized_seeds)
        few = replace(known, suite=replace(known.suite, prompts=known.suite.prompts[: self.size.memorized]))
        return heads_of_copies(few, self.model, self.judge, options, self.folder / "memorized")

    @cached_property
    def ablated(self) -> AblationResult:
        """Dominance prompts with heads removed: each alone, the mitigating ones together, and pairs of the others."""
        options = self._judged(AblationOptions, self.size.ablated_seeds, sweep=("heads", "multi", "controls"))
        suite = self._dominance_suite(self.size.ablated)
        return ablate_suite(suite, self.model, self.judge, self.folder / "ablation", options)

    @cached_property
    def replaced(self) -> MitigationResult:
        """Dominance prompts plain, and with a category word for the concept that the bench expects to dominate."""
        return self.mitigated(
            self._dominance_suite(self.size.repaired), ("replace",), self.size.repaired_seeds, "replacement"
        )

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
        if self.rivals.twin is None:
            raise ImpossibleError("it needs a second model that differs in its training pictures; give --other")
        suite = independent_suite(self.pools, self.size.independent)
        return self._audit(suite, self.size.independent_seeds, "twin-independent", self.rivals.twin)

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
        found = {}
        prompts = [result.prompt for result in self.independent.prompts]
        with Progress("maps recorded", total=len(prompts), each="a prompt") as progress:
            for prompt in prompts:
                kept = self.kept(f"maps/{prompt.id}", dict[str, list[float]], lambda p=prompt: self._overlaps(p))
                if kept:
                    found[prompt.id] = kept
                progress.advance(1)
        return found

    def _overlaps(self, prompt: Prompt) -> dict[str, list[float]]:
        drawing = self.drawing(self.fresh(self.size.independent_seeds))
        last = self.opened.settings.steps - 1
        options = ExplainOptions(maps_steps=(last,), drawing=drawing, machine=self.options.machine.by_itself())
        explained = explain(prompt, self.opened().pipeline, None, options)
        return overlaps_of(explained) if len(explained.places) > 1 else {}

    @cached_property
    def steered(self) -> MitigationResult:
        """Prompts of two, three and four concepts plain, under each overlap loss and under Attend-and-Excite."""
        pairs = independent_suite(self.pools, self.size.steered).prompts
        more = [objects_suite(self.pools, concepts, self.size.crowded).prompts for concepts in (3, 4)]
        suite = Suite("steered", (*pairs, *itertools.chain(*more)), "Prompts of two, three and four concepts.")
        methods = (*(f"overlap:loss={loss}" for loss in LOSSES), "attend-and-excite")
        return self.mitigated(suite, methods, self.size.steered_seeds, "steered")

    @cached_property
    def factorial(self) -> tuple[tuple[RunResult, Mapping[str, float]], ...]:
        """Three concepts a prompt, rigid or varied, on the model and on its twin, each with its concepts' diversity.

        Raises:
            ImpossibleError: the model has not three concepts of either kind.
        """
        ours = self.rivals.ours or (by_kind(self.pools) if self.kinds_stand_in else {})
        rigid, varied = nouns_by_rigidity(self.pools, ours)
        if min(len(rigid), len(varied)) < SLOTS:
            raise ImpossibleError(
                f"the model lists {len(rigid)} concepts of uniform and {len(varied)} of varied training pictures;"
                " three of each are needed"
            )
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
        """Attention heads of the model, over all layers."""
        return self.kept("heads", int, lambda: heads_of(self.opened))

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

    def _dominance_suite(self, count: int) -> Suite:
        prompts = tuple(entry.result.prompt for entry in self.entries(DOMINANCE, count))
        return Suite("bench-dominance", prompts, "Dominance prompts of the bench.")

    def kept(self, name: str, kind: Any, make: Callable[[], Kind]) -> Kind:
        """What a file holds, or what is made now and written to it."""
        file = self.folder / f"{name}.json"
        if is_file(file):
            return from_json(kind, json.loads(file.read_text(encoding="utf-8")))
        made = make()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json_bytes(made))
        return made
