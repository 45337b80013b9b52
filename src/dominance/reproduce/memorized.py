"""Prompts that a model has memorized, and what removing single heads does to the copies that it draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from dominance.errors import RunError
from dominance.judges.protocol import Judge
from dominance.laboratory.memorized import MODEL, NAME, is_bundled, memorized_pictures, memorized_suite
from dominance.metrics import rate
from dominance.metrics.identity import pixel_copies
from dominance.metrics.intervals import alike_rate
from dominance.miniature.renderer import render
from dominance.models.drawing import Drawing
from dominance.pictures import open_image
from dominance.records import Prompt, Rate, ScoredImage, Suite
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.ablation.options import How
from dominance.runs.ablation.trials import Trial, TrialStage
from dominance.runs.ablation.variants import Head, all_heads, anatomy_of, single_head
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.result import recorded_plan
from dominance.runs.audit.run import audit
from dominance.runs.engines.choice import at_work
from dominance.runs.stages.judging import judge_for
from dominance.runs.stages.model import RunModel
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.suites import find_suite

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

    from dominance.models.source import ModelSource

Outcome = Literal["mitigated", "unchanged", "corrupted"]
MEMORIZED = NAME
"""The group of prompts that the model has memorized."""
Picture = UInt8[np.ndarray, "row column 3"]


@dataclass(frozen=True)
class Memorized:
    """Prompts that a model has memorized.

    Attributes:
        adapter: with which the model has; None where it has by itself.
        pictures: the one training picture of each prompt, by the prompt's id; empty where they are not known.
    """

    suite: Suite
    adapter: str | None
    pictures: Mapping[str, Picture]

    def drawing(self, drawing: Drawing) -> Drawing:
        """How the model is drawn with that has memorized them."""
        return drawing if self.adapter is None else replace(drawing, adapters=(*drawing.adapters, self.adapter))

    def first(self, count: int) -> "Memorized":
        """So many of them."""
        return replace(self, suite=replace(self.suite, prompts=self.suite.prompts[:count]))


def known_by_heart(known: Memorized | None) -> Memorized:
    """Prompts that the model has memorized.

    Raises:
        ImpossibleError: none are known.
    """
    if known is None:
        raise ImpossibleError(
            f"it needs prompts that this model has memorized, which are known of the bundled {MODEL} alone (by its"
            f" adapter {NAME!r}); give --memorized a list of this model's"
        )
    return known


def known_by_picture(known: Memorized | None) -> Memorized:
    """Prompts that the model has memorized, each with its training picture.

    Raises:
        ImpossibleError: none are known; a list that is given has no pictures.
    """
    if known is None or not known.pictures:
        raise ImpossibleError(
            "it tells copies by the training picture of each memorized prompt, which are known of the six prompts of"
            f" the bundled {MODEL} alone (its adapter {NAME!r}): test that model, without --memorized, which takes no"
            " pictures"
        )
    return known


def memorized_of(source: "ModelSource", options: ReproduceOptions) -> Memorized | None:
    """The prompts that are given, or those of the bundled adapter for the model that it is of; None for another model.

    Raises:
        InputError: the prompts that are given cannot be read.
    """
    if options.memorized is None and not (source.name == MODEL and is_bundled()):
        return None
    listed = memorized_suite() if options.memorized is None else find_suite(options.memorized)
    prompts = tuple(replace(prompt, id=f"{MEMORIZED}-{prompt.id}", group=MEMORIZED) for prompt in listed.prompts)
    suite = Suite(MEMORIZED, prompts, "Prompts that the model has memorized.")
    if options.memorized is not None:
        return Memorized(suite, None, {})
    by_text = {caption: render(scene).pixels for caption, scene in memorized_pictures()}
    return Memorized(suite, MEMORIZED, {prompt.id: by_text[prompt.text] for prompt in prompts})


@dataclass(frozen=True)
class CopiesResult:
    """What single heads removed do to copies of training pictures.

    Attributes:
        copied: of the unedited images, those that are copies; the intervals of shares of images are those of as many
            prompts.
        prompts: of the prompts with a copy, those that some head mitigates: most of their copies are no copies without
            it, and still show every concept.
        outcomes: of every copy under every head, by outcome.
        layers: of every prompt with a copy and every head of a layer, those that are mitigated.
        examples: prompt, file of a copy, file without a head that mitigates it, and the head.
        seeds: of each prompt.
    """

    copied: Rate
    prompts: Rate
    outcomes: dict[Outcome, Rate]
    layers: dict[int, Rate]
    examples: tuple[tuple[str, str, str, str], ...]
    seeds: int


@dataclass(frozen=True)
class _Tried:
    prompt: Prompt
    head: Head
    before: ScoredImage
    after: ScoredImage
    outcome: Outcome | None


def heads_of_copies(
    known: Memorized,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    options: AuditOptions,
    folder: Path,
) -> CopiesResult:
    """Draws memorized prompts, and their copies again without each single head at the first step; resumes by image.

    What a copy is, ``metrics.identity.pixel_copies`` says.
    """
    drawn = replace(options, drawing=known.drawing(options.drawing))
    run = audit(known.suite, model, judge, folder, drawn)
    images = [(prompt.prompt, image) for prompt in run.prompts for image in prompt.images if image.file is not None]
    copied = _copied(known, images, folder)
    before = [pair for pair, is_copy in zip(images, copied, strict=True) if is_copy]
    tried = _without_heads(known, model, judge, drawn, folder, before) if before else []
    drawn_of = len({prompt.id for prompt, _ in images})
    return _counted(tried, alike_rate(len(before), len(images), drawn_of), len(options.seeds))


def _copied(known: Memorized, images: Sequence[tuple[Prompt, ScoredImage]], folder: Path) -> Bool[np.ndarray, " image"]:
    """Which images are copies of their prompt's picture."""
    order = list(known.pictures)
    pictures = np.stack([known.pictures[name] for name in order])
    opened = [open_image(folder / str(image.file)) for _, image in images]
    if broken := next((each for each in opened if isinstance(each, Exception)), None):
        raise RunError(f"a picture in {folder} {broken}; remove the folder, then run this again")
    side = (pictures.shape[2], pictures.shape[1])
    seen = [np.asarray(each.convert("RGB").resize(side)) for each in opened if isinstance(each, Image.Image)]
    return pixel_copies(np.stack(seen), pictures, [order.index(prompt.id) for prompt, _ in images])


