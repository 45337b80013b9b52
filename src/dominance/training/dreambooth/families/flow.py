"""The loss of models of rectified flow: of the velocity from picture to noise."""

from collections.abc import Callable
from typing import Any, cast

import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from jaxtyping import Float
from torch import Tensor

from dominance.training.dreambooth.families.protocol import Noised

JOINT_TARGETS = ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
"""The text's own layers of joint attention, which diffusers' examples for SD3 and FLUX give a LoRA too."""

Predicts = Callable[[Tensor, Tensor], Tensor]
"""From noisy latents and sigmas (0 to 1, one a picture) to the velocity that the denoiser gives."""


def sigmas_of(scheduler: Any) -> Float[Tensor, " step"]:
    """The noise levels that the model was trained at, rising: shifted by the scheduler's ``shift``.

    A shift that depends on the picture's size (FLUX.1 dev) is none here, as in the example scripts of diffusers.
    """
    config = dict(scheduler.config)
    made = cast(Any, FlowMatchEulerDiscreteScheduler.from_config(config))
    return cast(Tensor, made.sigmas).flip(0)


def flow_losses(sigmas: Float[Tensor, " step"], batch: Noised, predict: Predicts) -> Float[Tensor, " picture"]:
    """Mean squared error of each picture's velocity, noise − latents, at the sigma that its noise level stands for.

    Every level weighs the same. Diffusers' example for SD3 also knows a loss of the clean picture that the velocity
    implies, which weighs a picture by sigma² (its ``--precondition_outputs 1``); FLUX's does not.

    Source: Esser et al. (2024), equations 13 and 14, with the levels' distribution for the weights.
    """
    places = (batch.levels * len(sigmas)).long().clamp(0, len(sigmas) - 1)
    chosen = sigmas.to(batch.latents.device)[places]
    wide = chosen[:, None, None, None]
    predicted = predict((1 - wide) * batch.latents + wide * batch.noise, chosen)
    target = batch.noise - batch.latents
    return torch.nn.functional.mse_loss(predicted.float(), target.float(), reduction="none").mean(dim=(1, 2, 3))
