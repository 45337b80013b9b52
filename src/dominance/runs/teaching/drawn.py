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


def draw_prior(caption: str, count: int, model: RunModel, ledger: Ledger, folder: Path) -> tuple[TrainingPicture, ...]:
    """So many pictures of the caption by the model as it is; those that are there are not drawn again.

    Raises:
        RunError: one could not be drawn; the others are kept.
    """
    images = _drawn([Prompt(PRIOR, caption, ())], range(count), model, ledger, folder)
    if lost := missing_images(images, ledger, folder):
        why = ledger.failures().get(lost[0].item, "unknown")
        raise RunError(f"{len(lost)} of {count} prior pictures could not be drawn: {why}; run the command again")
    return tuple(TrainingPicture(folder / image.file, caption) for image in images)


def draw_samples(
    prompts: Sequence[str], seeds: Sequence[int], model: RunModel, ledger: Ledger, folder: Path
) -> tuple[Sample, ...]:
    """An image for each prompt and seed; those that could not be drawn are left out."""
    named = [Prompt(f"samples-{number + 1}", text, ()) for number, text in enumerate(prompts)]
    images = _drawn(named, seeds, model, ledger, folder)
    rows = ledger.images()
    return tuple(Sample(image.text, image.seed or 0, rows[image.item].file) for image in images if image.item in rows)


def _drawn(
    prompts: Sequence[Prompt], seeds: Sequence[int], model: RunModel, ledger: Ledger, folder: Path
) -> tuple[PlannedImage, ...]:
    images = plan_images(Suite("drawn", tuple(prompts)), seeds, model.source.identity, model.settings)
    if missing := missing_images(images, ledger, folder):
        ledger.forget_images(image.item for image in missing)
        make_images(missing, model.draws(), model.settings, ledger, folder, model.batches())
    return images
