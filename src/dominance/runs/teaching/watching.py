"""What looks at each checkpoint: sample sheets, and the audit with identity, leakage and copying."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from dominance.diversity.embedders import MINIATURE, PAPER_EMBEDDER, load_embedder
from dominance.documents import from_json, to_json
from dominance.errors import InputError
from dominance.judges.protocol import Judge
from dominance.models.drawing import Drawing, Machine
from dominance.models.on_demand import OnDemand
from dominance.records import Concept, RunResult, ScoredImage, Suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.result import read_result
from dominance.runs.audit.run import audit
from dominance.runs.stages.judging import judge_for
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import ask_all
from dominance.runs.teaching.drawn import draw_samples
from dominance.runs.teaching.likeness import Likeness
from dominance.runs.teaching.measures import leaked_images, names, watched
from dominance.runs.teaching.options import TeachingOptions
from dominance.runs.teaching.result import Looked, Pair, Watched
from dominance.suites import find_suite, load_questions
from dominance.wording import quoted

AUDITS = "audits"
_PAIRS = 6
"""Images on both sides of the fall that the report opens with."""


def taught_concept(suite: Suite, token: str, options: TeachingOptions) -> Concept:
    """The concept of the suite that is taught.

    Raises:
        InputError: the suite does not name it.
    """
    asked = options.watching.taught
    usual = [f"{token} {options.concept_class}", token] if options.concept_class else [token]
    wanted = [asked] if asked else usual
    known = {concept.name: concept for prompt in suite.prompts for concept in prompt.concepts}
    for name in wanted:
        if name in known:
            return known[name]
    listed = ", ".join(itertools.islice(known, 8))
    raise InputError(
        f"no prompt of the suite {suite.name!r} names {quoted(wanted[0])}; give --taught with one of its concepts"
        f" ({listed}), or a suite such as “a [{wanted[0]}] and a [mug]”"
    )


@dataclass(frozen=True, eq=False)
class Watch:
    """Looks at checkpoints, each once; what it saw is in the ledger.

    Attributes:
        base: the model as it is before the lesson, by name.
        train: ``lora`` or ``unet``.
        samples: prompts of the sample sheets.
        suite: to audit; None for none, and then there is no concept.
        references: the pictures that are learned from.
        world: closed world of the model, if any.
    """

    folder: Path
    ledger: Ledger
    base: str
    options: TeachingOptions
    samples: tuple[str, ...]
    suite: Suite | None
    concept: Concept | None
    references: tuple[Path, ...]
    world: str | None

    def look(self, step: int, path: Path | None) -> Looked:
        """Sample sheet and audit of the model after so many steps; ``path`` is its checkpoint, None for the base."""
        model, drawing = self._model(path)
        source = RunModel(model, drawing, self._machine)
        key = f"looked {step} {source.source.identity} {self._what}"
        known = self.ledger.get(key)
        if known is not None:
            return from_json(Looked, known)
        samples = draw_samples(self.samples, self.options.watching.all_seeds, source, self.ledger, self.folder)
        source.set_aside()
        seen = Looked(samples, None)
        if self.suite is not None and self.concept is not None:
            seen = self._audit(step, model, drawing, self.suite, self.concept, samples)
        self.ledger.put(key, to_json(seen))
        return seen

    def _audit(self, step: int, model: str, drawing: Drawing, suite: Suite, concept: Concept, samples: tuple) -> Looked:
        watching = self.options.watching
        questions = load_questions(watching.asking.questions)
        asked = ask_all(suite, questions.ask)
        judge: OnDemand[Judge] = OnDemand(
            lambda: judge_for(asked, watching.judge, self.options.device, watching.asking)
        )
        name = f"{AUDITS}/step-{step:06d}"
        options = AuditOptions(drawing=drawing, asking=replace(watching.asking, judge_option=()), machine=self._machine)
        result = audit(replace(suite, gate=None), model, judge(), self.folder / name, options)
        leaked: Sequence[ScoredImage] = ()
        if any(not names(prompt, concept.name) for prompt in suite.prompts):
            leaked = leaked_images(self.folder / name, concept, judge(), questions)
        found: Watched = watched(result, concept.name, name, leaked, self._likeness)
        return Looked(samples, found, result.judge_warnings)

    def _model(self, path: Path | None) -> tuple[str, Drawing]:
        """The model's name and how it is drawn with, at a checkpoint."""
        watching = self.options.watching
        drawing = Drawing(seeds=watching.all_seeds, steps=watching.draw_steps, guidance=watching.guidance)
        if path is None:
            return self.base, drawing
        if self.options.training.train == "lora":
            return self.base, replace(drawing, adapters=(str(path),))
        return str(path), drawing

    @property
    def _machine(self) -> Machine:
        return Machine(device=self.options.device, offload=self.options.offload)

    @cached_property
    def _what(self) -> str:
        """Marks what is looked for: other prompts or another judge look again."""
        watching = self.options.watching
        asked = None if self.suite is None else [(p.text, *(c.name for c in p.concepts)) for p in self.suite.prompts]
        parts = (self.samples, asked, watching.judge, watching.embedder, str(watching.asking), watching.all_seeds,
                 watching.draw_steps, watching.guidance, self.concept)  # fmt: skip
        return repr(parts)

    @cached_property
    def _likeness(self) -> Likeness | None:
        name = self.options.watching.embedder or (MINIATURE if self.world else None)
        return None if name is None else Likeness(self.references, load_embedder(name, self.options.device))

    @property
    def unmeasured(self) -> str | None:
        """What is to be said where no encoder compares images with the pictures."""
        if self.suite is None or self.options.watching.embedder or self.world:
            return None
        return f"similarity and copying are not measured; give --embedder {PAPER_EMBEDDER} for them"


