"""Finds the layers that put a word where its thing is, and keeps what was found for the methods that need it."""

from typing import TYPE_CHECKING

from dominance.errors import InputError
from dominance.runs.localisation.options import LocaliseOptions
from dominance.runs.stages.localisation import FEWEST_STEPS, Localisation, keep, measure_localisation
from dominance.runs.stages.model import RunModel

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def localise(
    model: "str | DiffusionPipeline" = "miniature",
    options: LocaliseOptions | None = None,
) -> Localisation:
    """Measures which attention layers put a word where its thing is, step by step, and keeps it where methods look.

    The model draws single things. Where each lies is found without a detector, from what the denoiser predicts with and
    without the prompt. The halves of two pictures around their subjects, side by side, are noised and denoised once
    with a prompt that names both. Methods that need to know where concepts lie take the layer that is right most often.

    Args:
        model: a name, a diffusers folder, a hub id, or the caller's own pipeline.

    Raises:
        InputError: the model or an option cannot be used; nothing is written.
        ModelError: the model's attention cannot be seen, or its pictures of single things show no subject.
    """
    options = options or LocaliseOptions()
    steps = options.drawing.steps
    if steps is not None and steps < FEWEST_STEPS:
        raise InputError(
            f"steps is {steps}, and localising looks at the first 40% of them, where fewer than {FEWEST_STEPS} tell"
            " nothing apart; give more, or leave out --steps"
        )
    drawn = RunModel(model, options.drawing, options.machine)
    found = measure_localisation(drawn.source, drawn.settings, drawn().pipeline, options.seed)
    keep(found)
    return found
