"""The loss of models with discrete timesteps: of the noise or of the velocity."""

from collections.abc import Callable
from typing import Any, cast

import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.training_utils import compute_snr
from jaxtyping import Float
from torch import Tensor

from dominance.errors import ModelError
from dominance.training.dreambooth.families.protocol import Noised

Predicts = Callable[[Tensor, Tensor], Tensor]
"""From noisy latents and timesteps to what the denoiser makes of them."""


def noising_of(scheduler: Any) -> DDPMScheduler:
    """The noise that training adds, by the settings of the scheduler that the model draws with."""
    return cast(DDPMScheduler, DDPMScheduler.from_config(scheduler.config))


def discrete_losses(
    noising: DDPMScheduler, batch: Noised, predict: Predicts, snr_gamma: float | None
) -> Float[Tensor, " picture"]:
    """Mean squared error of each picture at the timestep that its noise level stands for.

    Source: Ho et al. (2020), equation 14; Salimans & Ho (2022), appendix D, for the velocity; Hang et al. (2023),
        section 3.4, for the weight min(SNR, gamma) / SNR, over SNR + 1 for the velocity, as diffusers has it.

    Raises:
        ModelError: the model predicts neither.
    """
    horizon = int(noising.config["num_train_timesteps"])
    timesteps = (batch.levels * horizon).long().clamp(0, horizon - 1)
    kind = noising.config["prediction_type"]
    if kind == "epsilon":
        target = batch.noise
    elif kind == "v_prediction":
        target = noising.get_velocity(batch.latents, batch.noise, cast(Any, timesteps))
    else:
        raise ModelError(f"the model predicts {kind!r}, and only noise and velocity can be trained; give another model")
    predicted = predict(noising.add_noise(batch.latents, batch.noise, cast(Any, timesteps)), timesteps)
    if predicted.shape[1] == 2 * target.shape[1]:  # the second half is a learned variance, which stays as it is
        predicted = predicted.chunk(2, dim=1)[0]
    losses = torch.nn.functional.mse_loss(predicted.float(), target.float(), reduction="none").mean(dim=(1, 2, 3))
    if snr_gamma is None:
        return losses
    snr = compute_snr(noising, timesteps)
    return losses * snr.clamp(max=snr_gamma) / (snr if kind == "epsilon" else snr + 1)
