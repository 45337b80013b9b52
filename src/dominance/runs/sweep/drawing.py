"""Draws images of many cells: in shared batches from one loaded model, or model by model."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dominance.errors import ItemError
from dominance.models.settings import GenerationSettings
from dominance.progress import Progress
from dominance.runs.stages.drawing import make_images
from dominance.runs.stages.model import RunModel
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import PlannedImage
from dominance.runs.sweep.cells import Cell, Grid

if TYPE_CHECKING:
    from PIL import Image

    from dominance.models.image_model import PipelineModel


def draw_by_model(
    missing: Sequence[PlannedImage],
    grid: Grid,
    cells: Mapping[str, Cell],
    base: RunModel,
    ledger: Ledger,
    folder: Path,
) -> None:
    """Draws the images of cells that have models of their own: one model after the other, each loaded once.

    Args:
        cells: of each planned image, by its item.
        base: with the settings of all cells.
    """
    parts = {cell: [image for image in missing if cells[image.item] == cell] for cell in grid.cells}
    with Progress("models", total=sum(map(bool, parts.values())), each="a model") as progress:
        for cell, images in parts.items():
            if images:
                model = base if cell.is_base else base.another(grid.source(cell))
                make_images(images, model.draws(), base.settings, ledger, folder, model.batches())
                model.set_aside()
                progress.advance()


@dataclass(frozen=True)
class CellDrawer:
    """Loads the model with all adapters.

    Attributes:
        cells: of each planned image, by its item.
    """

    model: RunModel
    grid: Grid
    cells: Mapping[str, Cell]

    def __call__(self) -> "CellModel":
        return CellModel(self.model(), self.grid, self.cells)


class CellModel:
    """A loaded model whose adapters act in each image as its cell says.

    Args:
        cells: of each planned image, by its item.
    """

    def __init__(self, model: "PipelineModel", grid: Grid, cells: Mapping[str, Cell]) -> None:
        from dominance.models.adapter_dial import AdapterDial
        from dominance.models.adapter_loading import loaded_name

        self._model, self._grid, self._cells = model, grid, cells
        self._dial = AdapterDial(model.pipeline)
        self._names = {adapter.identity: loaded_name(index) for index, adapter in enumerate(grid.adapters)}

    def draw(self, planned: Sequence[PlannedImage], settings: GenerationSettings) -> "list[Image.Image | ItemError]":
        """One image of each, all with the same settings but for the adapters.

        Images whose adapters are added in the other order are drawn by themselves.
        """
        parts = itertools.groupby(planned, key=lambda image: self._cells[image.item].swapped)
        return [image for _, part in parts for image in self._together(list(part), settings)]

    def _together(
        self, planned: Sequence[PlannedImage], settings: GenerationSettings
    ) -> "list[Image.Image | ItemError]":
        acting = [
            {self._names[a.identity]: (a.given.strength, a.given.start) for a in self._grid.added[cell.name]}
            for cell in (self._cells[image.item] for image in planned)
        ]
        with self._dial.acting(acting):
            return self._model.generate([p.text for p in planned], [p.seed or 0 for p in planned], settings)

    def record(self, planned: PlannedImage, settings: GenerationSettings) -> dict[str, object]:
        """The settings of one image."""
        added = self._grid.added[self._cells[planned.item].name]
        return replace(settings, adapters=tuple(adapter.recorded for adapter in added)).record()
