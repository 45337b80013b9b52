"""The stage that makes images in batches; each image is written before its ledger row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from PIL import Image

from dominance.errors import DominanceError, ItemError
from dominance.files import write_whole
from dominance.models.settings import GenerationSettings
from dominance.pictures import is_whole, png_bytes
from dominance.progress import Progress
from dominance.runs.engines.crew import Crew
from dominance.runs.engines.supply import Supply
from dominance.runs.engines.work import Ended, Work
from dominance.runs.stages.batches import BatchSize
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import PlannedImage
from dominance.wording import complaint

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_NOT_EVEN_ONE = "a single image does not fit into memory; try a smaller --height, --offload or --vae-tiling"


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


class Alike:
    """Draws images that differ in text and seed alone."""

    def __init__(self, model: Draws) -> None:
        self._model = model

    def draw(self, planned: Sequence[PlannedImage], settings: GenerationSettings) -> list[Image.Image | ItemError]:
        return self._model.generate([p.text for p in planned], [p.seed or 0 for p in planned], settings)

    def record(self, planned: PlannedImage, settings: GenerationSettings) -> dict[str, object]:  # noqa: ARG002
        return settings.record()


@dataclass(frozen=True)
class Made:
    """What came of a batch.

    Attributes:
        images: each as pixels, as the content of its file, as None where its file is written, or why there is none.
        records: the settings of each, for the ledger; empty where there is no image.
        too_many: so many images did not fit into memory, and none was made; None if they did.
        roomy: whether twice as many would fit where they were drawn; None where that was not seen.
    """

    images: Sequence[Image.Image | bytes | ItemError | None] = ()
    records: Sequence[dict[str, object]] = ()
    too_many: int | None = None
    roomy: bool | None = None


@dataclass(frozen=True)
class DrawingTask:
    """A batch, as workers are given it.

    Attributes:
        into: the run folder, where they write the images themselves; None where they send them back.
    """

    images: Sequence[PlannedImage]
    settings: GenerationSettings
    into: Path | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Workers that draw in place of this process.

    Attributes:
        work: has each of them load what draws; gives a function from ``DrawingTask`` to ``Made``.
    """

    crew: Crew
    work: Work


def missing_images(planned: Sequence[PlannedImage], ledger: Ledger, folder: Path) -> list[PlannedImage]:
    """The images still to be made, each item once: without a row, or with a missing or broken file."""
    rows = ledger.images()
    wanted = {image.item: image for image in planned}
    return [i for item, i in wanted.items() if item not in rows or not is_whole(folder / rows[item].file)]


def make_images(
    missing: Sequence[PlannedImage],
    model: Draws | Elsewhere,
    settings: GenerationSettings,
    ledger: Ledger,
    folder: Path,
    batches: BatchSize,
) -> None:
    """Makes the missing images, which differ in text and seed alone; see ``make_planned``."""
    planned = model if isinstance(model, Elsewhere) else Alike(model)
    make_planned(missing, planned, settings, ledger, folder, batches)


def make_planned(
    missing: Sequence[PlannedImage],
    model: DrawsPlanned | Elsewhere,
    settings: GenerationSettings,
    ledger: Ledger,
    folder: Path,
    batches: BatchSize,
    name: str = "images",
) -> None:
    """Makes the missing images; a failed image is recorded and the rest continue.

    All images of a batch have the same negative prompt: some text encoders treat an empty one unlike none.

    When memory runs out, this and all later batches are smaller.

    Args:
        name: of the work, for its progress.
    """
    waiting = sorted(missing, key=lambda image: image.negative_prompt or "")
    workers = model.crew.most() if isinstance(model, Elsewhere) else 1
    supply = Supply(waiting, lambda: batches.size, lambda image: image.negative_prompt, workers)
    crew = model.crew if isinstance(model, Elsewhere) else None
    with Progress(name, total=len(waiting), each="an image") as progress:
        for chunk, made in _batches_made(model, supply, settings, folder):
            if isinstance(made, Ended):
                images: Sequence[Image.Image | bytes | ItemError | None] = [_blamed(made)] * len(chunk)
            elif made.too_many is not None:
                batches.refused(made.too_many)
                if len(chunk) > 1:
                    supply.put_back(chunk)
                    continue
                images = [ItemError(_NOT_EVEN_ONE)]
            else:
                batches.fitted(len(chunk) if len(chunk) < supply.size else batches.size, made.roomy)
                images = made.images
            records = made.records if isinstance(made, Made) and made.records else [{}] * len(chunk)
            pace = None if crew is None else crew.pace()
            for planned, image, record in zip(chunk, images, records, strict=True):
                _keep(planned, image, record, ledger, folder)
                progress.advance(note=pace)


def _batches_made(
    model: DrawsPlanned | Elsewhere, supply: Supply[PlannedImage], settings: GenerationSettings, folder: Path
) -> Iterator[tuple[list[PlannedImage], Made | Ended]]:
    """Every batch with what came of it, drawn here or by workers."""

    def own(chunk: Sequence[PlannedImage]) -> GenerationSettings:
        return replace(settings, negative_prompt=chunk[0].negative_prompt)

    if isinstance(model, Elsewhere):
        into = folder.absolute() if model.crew.place.writes_files else None
        yield from model.crew.carry_out(model.work, supply, lambda chunk: DrawingTask(chunk, own(chunk), into))
        return
    while chunk := supply.take():
        yield chunk, draw_batch(model, chunk, own(chunk))


def _blamed(ended: Ended) -> ItemError:
    return ItemError(f"every worker that drew this image {ended.how}")


def _keep(
    planned: PlannedImage,
    image: Image.Image | bytes | ItemError | None,
    settings: dict[str, object],
    ledger: Ledger,
    folder: Path,
) -> None:
    if isinstance(image, ItemError):
        ledger.add_failure(planned.item, "image", str(image))
        return
    if image is not None:
        write_whole(folder / planned.file, image if isinstance(image, bytes) else png_bytes(image))
    ledger.add_image(ImageRow(planned.item, planned.text, planned.seed, planned.file, settings))


class _TooLargeError(DominanceError):
    """A batch of this many images does not fit into memory; no item is to blame."""

    def __init__(self, images: int) -> None:
        super().__init__(f"{images} images at once do not fit into memory")
        self.images = images


def draw_batch(model: DrawsPlanned, chunk: Sequence[PlannedImage], settings: GenerationSettings) -> Made:
    """Draws a batch; what fails is told apart from what does not fit."""

    def draw(part: Sequence[PlannedImage]) -> list[Image.Image | ItemError]:
        try:
            return model.draw(part, settings)
        except (RuntimeError, MemoryError) as error:
            from dominance.models.memory import is_out_of_memory

            if is_out_of_memory(error):
                raise _TooLargeError(len(part)) from None
            raise

    try:
        images = in_halves(draw, chunk)
    except _TooLargeError as refused:
        too_many = refused.images
    else:
        drawn = zip(chunk, images, strict=True)
        return Made(images, [{} if isinstance(i, ItemError) else model.record(p, settings) for p, i in drawn])
    # The error, whose traceback holds the batch's memory, is released only here, after the except clause.
    from dominance.models.memory import release_memory

    release_memory()
    return Made(too_many=too_many)


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
