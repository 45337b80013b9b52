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
    return Conditions(settings.steps, _why_unguided(denoiser, settings.guidance), _backend(denoiser.get("_class_name")))


def _backend(family: object) -> Backend | None:
    from dominance.probes.sites import reads_by_cross_attention

    by_attention = reads_by_cross_attention(str(family))
    return None if by_attention is None else "attention" if by_attention else "predictions"


def _why_unguided(denoiser: Mapping[str, Any], guidance: float) -> str | None:
    if guidance <= 1:
        return f"guidance is {guidance:g}, so there is none to switch off"
    if denoiser.get("time_cond_proj_dim") is not None:  # LCM: told a scale with the time, in a single branch
        return "the model's guidance is distilled into its weights, so there is none to switch off"
    return None


def check_acts(pipeline: "DiffusionPipeline", plans: Sequence[Plan]) -> None:
    """Raises an InputError where the pipeline's running call leaves plans no step, or no guidance to switch off."""
    from dominance.probes.sites import denoiser_of
    from dominance.runs.stages.steering import steps_of

    family = type(denoiser_of(pipeline)).__name__
    on = Conditions(steps_of(pipeline), _why_unguided_now(pipeline), _backend(family))
    for plan in plans:
        why = plan.why_idle(on)
        if why is not None and plan.unguided is not None:
            raise InputError(f"the method unguided would change nothing: {why}; give more guidance, or another method")
        if why is not None:
            raise InputError(f"the method regions would change nothing: {why}; give an earlier since or a later until")


def _why_unguided_now(pipeline: "DiffusionPipeline") -> str | None:
    from dominance.models.calls import takes_guidance
    from dominance.models.denoiser import denoiser_config
    from dominance.probes.interception import running_option
    from dominance.probes.sites import denoiser_of

    scale, second = (running_option(denoiser_of(pipeline), name) for name in ("guidance_scale", "true_cfg_scale"))
    if isinstance(second, int | float) and second > 1:
        return None
    denoiser = denoiser_config(pipeline)
    if isinstance(scale, int | float) and not takes_guidance(type(pipeline), denoiser, pipeline.config):
        scale = 1
    return _why_unguided(denoiser, scale) if isinstance(scale, int | float) else None
