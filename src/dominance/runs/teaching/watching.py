"""What looks at each checkpoint: sample sheets, and the audit with identity, leakage and copying."""

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dominance.documents import from_json, to_json
from dominance.errors import InputError
from dominance.judges.registry import judge_weights
from dominance.models.drawing import Drawing
from dominance.records import Concept, RunResult, ScoredImage, Suite
from dominance.runs.audit.options import AuditOptions, Taught
from dominance.runs.audit.result import read_result
from dominance.runs.audit.run import audit, check_audit
from dominance.runs.stages.embedding import content_of
from dominance.runs.stages.identity import named_concepts
from dominance.runs.stages.judge_fit import RENDERED_WORLD
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.teaching.drawn import draw_samples
from dominance.runs.teaching.options import TeachingOptions
from dominance.runs.teaching.pictures import Pictures
from dominance.runs.teaching.result import Looked, Pair, Watched
from dominance.suites import find_suite, load_questions
from dominance.wording import quoted

AUDITS = "audits"
_PAIRS = 6
"""Images on both sides of the fall that the report opens with."""


def audit_name(step: int) -> str:
    """The folder of a checkpoint's audit, relative to that of the training."""
    return f"{AUDITS}/step-{step:06d}"


def taught_concept(suite: Suite, token: str, options: TeachingOptions) -> Concept:
    """The concept of the suite that is taught.

    Raises:
        InputError: the suite does not name it.
    """
    asked = options.watching.taught
    usual = [f"{token} {options.concept_class}", token] if options.concept_class else [token]
    wanted = [asked] if asked else usual
    known = named_concepts(suite)
    for name in wanted:
        if name.casefold() in known:
            return known[name.casefold()]
    listed = ", ".join(itertools.islice(known, 8))
    raise InputError(
        f"no prompt of the suite {suite.name!r} names {quoted(wanted[0])}; give --taught with one of its concepts"
        f" ({listed}), or a suite such as “a [{wanted[0]}] and a [mug]”"
    )


@dataclass(frozen=True, eq=False)
class Watch:
    """Looks at checkpoints, each once; what it saw is in the ledger.

    Attributes:
        base: the model as it is before training, by name.
        train: ``lora`` or ``unet``.
        samples: prompts of the sample sheets.
        suite: to audit; None for none, and then there is no concept.
        references: the folder of the pictures that are learned from; None where images are not compared with them.
    """

    folder: Path
    ledger: Ledger
    base: str
    options: TeachingOptions
    samples: tuple[str, ...]
    suite: Suite | None
    concept: Concept | None
    references: Path | None

    def check(self) -> None:
        """Refuses what an audit of the base would be refused for, before anything is drawn; see ``check_audit``."""
        if self.suite is not None and self.concept is not None:
            model, drawing = self.drawn_with(None)
            options = self.audit_options(drawing, self.concept)
            where, watching = self.folder / audit_name(0), self.options.watching
            check_audit(watching.audit or self.suite, model, watching.judge, where, options)

    def look(self, step: int, path: Path | None) -> Looked:
        """Sample sheet and audit of the model after so many steps; ``path`` is its checkpoint, None for the base."""
        model, drawing = self.drawn_with(path)
        source = RunModel(model, drawing, self.options.machine)
        key = self.key(step, source)
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
        watching, name = self.options.watching, audit_name(step)
        options = self.audit_options(drawing, concept)
        result = audit(watching.audit or suite, model, watching.judge, self.folder / name, options)
        if result.identity is None:
            return Looked(samples, None, result.judge_warnings)
        found = Watched(name, result.scored, result.unscored, result.identity)
        return Looked(samples, found, result.judge_warnings)

    def key(self, step: int, source: RunModel) -> str:
        """The ledger's name of what was seen after so many steps of the model that is drawn with."""
        return f"looked {step} {source.source.identity} {self._what}"

    def audit_options(self, drawing: Drawing, concept: Concept) -> AuditOptions:
        """How a checkpoint is audited."""
        watching = self.options.watching
        return AuditOptions(
            drawing=drawing,
            asking=watching.asking,
            taught=Taught(concept.name, self.references, watching.embedder if self.references else None),
            machine=self.options.machine,
        )

    def drawn_with(self, path: Path | None) -> tuple[str, Drawing]:
        """The model's name and how it is drawn with, at a checkpoint; None for the base."""
        watching = self.options.watching
        how: dict[str, Any] = {
            "seeds": watching.all_seeds,
            "steps": watching.draw_steps,
            "guidance": watching.guidance,
            "dtype": self.options.training.precision,
        }
        if path is None:
            return self.base, self.options.drawing(**how)
        if self.options.training.train == "lora":
            return self.base, self.options.drawing(**how, adapters=(str(path),))
        return str(path), Drawing(**how)  # a whole model, in a folder of plain weights

    @cached_property
    def _what(self) -> str:
        """Marks what is looked for: other prompts, questions or another judge look again, and other references."""
        watching = self.options.watching
        drawn = (self.samples, watching.all_seeds, watching.draw_steps, watching.guidance)
        if self.suite is None:
            return repr(drawn)
        questions = load_questions(watching.asking.questions)
        asked = (watching.judge, judge_weights(watching.judge), replace(watching.asking, questions=None), questions)
        return repr((*drawn, self.suite.prompts, asked, watching.embedder, self.concept, self.references))


def references_of(source: Path, pictures: Pictures, options: TeachingOptions, world: str | None) -> Path | None:
    """The pictures that images are compared with; None where there is no encoder for them, or no two differ."""
    different = {content for picture in pictures.pictures if isinstance(content := content_of(picture.file), str)}
    fits = options.watching.embedder is not None or world == RENDERED_WORLD
    return source if fits and len(different) > 1 else None


def find_audited(options: TeachingOptions) -> Suite | None:
    """The suite to audit at each checkpoint, if any."""
    return None if options.watching.audit is None else find_suite(options.watching.audit)


def pairs(folder: Path, before: str, after: str, taught: str) -> tuple[Pair, ...]:
    """The same prompts and seeds in two audits: first those that lose another concept, a prompt at a time."""
    earlier, later = (read_result(folder / name) for name in (before, after))
    there = {(image.prompt_id, image.seed): image for prompt in later.prompts for image in prompt.images}
    found: list[list[tuple[int, Pair]]] = []
    for prompt in earlier.prompts:
        if len(prompt.prompt.concepts) < 2 or taught not in prompt.presence:
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
