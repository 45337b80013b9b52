"""Where words lie in pictures of known places: composites of a model's own pictures, noised and denoised once."""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dominance.metrics.overlap import centres
from dominance.models.calls import call_of
from dominance.models.tokens import prompt_tokens
from dominance.probes.calls import Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.looking import Looking, sample_name
from dominance.probes.shifting import input_scale
from dominance.probes.sites import AttentionSite, attention_sites, denoiser_of
from dominance.probes.text_inputs import FirstForward, first_forward
from dominance.probes.unchanged import unchanged

_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Placed:
    """Latents of pictures in which two things stand side by side.

    Attributes:
        prompts: name both.
        left, right: what stands where, as the prompts have it.
    """

    prompts: tuple[str, ...]
    left: tuple[str, ...]
    right: tuple[str, ...]
    latents: Float[Tensor, "picture ..."]


def own_latents(
    pipeline: DiffusionPipeline, prompts: Sequence[str], seeds: Sequence[int], steps: int, guidance: float
) -> Float[Tensor, "picture ..."]:
    """What the pipeline draws of the prompts, before it is decoded; the pipeline stays as it was."""
    call = cast(Callable[..., Any], pipeline)  # every text-to-image pipeline has its own signature
    told = {} if call_of(call).guidance is None else {"guidance_scale": guidance}
    made = []
    with torch.no_grad(), unchanged(pipeline):
        for start in range(0, len(prompts), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds[part]]
            options = {"prompt": list(prompts[part]), "num_inference_steps": steps, "generator": generators}
            made.append(call(**options, output_type="latent", **told, **call_of(call).switched_off).images)
    return torch.cat(made)


def side_by_side(
    pipeline: DiffusionPipeline, left: Float[Tensor, "picture ..."], right: Float[Tensor, "picture ..."]
) -> Float[Tensor, "picture ..."]:
    """The middle half of each left picture beside that of the right one, in latents; of FLUX packed as its own are."""
    if left.ndim == 3:  # FLUX: positions in rows of a square picture, channels
        side = round(left.shape[1] ** 0.5)
        joined = side_by_side(pipeline, *(each.unflatten(1, (side, -1)).movedim(-1, 1) for each in (left, right)))
        return joined.movedim(1, -1).flatten(1, 2)
    width = left.shape[-1]
    middle = slice(width // 4, width // 4 + width // 2)
    return torch.cat([left[..., middle], right[..., middle.start : middle.start + width - width // 2]], dim=-1)


def right_sides(
    pipeline: DiffusionPipeline, placed: Placed, steps: int, shown: Sequence[int], seed: int = 0
) -> Bool[Tensor, "step layer picture"]:
    """Whether each layer's maps of the two words lie on the sides where the things are.

    The latents are noised as far as the pipeline's scheduler has them before a step of a call of so many steps, and
    denoised once with the prompt; of each word's map, the mean over heads, the centre of mass counts.

    Args:
        shown: steps, from 0.

    Raises:
        ModelError: attention that cannot be seen.
    """
    denoiser = denoiser_of(pipeline)
    sites = attention_sites(pipeline)
    noise = torch.randn(placed.latents.shape, generator=torch.Generator("cpu").manual_seed(seed))
    noise = noise.to(placed.latents)
    found = torch.zeros(len(shown), len(sites), len(placed.prompts), dtype=torch.bool)
    for start in range(0, len(placed.prompts), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        prompts = placed.prompts[part]
        template = first_forward(pipeline, prompts, steps)
        scheduler = copy.deepcopy(cast(Any, pipeline).scheduler)
        scheduler.set_timesteps(**_timesteps(scheduler, template, steps))
        weights = _weights(pipeline, prompts, placed.left[part], placed.right[part], template)
        for number, step in enumerate(shown):
            with torch.no_grad(), intercept(pipeline, _Nothing()):
                looking, latents = _at(denoiser, template, scheduler, step, placed.latents[part], noise[part], prompts)
                layers = frozenset(site.layer for site in sites)
                with looking.maps(range(len(prompts)), latents, layers, weights) as maps:
                    for layer, own in maps.items():
                        if own.shape[-1] < 2:  # so few positions show no side
                            continue
                        columns = centres(own.double())[..., 1]
                        found[number, layer - 1, part] = (columns[:, 0] < columns[:, 1]).cpu()
    return found


class _Nothing(Probe):
    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return False


def _timesteps(scheduler: Any, template: FirstForward, steps: int) -> dict[str, Any]:
    """How the pipeline set its scheduler's steps: flow models shift them by the size of the picture."""
    if "mu" in inspect.signature(scheduler.set_timesteps).parameters and scheduler.config.get("use_dynamic_shifting"):
        sigmas = (template.timesteps / scheduler.config.num_train_timesteps).tolist()
        return (
            {"sigmas": sigmas, "mu": 0.0} if "sigmas" in inspect.signature(scheduler.set_timesteps).parameters else {}
        )
    return {"num_inference_steps": steps}


def _at(
    denoiser: nn.Module,
    template: FirstForward,
    scheduler: Any,
    step: int,
    latents: Tensor,
    noise: Tensor,
    prompts: Sequence[str],
) -> tuple[Looking, Tensor]:
    """The denoiser's arguments as they would be before a step, and the noised latents."""
    given = dict(template.given)
    when = template.timesteps[step]
    first = template.timesteps[0]
    told = given["timestep"]
    given["timestep"] = (
        (told / first * when).to(told.dtype) if told.is_floating_point() else torch.full_like(told, int(when))
    )
    if hasattr(scheduler, "scale_noise"):
        share = (when / scheduler.config.num_train_timesteps).to(latents)
        noised = (1 - share) * latents + share * noise
    else:
        noised = scheduler.add_noise(latents, noise, when.reshape(1).expand(len(latents)))
        noised = noised * input_scale(scheduler, when)
    name = sample_name(given)
    text = given["encoder_hidden_states"]
    forward = Forward(
        step=step,
        index=0,
        samples=len(prompts),
        images=len(prompts),
        conditional=slice(0, len(prompts)),
        tokens=text.shape[1],
        prompts=tuple(prompts),
        sides=(given[name].shape[-2], given[name].shape[-1]),
        image_ids=given.get("img_ids"),
    )
    return Looking(denoiser, denoiser.forward, given, forward), noised.to(given[name])


def _weights(
    pipeline: DiffusionPipeline,
    prompts: Sequence[str],
    left: Sequence[str],
    right: Sequence[str],
    template: FirstForward,
) -> Float[Tensor, "picture token 2"]:
    """The share of every token in the map of what stands on the left, and on the right."""
    weights = torch.zeros(len(prompts), template.given["encoder_hidden_states"].shape[1], 2)
    for number, (prompt, *names) in enumerate(zip(prompts, left, right, strict=True)):
        columns = prompt_tokens(pipeline, prompt).concepts(names)
        for side, name in enumerate(names):
            weights[number, list(columns[name]), side] = 1 / len(columns[name])
    return weights
