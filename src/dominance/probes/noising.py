"""Pictures noised as far as a step of a call has them, and a forward of the denoiser on them with prompts."""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor, nn

from dominance.probes.calls import Forward
from dominance.probes.looking import Looking, sample_name
from dominance.probes.shifting import input_scale
from dominance.probes.sites import denoiser_of
from dominance.probes.text_inputs import FirstForward, first_forward


@dataclass(frozen=True, eq=False)
class Noising:
    """What a pipeline's call of some prompts would tell its denoiser, before any of its steps.

    Attributes:
        template: the call's first forward.
        scheduler: a copy of the pipeline's, its steps set.
    """

    denoiser: nn.Module
    template: FirstForward
    scheduler: Any
    prompts: tuple[str, ...]

    @classmethod
    def of(cls, pipeline: DiffusionPipeline, prompts: Sequence[str], steps: int) -> "Noising":
        """Of a call of so many steps.

        Raises:
            ModelError: the pipeline has no denoiser whose attention can be seen.
        """
        template = first_forward(pipeline, prompts, steps)
        scheduler = copy.deepcopy(cast(Any, pipeline).scheduler)
        scheduler.set_timesteps(**_timesteps(scheduler, template, steps))
        return cls(denoiser_of(pipeline), template, scheduler, tuple(prompts))

    def at(self, step: int, latents: Tensor, noise: Tensor) -> Looking:
        """A forward as it would be before this step, from pictures that are noised as far as the scheduler has them.

        Args:
            latents, noise: one a prompt, as the pipeline has its own.
        """
        given = dict(self.template.given)
        when, first, told = self.template.timesteps[step], self.template.timesteps[0], given["timestep"]
        given["timestep"] = (
            (told / first * when).to(told.dtype) if told.is_floating_point() else torch.full_like(told, int(when))
        )
        name, text = sample_name(given), given["encoder_hidden_states"]
        given[name] = self._noised(when, latents, noise).to(given[name])
        forward = Forward(
            step=step,
            index=0,
            samples=len(self.prompts),
            images=len(self.prompts),
            conditional=slice(0, len(self.prompts)),
            tokens=text.shape[1],
            prompts=self.prompts,
            sides=(given[name].shape[-2], given[name].shape[-1]),
            image_ids=given.get("img_ids"),
        )
        return Looking(self.denoiser, self.denoiser.forward, given, forward)

    def _noised(self, when: Tensor, latents: Tensor, noise: Tensor) -> Tensor:
        if hasattr(self.scheduler, "scale_noise"):
            share = (when / self.scheduler.config.num_train_timesteps).to(latents)
            return (1 - share) * latents + share * noise
        noised = self.scheduler.add_noise(latents, noise, when.reshape(1).expand(len(latents)))
        return noised * input_scale(self.scheduler, when)


def _timesteps(scheduler: Any, template: FirstForward, steps: int) -> dict[str, Any]:
    """How the pipeline set its scheduler's steps: flow models shift them by the size of the picture."""
    if "mu" in inspect.signature(scheduler.set_timesteps).parameters and scheduler.config.get("use_dynamic_shifting"):
        sigmas = (template.timesteps / scheduler.config.num_train_timesteps).tolist()
        return (
            {"sigmas": sigmas, "mu": 0.0} if "sigmas" in inspect.signature(scheduler.set_timesteps).parameters else {}
        )
    return {"num_inference_steps": steps}
