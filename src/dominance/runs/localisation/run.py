"""Finds the layers that put a word where its thing is, and keeps what was found for the methods that need it."""

from pathlib import Path
from typing import TYPE_CHECKING

from dominance.files import check_writable
from dominance.runs.localisation.options import LocaliseOptions
from dominance.runs.stages.localisation import Localisation, keep, kept_file, measure_localisation
from dominance.runs.stages.model import RunModel

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


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
