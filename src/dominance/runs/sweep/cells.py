"""The cells of a sweep: which adapters act in each, how strongly, and from which step on."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dominance.errors import InputError, ModelError
from dominance.files import is_file, is_folder
from dominance.models.adapted import AdaptedModel, family_of
from dominance.models.adapters import Adapter, FoundAdapter, find_adapter
from dominance.models.folders import ModelFolder, find_model
from dominance.runs.sweep.options import SweepOptions
from dominance.wording import on_one_line

BASE = "base"
CHECKPOINTS = "checkpoints"
"""The folder of a training's checkpoints in its run folder."""
_STEP = re.compile(r"(\d+)(?=\D*$)")


@dataclass(frozen=True)
class Cell:
    """One cell of the grid; the cell without any adapter is the base.

    Attributes:
        name: unique in the sweep.
        strengths: of each adapter, in the order in which they are given; none in the base.
        start: share of the steps after which they act; None in the base.
        checkpoint: the adapter's checkpoint; None where there is one adapter, or none.
        swapped: whether the two adapters are added in the other order, as a control.
        model: path of the cell's own model, where checkpoints are whole models; its strength is then 1.
        adapter: path of the cell's own adapter, where checkpoints are adapters.
    """

    name: str
    strengths: tuple[float, ...] = ()
    start: float | None = None
    checkpoint: str | None = None
    swapped: bool = False
    model: str | None = None
    adapter: str | None = None

    @property
    def is_base(self) -> bool:
        """Whether nothing is added to the model."""
        return not self.strengths

    @property
    def acts(self) -> bool:
        """Whether every adapter of the sweep changes something."""
        return bool(self.strengths) and all(self.strengths)


@dataclass(frozen=True)
class Grid:
    """The cells, and what each adds to the base.

    Attributes:
        adapters: all of them, as they are loaded.
        added: by the cell's name, what acts in it.
        models: by the cell's name, its own model, where checkpoints are whole models.
    """

    base: ModelFolder
    adapters: tuple[FoundAdapter, ...]
    cells: tuple[Cell, ...]
    added: Mapping[str, tuple[FoundAdapter, ...]] = field(default_factory=dict)
    models: Mapping[str, ModelFolder] = field(default_factory=dict)

    def source(self, cell: Cell) -> ModelFolder | AdaptedModel:
        """The model of a cell, identified as an audit of it would be."""
        added = self.added.get(cell.name, ())
        return AdaptedModel(self.base, added) if added else self.models.get(cell.name, self.base)

    @property
    def added_to_base(self) -> tuple[tuple[Path, str], ...]:
        """Where each adapter, or each checkpoint that is a whole model, is; and what identifies it."""
        own = tuple((model.path, model.identity) for model in self.models.values())
        return (*((Path(adapter.given.where), adapter.identity) for adapter in self.adapters), *own)

    def loaded(self) -> ModelFolder | AdaptedModel:
        """The model with all adapters, from which every cell is drawn that has no model of its own."""
        return AdaptedModel(self.base, self.adapters) if self.adapters else self.base


def find_grid(base: ModelFolder, options: SweepOptions) -> Grid:
    """The cells that the options ask for; the base comes first, and once.

    Raises:
        InputError: no adapter, or none that has a strength; strengths or starts of whole models.
        ModelError: an adapter or a checkpoint that does not exist, or is of another family of models.
    """
    options.check_adapters()
    if options.checkpoints is not None:
        checkpoints = _checkpoints(options.checkpoints)
        if all(_is_model(path) for path in checkpoints.values()):
            return _of_models(base, checkpoints, options)
        named = {name: (find_adapter(Adapter(str(path))),) for name, path in checkpoints.items()}
    else:
        named = {"": tuple(find_adapter(Adapter(text)) for text in options.drawing.adapters)}
    adapters = tuple({adapter.identity: adapter for listed in named.values() for adapter in listed}.values())
    _check_kinds(adapters, 1 if options.checkpoints is not None else len(options.drawing.adapters))
    cells: dict[tuple[object, ...], Cell] = {}
    added: dict[str, tuple[FoundAdapter, ...]] = {}
    for checkpoint, listed in named.items():
        for strengths in itertools.product(options.values, repeat=len(listed)):
            for start in options.starts:
                acting = _acting(listed, strengths, start)
                key = tuple((adapter.identity, str(adapter.given.numbers)) for adapter in acting)
                if key in cells:
                    continue
                cells[key] = _cell(checkpoint, listed, strengths, start, options) if acting else Cell(BASE)
                added[cells[key].name] = acting
    if not any(not cell.is_base for cell in cells.values()):
        raise InputError("every cell is the model without its adapter; give --strengths other than 0, --starts below 1")
    ordered = sorted(cells.values(), key=lambda cell: not cell.is_base)
    if len(adapters) == 2 and options.checkpoints is None:
        ordered += _control(ordered, added)
    return Grid(base, adapters, tuple(ordered), added)


