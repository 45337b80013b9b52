"""The stage that draws and judges edited images; variants of one image share a batch."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from PIL import Image

from dominance.errors import ItemError
from dominance.judges.protocol import Judge
from dominance.models.image_model import PipelineModel
from dominance.models.settings import GenerationSettings
from dominance.probes.ablation import Ablation, ablate
from dominance.probes.rebalancing import Rebalancing, rebalance
from dominance.probes.sharing import shared_forwards
from dominance.records import Prompt, ScoredImage
from dominance.runs.ablation.variants import Variant
from dominance.runs.audit.result import scored_images
from dominance.runs.stages.drawing import make_planned, missing_images
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan, PlannedImage, item_key


@dataclass(frozen=True)
class Trial:
    """One image of a prompt under one variant."""

    prompt: Prompt
    seed: int
    variant: Variant


class DrawsVariants(Protocol):
    """What the stage needs of a model; ``VariantModel`` is one."""

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], variants: Sequence[Variant], settings: GenerationSettings
    ) -> list[Image.Image | ItemError]: ...


@dataclass(frozen=True)
class VariantModel:
    """A pipeline that draws each image of a batch with its own edit.

    Images of one prompt and seed share all steps before the first edited one. Within that step nothing is shared: it
    would save less than one forward pass per image.
    """

    model: PipelineModel

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], variants: Sequence[Variant], settings: GenerationSettings
    ) -> list[Image.Image | ItemError]:
        """One image for every text, seed and variant, or the reason why it failed."""
        pipeline = self.model.pipeline
        ablations = [v.edit if isinstance(v.edit, Ablation) else None for v in variants]
        balances = [v.edit if isinstance(v.edit, Rebalancing) else None for v in variants]
        alike, starts = list(zip(texts, seeds, strict=True)), [v.start for v in variants]
        with contextlib.ExitStack() as edits:
            if any(ablations):
                edits.enter_context(ablate(pipeline, each=ablations))
            if any(balances):
                edits.enter_context(rebalance(pipeline, each=balances))
            if max(starts) > 0 and len(set(alike)) < len(alike):
                edits.enter_context(shared_forwards(pipeline, alike, starts))
            return self.model.generate(texts, seeds, settings)


@dataclass(frozen=True)
class PlannedTrial(PlannedImage):
    """A trial's image; ``variant`` is always given."""

    variant: Variant | None = None


@dataclass(frozen=True)
class TrialModel:
    """Draws the images of trials."""

    model: DrawsVariants

    def draw(self, planned: Sequence[PlannedImage], settings: GenerationSettings) -> list[Image.Image | ItemError]:
        texts, seeds = [trial.text for trial in planned], [trial.seed or 0 for trial in planned]
        return self.model.generate(texts, seeds, [_variant(trial) for trial in planned], settings)

    def record(self, planned: PlannedImage, settings: GenerationSettings) -> dict[str, object]:
        """The settings of one image, and its edit."""
        return {**settings.record(), "edit": _variant(planned).edit.record()}


def _variant(planned: PlannedImage) -> Variant:
    if not isinstance(planned, PlannedTrial) or planned.variant is None:
        raise TypeError(f"the image {planned.name} is no trial's")
    return planned.variant


@dataclass(frozen=True)
class TrialDrawer:
    """Loads the model that draws trials."""

    model: RunModel
    variants: Callable[[PipelineModel], DrawsVariants]

    def __call__(self) -> TrialModel:
        return TrialModel(self.variants(self.model()))


class TrialStage:
    """Draws and judges trials into a run folder, each image once.

    Args:
        plan: of the unedited images; its questions apply to the edited ones too.
        model: loaded when something is missing.
        variants: wraps the loaded model so that it draws with edits.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        folder: Path,
        judge: Judge,
        model: RunModel,
        variants: Callable[[PipelineModel], DrawsVariants] = VariantModel,
    ) -> None:
        self._plan, self._ledger, self._folder, self._judge = plan, ledger, folder, judge
        self._model, self._variants = model, variants
        self.scored: dict[tuple[str, str], ScoredImage] = {}

    def run(self, name: str, trials: Sequence[Trial]) -> list[ScoredImage]:
        """Makes and judges what is missing; returns one scored image per trial, in order.

        Args:
            name: of the progress bar.
        """
        planned = [self._planned(trial) for trial in trials]
        missing = {image.item: image for image in missing_images(planned, self._ledger, self._folder)}
        if missing:
            self._ledger.forget_images(missing)
            drawn = self._model.draws_by(TrialDrawer(self._model, self._variants))
            # Variants of one image are neighbours, so that they share the steps before their edits.
            to_make = sorted(
                (image for image in planned if missing.pop(image.item, None) is not None),
                key=lambda image: (image.text, image.seed or 0, _variant(image).start),
            )
            settings, batches = self._model.settings, self._model.batches()
            make_planned(to_make, drawn, settings, self._ledger, self._folder, batches, name)
        plan = replace(self._plan, images=tuple(planned))
        waiting = unanswered(plan, self._ledger, self._folder)
        if waiting:
            ask_judge(waiting, plan, self._judge, self._ledger, crew=self._model.crew)
        by_prompt = {prompt: iter(images) for prompt, images in scored_images(plan, self._ledger).items()}
        scored = [next(by_prompt[trial.prompt.id]) for trial in trials]
        self.scored |= {(image.prompt_id, image.name): image for image in scored}
        return scored

    def _planned(self, trial: Trial) -> PlannedTrial:
        own = self._model.settings.of(trial.prompt)
        settings = {**own.record(), "edit": trial.variant.edit.record()}
        item = item_key(trial.prompt.text, trial.seed, self._model.source.identity, settings)
        file = f"images/{trial.prompt.id}/{trial.seed}-{item[:8]}.png"
        name = f"{trial.seed} {trial.variant.label} {item[:8]}"
        text, avoided = trial.prompt.text, own.negative_prompt
        return PlannedTrial(item, trial.prompt.id, text, name, trial.seed, file, avoided, trial.variant)