def find_audited(options: TeachingOptions) -> Suite | None:
    """The suite to audit at each checkpoint, if any."""
    return None if options.watching.audit is None else find_suite(options.watching.audit)


def pairs(folder: Path, before: str, after: str, taught: str) -> tuple[Pair, ...]:
    """The same prompts and seeds in two audits: first those that lose another concept, a prompt at a time."""
    earlier, later = (read_result(folder / name) for name in (before, after))
    there = {(image.prompt_id, image.seed): image for prompt in later.prompts for image in prompt.images}
    found: list[list[tuple[int, Pair]]] = []
    for prompt in earlier.prompts:
        if len(prompt.prompt.concepts) < 2 or not names(prompt.prompt, taught):
            continue
        of_prompt = []
        for image in prompt.images:
            other = there.get((image.prompt_id, image.seed))
            if other is None or image.file is None or other.file is None:
                continue
            rank = (image.verdict == "balanced") + (other.verdict != "balanced")
            pair = Pair(
                prompt.prompt.text, image.seed or 0,
                f"{before}/{image.file}", _shows(earlier, image), f"{after}/{other.file}", _shows(later, other),
            )  # fmt: skip
            of_prompt.append((rank, pair))
        found.append(sorted(of_prompt, key=lambda ranked: -ranked[0]))
    in_turn = [ranked for row in itertools.zip_longest(*found) for ranked in row if ranked is not None]
    return tuple(pair for _, pair in sorted(in_turn, key=lambda ranked: -ranked[0])[:_PAIRS])


def _shows(result: RunResult, image: ScoredImage) -> str:
    """What the judge saw in an image, in words."""
    if image.verdict is None:
        return "not judged"
    prompt = next(prompt.prompt for prompt in result.prompts if prompt.prompt.id == image.prompt_id)
    shown = [concept.name for concept in prompt.concepts if image.shows(concept.name)]
    if len(shown) == len(prompt.concepts):
        return "both" if len(shown) == 2 else "all"
    return f"only {' and '.join(shown)}" if shown else "neither"
