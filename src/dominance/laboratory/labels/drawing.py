"""Draws the pictures that are labelled, each maker's at once."""

from collections.abc import Sequence
from pathlib import Path

from dominance.errors import ItemError, RunError
from dominance.laboratory.labels.broken_off import broken_off
from dominance.laboratory.labels.makers import Maker
from dominance.laboratory.labels.plan import Planned
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.pictures import is_whole, write_png
from dominance.progress import Progress
from dominance.runs.stages.model import RunModel

_AT_ONCE = 32


def picture_file(folder: Path, number: int) -> Path:
    """Where a picture lies."""
    return folder / "pictures" / f"{number:04d}.png"


def draw_pictures(planned: Sequence[Planned], folder: Path, device: str) -> None:
    """Draws what is missing; trains the adapters that do not ship.

    Raises:
        RunError: a picture could not be drawn, or the disk refuses.
    """
    missing = [picture for picture in planned if not is_whole(picture_file(folder, picture.number))]
    by_maker: dict[str, list[Planned]] = {}
    for picture in missing:
        by_maker.setdefault(picture.maker.name, []).append(picture)
    with Progress("pictures", total=len(missing), each="a picture") as progress:
        for own in by_maker.values():
            _draw(own, _model(own[0].maker, folder, device), folder, progress)


def _model(maker: Maker, folder: Path, device: str) -> RunModel:
    adapters: tuple[str, ...] = ()
    if maker.adapter is not None:
        ships = maker.group != "under-trained"
        where = maker.adapter if ships else str(broken_off(maker, folder / "broken-off", device))
        adapters = (f"{where}:{maker.strength:g}",)
    return RunModel(maker.model, Drawing(steps=maker.steps, adapters=adapters), Machine(device))


def steps_of(maker: Maker) -> int:
    """The denoising steps of its pictures."""
    return Drawing(steps=maker.steps).settings(find_model(maker.model)).steps


def _draw(own: Sequence[Planned], model: RunModel, folder: Path, progress: Progress) -> None:
    for start in range(0, len(own), _AT_ONCE):
        part = own[start : start + _AT_ONCE]
        texts, seeds = [picture.text for picture in part], [picture.noise for picture in part]
        for picture, drawn in zip(part, model().generate(texts, seeds, model.settings), strict=True):
            if isinstance(drawn, ItemError):
                raise RunError(f"{picture.maker.name} drew nothing for {picture.text!r}: {drawn}")
            write_png(picture_file(folder, picture.number), drawn)
            progress.advance()
