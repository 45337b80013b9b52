"""The stage that makes images in batches; each image is written before its ledger row."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from PIL import Image

from dominance.errors import DominanceError, ItemError
from dominance.models.settings import GenerationSettings
from dominance.pictures import is_whole, write_png
from dominance.progress import Progress
from dominance.runs.stages.batches import BatchSize
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import PlannedImage
from dominance.wording import complaint

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Draws(Protocol):
    """What the stage needs of a model; ``models.image_model.PipelineModel`` is one."""

    def generate(
        self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings
    ) -> list[Image.Image | ItemError]: ...


class DrawsPlanned(Protocol):
    """What draws planned images that differ in more than text and seed."""

    def draw(self, planned: Sequence[PlannedImage], settings: GenerationSettings) -> list[Image.Image | ItemError]: ...

    def record(self, planned: PlannedImage, settings: GenerationSettings) -> dict[str, object]:
        """The settings of one image, for the ledger."""
        ...


class _Alike:
    """Draws images that differ in text and seed alone."""

    def __init__(self, model: Draws) -> None:
        self._model = model

    def draw(self, planned: Sequence[PlannedImage], settings: GenerationSettings) -> list[Image.Image | ItemError]:
        return self._model.generate([p.text for p in planned], [p.seed or 0 for p in planned], settings)

    def record(self, planned: PlannedImage, settings: GenerationSettings) -> dict[str, object]:  # noqa: ARG002
        return settings.record()


def missing_images(planned: Sequence[PlannedImage], ledger: Ledger, folder: Path) -> list[PlannedImage]:
    """The images still to be made, each item once: without a row, or with a missing or broken file."""
    rows = ledger.images()
    wanted = {image.item: image for image in planned}
    return [i for item, i in wanted.items() if item not in rows or not is_whole(folder / rows[item].file)]


def make_images(
    missing: Sequence[PlannedImage],
    model: Draws,
    settings: GenerationSettings,
    ledger: Ledger,
    folder: Path,
    batches: BatchSize,
) -> None:
    """Makes the missing images, which differ in text and seed alone; see ``make_planned``."""
    make_planned(missing, _Alike(model), settings, ledger, folder, batches)


def make_planned(
    missing: Sequence[PlannedImage],
    model: DrawsPlanned,
    settings: GenerationSettings,
    ledger: Ledger,
    folder: Path,
    batches: BatchSize,
) -> None:
    """Makes the missing images; a failed image is recorded and the rest continue.

    All images of a batch have the same negative prompt: some text encoders treat an empty one unlike none.

    When memory runs out, this and all later batches are smaller.
    """
    waiting = sorted(missing, key=lambda image: image.negative_prompt or "")
    done = 0
    with Progress("images", total=len(waiting), each="an image") as progress:
        while done < len(waiting):
            avoided = waiting[done].negative_prompt
            chunk = _alike(waiting[done : done + batches.size])
            own = replace(settings, negative_prompt=avoided)
            outcomes = _draw(model, chunk, own, batches)
            if outcomes is None:
                continue
            for planned, outcome in zip(chunk, outcomes, strict=True):
                _keep(planned, outcome, model.record(planned, own), ledger, folder)
                progress.advance()
            done += len(chunk)


def _alike(images: Sequence[PlannedImage]) -> list[PlannedImage]:
    """The leading images that share a negative prompt."""
    return next(list(alike) for _, alike in itertools.groupby(images, key=lambda image: image.negative_prompt))


def _keep(
    planned: PlannedImage, outcome: Image.Image | ItemError, settings: dict[str, object], ledger: Ledger, folder: Path
) -> None:
    if isinstance(outcome, ItemError):
        ledger.add_failure(planned.item, "image", str(outcome))
        return
    write_png(folder / planned.file, outcome)
    ledger.add_image(ImageRow(planned.item, planned.text, planned.seed, planned.file, settings))


class _TooLargeError(DominanceError):
    """A batch of this many images does not fit into memory; no item is to blame."""

    def __init__(self, images: int) -> None:
        super().__init__(f"{images} images at once do not fit into memory")
        self.images = images


def _draw(
    model: DrawsPlanned, chunk: Sequence[PlannedImage], settings: GenerationSettings, batches: BatchSize
) -> list[Image.Image | ItemError] | None:
    """An image or a reason for each item; None if the chunk did not fit and a smaller one must be tried."""

    def draw(part: Sequence[PlannedImage]) -> list[Image.Image | ItemError]:
        try:
            return model.draw(part, settings)
        except (RuntimeError, MemoryError) as error:
            from dominance.models.memory import is_out_of_memory

            if is_out_of_memory(error):
                raise _TooLargeError(len(part)) from None
            raise

    try:
        outcomes = in_halves(draw, chunk)
    except _TooLargeError as refused:
        too_many = refused.images
    else:
        batches.fitted(len(chunk))
        return outcomes
    # The error, whose traceback holds the batch's memory, is released only here, after the except clause.
    from dominance.models.memory import release_memory

    release_memory()
    batches.refused(too_many)
    if len(chunk) > 1:
        return None
    return [ItemError("a single image does not fit into memory; try a smaller --height, --offload or --vae-tiling")]


def in_halves(
    act: Callable[[Sequence[Item]], Sequence[Outcome | ItemError]], items: Sequence[Item]
) -> list[Outcome | ItemError]:
    """Applies ``act`` to all items at once; if that raises, to each half, down to the item to blame.

    Running out of memory then costs only time, and a broken item only itself.

    Raises:
        InputError: from ``act``, because the problem concerns every item.
    """
    outcome = _attempt(act, items)
    if not isinstance(outcome, ItemError):
        return outcome
    if len(items) == 1:
        return [outcome]
    middle = len(items) // 2
    return [*in_halves(act, items[:middle]), *in_halves(act, items[middle:])]


def _attempt(
    act: Callable[[Sequence[Item]], Sequence[Outcome | ItemError]], items: Sequence[Item]
) -> list[Outcome | ItemError] | ItemError:
    """The outcome for all items at once; a returned error has no traceback that would keep the batch in memory."""
    try:
        outcomes = list(act(items))
    except ItemError as error:
        return ItemError(str(error))
    except DominanceError:
        raise
    except Exception as error:  # models and judges may raise anything
        return ItemError(f"{type(error).__name__}: {complaint(error)}")
    if len(outcomes) != len(items):
        return ItemError(f"{len(outcomes)} results came back for {len(items)} items")
    return outcomes
