"""What methods meet in the drawing of a model: whether there is guidance to switch off, and where regions act."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dominance.errors import InputError
from dominance.guidance.plan import Backend, Conditions, Plan
from dominance.models.settings import GenerationSettings

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def conditions_of(denoiser: Mapping[str, Any], settings: GenerationSettings) -> Conditions:
    """The conditions of a model whose UNet or transformer has these settings, its class as ``_class_name``."""
    from dominance.probes.sites import reads_by_cross_attention

    by_attention = reads_by_cross_attention(str(denoiser.get("_class_name")))
    backend: Backend | None = None if by_attention is None else "attention" if by_attention else "predictions"
    return Conditions(settings.steps, _why_unguided(denoiser, settings.guidance), backend)


def _why_unguided(denoiser: Mapping[str, Any], guidance: float) -> str | None:
    if guidance <= 1:
        return f"guidance is {guidance:g}, so there is none to switch off"
    if denoiser.get("time_cond_proj_dim") is not None:  # LCM: told a scale with the time, in a single branch
        return "the model's guidance is distilled into its weights, so there is none to switch off"
    return None


def check_guided(pipeline: "DiffusionPipeline", plans: Sequence[Plan]) -> None:
    """Raises an InputError where plans switch off guidance that the pipeline's running call does not have."""
    from dominance.models.calls import takes_guidance
    from dominance.models.denoiser import denoiser_config
    from dominance.probes.interception import running_option
    from dominance.probes.sites import denoiser_of
    from dominance.runs.stages.steering import steps_of

    steps = steps_of(pipeline)
    if not any(plan.unguided is not None and plan.unguided.within(steps) for plan in plans):
        return
    scale, second = (running_option(denoiser_of(pipeline), name) for name in ("guidance_scale", "true_cfg_scale"))
    if isinstance(second, int | float) and second > 1:
        return
    denoiser = denoiser_config(pipeline)
    if isinstance(scale, int | float) and not takes_guidance(type(pipeline), denoiser, pipeline.config):
        scale = 1
    why = _why_unguided(denoiser, scale) if isinstance(scale, int | float) else None
    if why is not None:
        raise InputError(f"the method unguided would change nothing: {why}; give more guidance, or another method")