def _without_heads(
    known: Memorized,
    model: "str | DiffusionPipeline",
    judge: str | Judge,
    options: AuditOptions,
    folder: Path,
    copies: Sequence[tuple[Prompt, ScoredImage]],
) -> list[_Tried]:
    drawn = RunModel(model, options.drawing, options.machine, known.suite.prompts)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger, at_work(drawn.crew):
        plan = recorded_plan(ledger, folder)
        if plan is None:
            raise RunError(f"{folder} has lost its plan; remove the folder, then run this again")
        seen_by = judge_for(plan.questions, judge, options.machine.device, options.asking, drawn.crew)
        heads = all_heads(anatomy_of(drawn().pipeline), None)
        pairs = [(prompt, image, head) for prompt, image in copies for head in heads]
        trials = [Trial(prompt, image.seed or 0, single_head(head, How())) for prompt, image, head in pairs]
        after = TrialStage(plan, ledger, folder, seen_by, drawn).run("heads of copies", trials)
    scored = [(prompt, image) for (prompt, _, _), image in zip(pairs, after, strict=True) if image.file is not None]
    still = iter(_copied(known, scored, folder))
    return [
        _Tried(prompt, head, image, edited, None if edited.file is None else _outcome(edited, bool(next(still))))
        for (prompt, image, head), edited in zip(pairs, after, strict=True)
    ]


def _outcome(edited: ScoredImage, is_copy: bool) -> Outcome | None:
    if is_copy:
        return "unchanged"
    if edited.verdict is None:
        return None
    return "mitigated" if edited.verdict == "balanced" else "corrupted"


def _counted(tried: Sequence[_Tried], copied: Rate, seeds: int) -> CopiesResult:
    cases: dict[tuple[str, Head], list[Outcome]] = {}
    for one in tried:
        if one.outcome is not None:
            cases.setdefault((one.prompt.id, one.head), []).append(one.outcome)
    mitigated = {case for case, found in cases.items() if 2 * found.count("mitigated") > len(found)}
    prompts = {prompt for prompt, _ in cases}
    examples: dict[str, tuple[str, str, str, str]] = {}
    for one in tried:
        if one.outcome == "mitigated" and one.before.file and one.after.file:
            head = f"{one.head[0]}.{one.head[1]}"
            examples.setdefault(one.prompt.id, (one.prompt.text, one.before.file, one.after.file, head))
    found = [outcome for listed in cases.values() for outcome in listed]
    outcomes: tuple[Outcome, ...] = ("mitigated", "unchanged", "corrupted")
    layers = sorted({head[0] for _, head in cases})
    return CopiesResult(
        copied=copied,
        prompts=rate(len({prompt for prompt, _ in mitigated}), len(prompts)),
        outcomes={name: alike_rate(found.count(name), len(found), len(prompts)) for name in outcomes},
        layers={
            layer: alike_rate(
                sum(head[0] == layer for _, head in mitigated),
                sum(head[0] == layer for _, head in cases),
                len({prompt for prompt, head in cases if head[0] == layer}),
            )
            for layer in layers
        },
        examples=tuple(examples.values()),
        seeds=seeds,
    )
