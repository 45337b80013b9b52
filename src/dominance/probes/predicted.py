"""The picture that a denoiser predicts in the middle of a call: what comes out if the rest of the noise is taken away.

``x₀ = (z − σ ε) / α`` of what the scheduler was given, by the kind of prediction that the model makes.
"""

import contextlib
import inspect
from collections.abc import Callable, Generator
from typing import Any, cast

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from dominance.errors import InputError, ModelError
from dominance.probes.passing import called_through

_NOISED = "TCDScheduler"
"""The scheduler whose second result is no prediction, but that noised again."""


class Predicted:
    """What the last step of a scheduler predicts.

    Source: Song, Meng & Ermon (2021), equation 12, for models of noise; Salimans & Ho (2022) for those of velocity;
    Lipman et al. (2023) for flows.
    """

    def __init__(self, pipeline: DiffusionPipeline) -> None:
        self._pipeline = cast(Any, pipeline)
        self._scheduler = self._pipeline.scheduler
        self._given: tuple[Tensor, Any, Tensor] | None = None
        self._told: Tensor | None = None

    def keep(self, output: Tensor, timestep: Any, sample: Tensor, made: Any) -> None:
        """Keeps what a step was given, and what it says itself of the picture, where it does."""
        self._given = (output, timestep, sample)
        told = made[1] if isinstance(made, tuple) and len(made) > 1 else getattr(made, "pred_original_sample", None)
        if type(self._scheduler).__name__ == _NOISED:
            told = None
        self._told = told if isinstance(told, Tensor) and told.shape == sample.shape else None

    def latents(self) -> Float[Tensor, "image ..."]:
        """The predicted latents of the last step.

        Raises:
            InputError: the pipeline's scheduler is not the one that is followed.
            ModelError: no step was taken, or a scheduler whose noise is not known.
        """
        if self._pipeline.scheduler is not self._scheduler:
            raise InputError(
                f"the pipeline's scheduler was set to {type(self._pipeline.scheduler).__name__} in the block, so its"
                " predicted picture cannot be seen; set the scheduler before the block"
            )
        if self._told is not None:
            return self._told
        if self._given is None:
            raise ModelError("the pipeline took no step through its scheduler, so no predicted picture can be seen")
        output, timestep, sample = self._given
        output = output[:, : sample.shape[1]]  # PixArt predicts variances, too
        signal, noise = self._shares(timestep)
        kind = self._scheduler.config.get("prediction_type", "epsilon")
        if self._flows:
            return sample - noise * output
        if kind == "sample":
            return output
        return signal * sample - noise * output if kind == "v_prediction" else (sample - noise * output) / signal

    @property
    def _flows(self) -> bool:
        config = self._scheduler.config
        kind = config.get("prediction_type")
        return (
            not hasattr(self._scheduler, "alphas_cumprod")
            or kind == "flow_prediction"
            or bool(config.get("use_flow_sigmas"))
        )

    def _shares(self, timestep: Any) -> tuple[float, float]:
        """α and σ of the latents that the last step was given."""
        scheduler = self._scheduler
        sigmas, split = getattr(scheduler, "sigmas", None), getattr(scheduler, "_sigma_to_alpha_sigma_t", None)
        if sigmas is not None and scheduler.step_index and (self._flows or split is not None):
            sigma = sigmas[scheduler.step_index - 1]
            alpha, sigma = (1.0, sigma) if self._flows or split is None else split(sigma)
            return float(alpha), float(sigma)
        powers = getattr(scheduler, "alphas_cumprod", None)
        if powers is None:
            raise ModelError(
                f"{type(scheduler).__name__} does not say how much noise its latents hold, so no predicted picture can"
                " be seen; give another --scheduler"
            )
        power = float(powers[int(torch.as_tensor(timestep).reshape(-1)[0])])
        return power**0.5, (1 - power) ** 0.5


@contextlib.contextmanager
def predictions(pipeline: DiffusionPipeline) -> Generator[Predicted]:
    """Follows the steps of a pipeline's scheduler, which does what it does without; nothing is left behind."""
    seen = Predicted(pipeline)

    def step(run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = inspect.signature(run).bind(*args, **kwargs).arguments
        made = run(*args, **kwargs)
        seen.keep(given["model_output"], given["timestep"], given["sample"], made)
        return made

    with called_through(cast(Any, pipeline).scheduler, step, "step"):
        yield seen


def decoded(
    pipeline: DiffusionPipeline, latents: Float[Tensor, "image ..."], height: int | None, width: int | None
) -> Float[np.ndarray, "image row column channel"]:
    """Latents as pictures from 0 to 1, as the pipeline itself decodes those of its last step.

    Args:
        height, width: that the call was given, in pixels; FLUX's latents do not say.
    """
    pipe = cast(Any, pipeline)
    vae = pipe.vae
    if latents.ndim == 3:  # FLUX packs its latents
        usual = getattr(pipe, "default_sample_size", 128) * pipe.vae_scale_factor
        latents = pipe._unpack_latents(latents, height or usual, width or usual, pipe.vae_scale_factor)
    with torch.no_grad(), _precise(pipe):
        scaled = _unscaled(vae, latents.to(vae.dtype))
        made = vae.decode(scaled, return_dict=False)[0]
        return pipe.image_processor.postprocess(made.detach(), output_type="np")


def _unscaled(vae: Any, latents: Tensor) -> Tensor:
    """The latents as the autoencoder wrote them."""
    config = vae.config
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    if mean is not None and deviation is not None:
        mean, deviation = (torch.tensor(values).view(1, -1, 1, 1).to(latents) for values in (mean, deviation))
        return latents * deviation / config.scaling_factor + mean
    return latents / config.scaling_factor + (config.get("shift_factor") or 0.0)


@contextlib.contextmanager
def _precise(pipe: Any) -> Generator[None]:
    """An autoencoder that overflows in half precision decodes in full, as SDXL's pipeline has it."""
    vae = pipe.vae
    if vae.dtype != torch.float16 or not vae.config.get("force_upcast"):
        yield
        return
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(torch.float16)
