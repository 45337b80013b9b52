"""What the model itself draws for a fine-tuning: a prior before it, and sample sheets at each checkpoint."""

from collections.abc import Sequence
from pathlib import Path

from dominance.errors import RunError
from dominance.records import Prompt, Suite
from dominance.runs.stages.drawing import make_images, missing_images
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import PlannedImage, plan_images
from dominance.runs.teaching.result import Sample
from dominance.training.dreambooth.pictures import TrainingPicture

PRIOR = "prior"


def planned_prior(caption: str, count: int, model: RunModel) -> tuple[PlannedImage, ...]:
    """The images of a prior that the model draws itself."""
    return _planned([Prompt(PRIOR, caption, ())], range(count), model)


def prior_of(images: Sequence[PlannedImage], caption: str, folder: Path) -> tuple[TrainingPicture, ...]:
    """Drawn images as the pictures of a prior."""
    return tuple(TrainingPicture(folder / image.file, caption) for image in images)


def planned_samples(prompts: Sequence[str], seeds: Sequence[int], model: RunModel) -> tuple[PlannedImage, ...]:
    """The images of a sample sheet."""
    return _planned([Prompt(f"samples-{number + 1}", text, ()) for number, text in enumerate(prompts)], seeds, model)


def draw_prior(caption: str, count: int, model: RunModel, ledger: Ledger, folder: Path) -> tuple[TrainingPicture, ...]:
    """So many pictures of the caption by the model as it is; those that are there are not drawn again.

    Raises:
        RunError: one could not be drawn; the others are kept.
    """
    images = planned_prior(caption, count, model)
    _draw(images, model, ledger, folder)
    if lost := missing_images(images, ledger, folder):
        why = ledger.failures().get(lost[0].item, "unknown")
        raise RunError(f"{len(lost)} of {count} prior pictures could not be drawn: {why}; run the command again")
    return prior_of(images, caption, folder)


def draw_samples(
    prompts: Sequence[str], seeds: Sequence[int], model: RunModel, ledger: Ledger, folder: Path
) -> tuple[Sample, ...]:
    """An image for each prompt and seed; those that could not be drawn are left out."""
    images = planned_samples(prompts, seeds, model)
    _draw(images, model, ledger, folder)
    rows = ledger.images()
    return tuple(Sample(image.text, image.seed or 0, rows[image.item].file) for image in images if image.item in rows)


def _planned(prompts: Sequence[Prompt], seeds: Sequence[int], model: RunModel) -> tuple[PlannedImage, ...]:
    return plan_images(Suite("drawn", tuple(prompts)), seeds, model.source.identity, model.settings)


def _draw(images: Sequence[PlannedImage], model: RunModel, ledger: Ledger, folder: Path) -> None:
    if missing := missing_images(images, ledger, folder):
        ledger.forget_images(image.item for image in missing)
        make_images(missing, model.draws(), model.settings, ledger, folder, model.batches())
