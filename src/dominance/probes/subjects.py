"""Finds the subject of a picture without a detector: where the prompt changes what the denoiser predicts."""

from collections.abc import Sequence

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from dominance.metrics.subjects import Subject, find_subject
from dominance.probes.interception import intercept
from dominance.probes.looking import Looking, SeesNothing
from dominance.probes.noising import Noising
from dominance.probes.placing import unpacked

SHARES: tuple[float, ...] = (0.3, 0.5, 0.7)
"""Shares of the steps at which the prediction is looked at: before, nothing is told apart; after, only details."""
NOISES: int = 2
_AT_ONCE = 16


def find_subjects(
    pipeline: DiffusionPipeline,
    prompts: Sequence[str],
    latents: Float[Tensor, "picture ..."],
    steps: int,
    seed: int = 0,
) -> list[Subject | None]:
    """Where the subject of each picture lies; None where none is found. The pipeline stays as it was.

    A picture is noised as far as the scheduler has it after 30, 50 and 70% of the steps, with two noises. From the same
    noised latents the denoiser predicts once with the prompt and once with the empty one: where the two differ, the
    prompt says something of the picture. ``metrics.subjects`` makes a subject of it.

    Args:
        latents: what the pipeline draws before it is decoded, one a prompt.

    Raises:
        ModelError: the denoiser's family is not known.
    """
    maps = torch.stack([differences(pipeline, prompts, latents, steps, seed + turn) for turn in range(NOISES)], dim=1)
    return [find_subject(own) for own in maps]


def differences(
    pipeline: DiffusionPipeline, prompts: Sequence[str], latents: Float[Tensor, "picture ..."], steps: int, seed: int
) -> Float[Tensor, "picture row column"]:
    """Mean square difference of the predictions with and without the prompt, each step's over its mean, by position."""
    noise = torch.randn(latents.shape, generator=torch.Generator("cpu").manual_seed(seed)).to(latents)
    found = []
    for start in range(0, len(prompts), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        own, empty = (Noising.of(pipeline, texts, steps) for texts in (prompts[part], [""] * len(prompts[part])))
        each = []
        for share in SHARES:
            step = min(steps - 1, round(share * steps))
            with torch.no_grad(), intercept(pipeline, SeesNothing()):
                told, untold = (_predicted(other.at(step, latents[part], noise[part])) for other in (own, empty))
            squares = unpacked((told - untold).float())[:, : unpacked(latents).shape[1]].square().mean(dim=1)
            each.append(squares / squares.mean(dim=(-2, -1), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny))
        found.append(torch.stack(each).mean(dim=0))
    return torch.cat(found).cpu()


def _predicted(looking: Looking) -> Tensor:
    return looking.predicted(range(looking.forward.samples), looking.given)
