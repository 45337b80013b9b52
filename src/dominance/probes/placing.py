"""Where words lie in pictures of known places: composites of a model's own pictures, noised and denoised once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Bool, Float
from torch import Tensor

from dominance.metrics.overlap import centres
from dominance.models.calls import call_of
from dominance.models.tokens import prompt_tokens
from dominance.probes.interception import intercept
from dominance.probes.looking import SeesNothing, sample_name
from dominance.probes.noising import Noising
from dominance.probes.sites import attention_sites
from dominance.probes.text_inputs import FirstForward
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


def unpacked(latents: Float[Tensor, "picture ..."]) -> Float[Tensor, "picture channel row column"]:
    """Latents as channels, rows and columns; FLUX has the positions of a square picture in one row, channels last."""
    if latents.ndim == 4:
        return latents
    side = round(latents.shape[1] ** 0.5)
    return latents.unflatten(1, (side, -1)).movedim(-1, 1)


def side_by_side(
    left: Float[Tensor, "picture ..."],
    right: Float[Tensor, "picture ..."],
    columns: tuple[Sequence[float], Sequence[float]],
) -> Float[Tensor, "picture ..."]:
    """Half of the columns of each left picture beside half of those of the right one, in latents, packed as they are.

    Args:
        columns: where the left and the right pictures' subjects lie, in shares of the width. Each is in the middle of
            its half, as far as the picture reaches.
    """
    if left.ndim == 3:
        joined = side_by_side(unpacked(left), unpacked(right), columns)
        return joined.movedim(1, -1).flatten(1, 2)
    width = left.shape[-1]
    halves = (width // 2, width - width // 2)
    return torch.cat([_around(*each) for each in zip((left, right), columns, halves, strict=True)], dim=-1)


def _around(latents: Tensor, columns: Sequence[float], size: int) -> Tensor:
    """So many columns of each picture, around one of them."""
    width = latents.shape[-1]
    starts = [min(max(round(column * width - size / 2), 0), width - size) for column in columns]
    return torch.stack([own[..., start : start + size] for own, start in zip(latents, starts, strict=True)])


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
    sites = attention_sites(pipeline)
    noise = torch.randn(placed.latents.shape, generator=torch.Generator("cpu").manual_seed(seed))
    noise = noise.to(placed.latents)
    found = torch.zeros(len(shown), len(sites), len(placed.prompts), dtype=torch.bool)
    for start in range(0, len(placed.prompts), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        prompts = placed.prompts[part]
        noising = Noising.of(pipeline, prompts, steps)
        weights = _weights(pipeline, prompts, placed.left[part], placed.right[part], noising.template)
        for number, step in enumerate(shown):
            with torch.no_grad(), intercept(pipeline, SeesNothing()):
                looking = noising.at(step, placed.latents[part], noise[part])
                latents = looking.given[sample_name(looking.given)]
                layers = frozenset(site.layer for site in sites)
                with looking.maps(range(len(prompts)), latents, layers, weights) as maps:
                    for layer, own in maps.items():
                        if own.shape[-1] < 2:  # so few positions show no side
                            continue
                        columns = centres(own.double())[..., 1]
                        found[number, layer - 1, part] = (columns[:, 0] < columns[:, 1]).cpu()
    return found


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
