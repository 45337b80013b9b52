"""Finds the layers that put a word where its thing is, and keeps what was found for the methods that need it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Group, Parameter

from dominance.errors import InputError
from dominance.files import check_writable
from dominance.models.drawing import Drawing, Machine
from dominance.runs.stages.localisation import Localisation, keep, kept_file, measure_localisation
from dominance.runs.stages.model import RunModel
from dominance.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


@Parameter(name="*", group=Group("Localising", sort_key=15))
@dataclass(frozen=True)
class LocaliseOptions:
    """How to find the layers.

    Raises:
        InputError: a value out of its range.
    """

    seed: int = 0
    """Of the model's own pictures and of the noise on them."""
    drawing: Drawing = field(default_factory=Drawing)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"seed is {self.seed}; give a whole number from 0")
        if self.drawing.seeds is not None:
            raise InputError("localising draws one picture of each of its own nouns; give --seed in place of --seeds")


def localise(
    model: "str | DiffusionPipeline" = "miniature",
    out: Path | str | None = None,
    options: LocaliseOptions | None = None,
) -> Localisation:
    """Measures which attention layers put a word where its thing is, step by step, and keeps the result.

    The model draws single things; middle halves of two of them, side by side, are noised and denoised once with a
    prompt that names both. Methods that need to know where concepts lie take the layer that is right most often.

    Args:
        model: a name, a diffusers folder, a hub id, or the caller's own pipeline.
        out: the file; by default in ``runs/localisations``, where methods look for it.

    Raises:
        InputError: the model or an option cannot be used; nothing is written.
        ModelError: the model's attention cannot be seen.
    """
    options = options or LocaliseOptions()
    drawn = RunModel(model, options.drawing, options.machine)
    file = kept_file(drawn.source.identity) if out is None else Path(out)
    check_writable(file if out is not None else None)
    found = measure_localisation(drawn.source, drawn.settings, drawn().pipeline, options.seed)
    keep(found, file)
    return found