def _of_models(base: ModelFolder, checkpoints: Mapping[str, Path], options: SweepOptions) -> Grid:
    """The base, and each checkpoint that is a whole model."""
    for name, given, usual in (("strengths", options.values, {0.0, 1.0}), ("starts", options.starts, {0.0})):
        if not {*given} <= usual or 1.0 not in options.values:
            raise InputError(
                f"{on_one_line(options.checkpoints or '', 120)} holds whole models, which have no {name}, as adapters"
                f" do; leave out --{name}"
            )
    cells, models = [Cell(BASE)], dict[str, ModelFolder]()
    for name, path in checkpoints.items():
        models[name] = find_model(str(path))
        _check_family(models[name], base)
        cells.append(Cell(name, (1.0,), 0.0, name, model=str(path)))
    return Grid(base, (), tuple(cells), models=models)


def _check_family(model: ModelFolder, base: ModelFolder) -> None:
    own, wanted = family_of(model.path), family_of(base.path)
    if own != wanted:
        raise ModelError(
            f"the checkpoint {on_one_line(model.name, 120)} is {own[0]}, and the model {base.name[:80]!r} is"
            f" {wanted[0]}; give as --model the one that was trained"
        )


def _check_kinds(adapters: Sequence[FoundAdapter], least: int) -> None:
    for adapter in adapters:
        if adapter.is_embedding:
            raise InputError(
                f"the adapter {adapter.name!r} is a textual inversion embedding, which has no strength; give a LoRA"
            )
    if len(adapters) < least:
        raise InputError(f"the adapter {adapters[0].name!r} is given twice; give two different ones")


def _acting(listed: Sequence[FoundAdapter], strengths: Sequence[float], start: float) -> tuple[FoundAdapter, ...]:
    """The adapters that change anything, with their numbers."""
    if start == 1:
        return ()
    pairs = zip(listed, strengths, strict=True)
    return tuple(replace(a, given=Adapter(a.given.where, strength, start)) for a, strength in pairs if strength)


def _cell(
    checkpoint: str, listed: Sequence[FoundAdapter], strengths: Sequence[float], start: float, options: SweepOptions
) -> Cell:
    parts = [checkpoint] if checkpoint else []
    if not checkpoint or len([value for value in options.values if value]) > 1:
        parts.append(" + ".join(f"{strength:g}" for strength in strengths))
    if len(options.starts) > 1:
        parts[-1] += f"@{start:g}"
    own = listed[0].given.where if checkpoint else None
    return Cell(" ".join(parts), tuple(strengths), start, checkpoint or None, adapter=own)


def _control(cells: Sequence[Cell], added: dict[str, tuple[FoundAdapter, ...]]) -> list[Cell]:
    """The strongest cell in which both adapters act, with the adapters added in the other order."""
    both = [cell for cell in cells if len(added[cell.name]) == 2]
    if not both:
        return []
    strongest = max(both, key=lambda cell: (sum(cell.strengths), -(cell.start or 0)))
    control = replace(strongest, name=f"{strongest.name}, added in the other order", swapped=True)
    added[control.name] = added[strongest.name][::-1]
    return [control]


def _checkpoints(folder: Path) -> dict[str, Path]:
    """Each checkpoint by its name, in the order of the last numbers in their names: ``step-000040`` is step 40.

    Adapters, or else whole models.

    Raises:
        InputError: there is no such folder, or it holds no checkpoint.
    """
    shown = on_one_line(folder, 120)
    if not is_folder(folder):
        raise InputError(
            f"there is no folder {shown}; give --checkpoints the folder that holds an adapter's checkpoints"
        )
    place = folder / CHECKPOINTS if is_folder(folder / CHECKPOINTS) else folder
    if _is_model(place):
        raise InputError(
            f"{shown} is one whole model, not its checkpoints; give --checkpoints the folder that it is in"
        )
    listed = [path for path in sorted(place.iterdir()) if not path.name.startswith(".")]
    found = [path for path in listed if _is_adapter(path)] or [path for path in listed if _is_model(path)]
    if not found:
        raise InputError(
            f"{shown} holds no checkpoint; each is a .safetensors file, a folder with one, or a whole model's folder"
        )
    return {_name(path, found): path for path in sorted(found, key=_order)}


def _is_model(path: Path) -> bool:
    return is_file(path / "model_index.json")


def _is_adapter(path: Path) -> bool:
    if is_folder(path):
        return not _is_model(path) and any(path.glob("*.safetensors"))
    return path.suffix.lower() == ".safetensors"


def _order(path: Path) -> tuple[bool, int, str]:
    return order_of(path.stem if is_file(path) else path.name)


def order_of(name: str) -> tuple[bool, int, str]:
    """Where a checkpoint comes: by its number; one without a number, such as kohya's last file, is the last."""
    number = _STEP.search(name)
    return (number is None, int(number[1]) if number else 0, name)


def _name(path: Path, found: Sequence[Path]) -> str:
    stem = path.stem if is_file(path) else path.name
    number = _STEP.search(stem)
    if number is None:
        return "last" if len([other for other in found if _order(other)[0]]) == 1 else stem
    same = [other for other in found if _order(other)[:2] == _order(path)[:2]]
    kind = "epoch" if is_file(path) and not re.search(r"step", stem) else "step"
    return f"{kind} {int(number[1])}" if len(same) == 1 else stem
