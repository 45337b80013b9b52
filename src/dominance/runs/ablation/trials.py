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
from dominance.pictures import write_png
from dominance.probes.ablation import Ablation, ablate
from dominance.probes.rebalancing import Rebalancing, rebalance
from dominance.probes.sharing import shared_forwards
from dominance.progress import Progress
from dominance.records import Prompt, ScoredImage
from dominance.runs.ablation.variants import Variant
from dominance.runs.audit.result import scored_images
from dominance.runs.stages.batches import alike_batches
from dominance.runs.stages.drawing import in_halves, missing_images
from dominance.runs.stages.judging import ask_judge, unanswered
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import ImageRow, Ledger
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
        missing = {image.item for image in missing_images(planned, self._ledger, self._folder)}
        wanted = {image.item: (trial, image) for trial, image in zip(trials, planned, strict=True)}
        to_make = [pair for item, pair in wanted.items() if item in missing]
        if to_make:
            self._ledger.forget_images(missing)
            # Variants of one image are neighbours, so that they share the steps before their edits.
            to_make.sort(
                key=lambda pair: (pair[1].negative_prompt or "", pair[1].text, pair[0].seed, pair[0].variant.start)
            )
            self._make(name, to_make)
        plan = replace(self._plan, images=tuple(planned))
        waiting = unanswered(plan, self._ledger, self._folder)
        if waiting:
            ask_judge(waiting, plan, self._judge, self._ledger)
        by_prompt = {prompt: iter(images) for prompt, images in scored_images(plan, self._ledger).items()}
        scored = [next(by_prompt[trial.prompt.id]) for trial in trials]
        self.scored |= {(image.prompt_id, image.name): image for image in scored}
        return scored

    def _planned(self, trial: Trial) -> PlannedImage:
        item = item_key(trial.prompt.text, trial.seed, self._model.source.identity, self._image_settings(trial))
        file = f"images/{trial.prompt.id}/{trial.seed}-{item[:8]}.png"
        name = f"{trial.seed} {trial.variant.label} {item[:8]}"
        avoided = self._model.settings.of(trial.prompt).negative_prompt
        return PlannedImage(item, trial.prompt.id, trial.prompt.text, name, trial.seed, file, avoided)

    def _image_settings(self, trial: Trial) -> dict[str, object]:
        return {**self._model.settings.of(trial.prompt).record(), "edit": trial.variant.edit.record()}

    def _make(self, name: str, to_make: Sequence[tuple[Trial, PlannedImage]]) -> None:
        model, batch = self._variants(self._model()), self._model.batches().size

        def draw(part: Sequence[tuple[Trial, PlannedImage]]) -> list[Image.Image | ItemError]:
            trials = [trial for trial, _ in part]
            texts, seeds = [trial.prompt.text for trial in trials], [trial.seed for trial in trials]
            settings = self._model.settings.of(trials[0].prompt)
            return model.generate(texts, seeds, [trial.variant for trial in trials], settings)

        with Progress(name, total=len(to_make)) as progress:
            for chunk in alike_batches(to_make, batch, lambda pair: pair[1].negative_prompt):
                for (trial, image), outcome in zip(chunk, in_halves(draw, chunk), strict=True):
                    if isinstance(outcome, ItemError):
                        self._ledger.add_failure(image.item, "image", str(outcome))
                    else:
                        write_png(self._folder / image.file, outcome)
                        settings = self._image_settings(trial)
                        self._ledger.add_image(ImageRow(image.item, image.text, image.seed, image.file, settings))
                    progress.advance()
