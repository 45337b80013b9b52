"""Collapsed images with parts of another model put in, in which the same prompt and noise collapse nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from dominance.errors import ItemError, RunError
from dominance.probes.patching import Patch, check_donor, has_same_weights, patch
from dominance.records import Prompt, ScoredImage
from dominance.reproduce.impossible import ImpossibleError, asked_of_model
from dominance.reproduce.suites import dominance_suite
from dominance.runs.ablation.trials import Trial, TrialStage
from dominance.runs.ablation.variants import Variant
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.result import recorded_plan
from dominance.runs.audit.run import audit
from dominance.runs.bench.result import DOMINANCE
from dominance.runs.engines.choice import at_work
from dominance.runs.stages.judging import judge_for
from dominance.runs.stages.model import RunModel
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from PIL import Image

    from dominance.models.image_model import PipelineModel
    from dominance.models.settings import GenerationSettings
    from dominance.reproduce.experiments import Experiments

PREDICTION = "the whole prediction"
ATTENTION, FEED_FORWARD, RESIDUAL = "cross-attention", "feed-forward networks", "residual branches"
THIRDS = ("first", "middle", "last")
BY_THIRD: tuple[str, ...] = tuple(f"{ATTENTION}, {third} third of the layers" for third in THIRDS)
PARTS: tuple[str, ...] = (PREDICTION, ATTENTION, FEED_FORWARD, RESIDUAL, *BY_THIRD)
"""What is put in, all layers of a kind together."""


@dataclass(frozen=True)
class PatchedImage:
    """A collapsed image that the other model draws with every concept, and what it becomes with parts of that model.

    Attributes:
        before: its DvD.
        after: by part, the DvD with it; ``whole``: whether every concept is then present.
        file: below the run's folder; ``patched``: with the cross-attention put in.
    """

    prompt: str
    text: str
    before: float
    after: dict[str, float]
    whole: dict[str, bool]
    file: str | None = None
    patched: str | None = None


@dataclass(frozen=True)
class Patched:
    """All such images.

    Attributes:
        collapsed: images that collapse, from which they were taken.
        run: their folder.
        alike: parts of which both models have the same weights.
    """

    images: tuple[PatchedImage, ...]
    collapsed: int
    donor: str
    run: str
    alike: tuple[str, ...] = ()


@dataclass(frozen=True)
class PatchedModel:
    """A pipeline that draws each image of a batch with its own patch."""

    model: "PipelineModel"
    donor: "DiffusionPipeline" = field(repr=False)

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], variants: Sequence[Variant], settings: "GenerationSettings"
    ) -> "list[Image.Image | ItemError]":
        """One image for every text, seed and variant, or the reason why it failed."""
        each = [variant.edit if isinstance(variant.edit, Patch) else None for variant in variants]
        with patch(self.model.pipeline, self.donor, each=each):
            return self.model.generate(texts, seeds, settings)


def _with_donor(donor: RunModel, model: "PipelineModel") -> PatchedModel:
    return PatchedModel(model, donor().pipeline)


def patched_of(experiments: "Experiments") -> Patched:
    """Draws dominance prompts, and what collapses again with parts of the twin put in; resumes by image.

    Raises:
        ImpossibleError: no second model is known, or it is of another architecture; nothing collapses, or the other
            model draws all concepts of no image that does.
    """
    twin, options = experiments.rivals.needs_twin(), experiments.options  # before anything is drawn
    suite = dominance_suite(experiments.entries(DOMINANCE, experiments.size.patched))
    drawing = experiments.drawing(experiments.fresh(experiments.size.patched_seeds))
    folder, machine = experiments.folder / "patched", options.machine
    run = audit(
        suite, experiments.model, experiments.judge, folder,
        AuditOptions(drawing=drawing, asking=options.asking, machine=machine),
    )  # fmt: skip
    collapsed = [(p.prompt, image) for p in run.prompts for image in p.images if image.verdict == "collapsed"]
    if not collapsed:
        raise ImpossibleError("no image of the dominance prompts collapses from new seeds")
    drawn = RunModel(experiments.model, drawing, machine, suite.prompts)
    donor = RunModel(twin, drawing, machine.by_itself(), suite.prompts)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger, at_work(drawn.crew):
        plan = recorded_plan(ledger, folder)
        if plan is None:
            raise RunError(f"{folder} has lost its plan; remove the folder, then run this again")
        judge = judge_for(plan.questions, experiments.judge, machine.device, options.asking, drawn.crew)
        ours, theirs = drawn().pipeline, donor().pipeline
        parts = variants_of(ours, donor.source.identity)
        with asked_of_model():
            edits = {name: variant.edit for name, variant in parts.items() if isinstance(variant.edit, Patch)}
            check_donor(ours, theirs, list(edits.values()))
        alike = tuple(name for name, edit in edits.items() if has_same_weights(ours, theirs, edit))
        stage = TrialStage(plan, ledger, folder, judge, drawn, partial(_with_donor, donor))

        def tried(names: Sequence[str], images: Sequence[tuple[Prompt, ScoredImage]]) -> list[ScoredImage]:
            trials = [Trial(prompt, image.seed or 0, parts[name]) for name in names for prompt, image in images]
            return stage.run("patched images", trials)

        saved = tried([PREDICTION], collapsed)
        kept = [pair for pair, other in zip(collapsed, saved, strict=True) if other.verdict == "balanced"]
        if not kept:
            raise ImpossibleError(f"{twin} draws every concept in none of {len(collapsed)} images that collapse here")
        names = [name for name in PARTS if name in parts]
        found = tried(names, kept)
        by_name = {name: found[place * len(kept) :][: len(kept)] for place, name in enumerate(names)}
    return Patched(images_of(kept, by_name), len(collapsed), twin, run.run, alike)


def images_of(
    kept: Sequence[tuple[Prompt, ScoredImage]], by_name: Mapping[str, Sequence[ScoredImage]]
) -> tuple[PatchedImage, ...]:
    """What is kept of images that could be scored with every part put in."""
    images = []
    for place, (prompt, before) in enumerate(kept):
        after = {name: found[place] for name, found in by_name.items()}
        scores = {name: image.dvd for name, image in after.items() if image.dvd is not None}
        if before.dvd is None or len(scores) < len(after):
            continue
        whole = {name: image.verdict == "balanced" for name, image in after.items()}
        shown = after[ATTENTION].file if ATTENTION in after else None
        images.append(PatchedImage(prompt.id, prompt.text, before.dvd, scores, whole, before.file, shown))
    return tuple(images)


def variants_of(pipeline: "DiffusionPipeline", donor: str) -> dict[str, Variant]:
    """By part, what puts it in; without residual branches where these are whole transformer blocks.

    Raises:
        ImpossibleError: its attention is of a kind that is not known.
    """
    from dominance.probes.branches import residual_branches
    from dominance.probes.sites import attention_sites

    with asked_of_model():
        layers = [site.layer for site in attention_sites(pipeline)]
        branches = [branch.number for branch in residual_branches(pipeline) if branch.kind == "convolutions"]
    edits = {PREDICTION: Patch(prediction=True, donor=donor), ATTENTION: Patch(layers, donor=donor)}
    edits[FEED_FORWARD] = Patch(feed_forwards=layers, donor=donor)
    if branches:
        edits[RESIDUAL] = Patch(residuals=branches, donor=donor)
    ends = [round(len(layers) * part / 3) for part in range(4)]
    for name, first, last in zip(BY_THIRD, ends, ends[1:], strict=False):
        if first < last:
            edits[name] = Patch(layers[first:last], donor=donor)
    return {name: Variant(name, edit, None) for name, edit in edits.items()}
