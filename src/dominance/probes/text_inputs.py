"""What a pipeline tells its denoiser of a text, as the pipeline's own call makes it."""

import contextlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor, nn

from dominance.models.calls import call_of
from dominance.probes.first_step import tells_guidance
from dominance.probes.sites import denoiser_of
from dominance.probes.unchanged import unchanged

TEXT_ARGUMENTS: tuple[str, ...] = (
    "encoder_hidden_states",
    "encoder_attention_mask",
    "pooled_projections",
    "added_cond_kwargs",
)
"""Arguments of a denoiser that carry the text."""
_TEXT_EMBEDS = "text_embeds"


class _Arrived(BaseException):
    """Passes through the pipeline's call, which may catch exceptions of its own."""


@dataclass(frozen=True, eq=False)
class FirstForward:
    """What a pipeline's call gives its denoiser first.

    Attributes:
        given: the denoiser's arguments by name, without guidance's second branch.
        timesteps: of the whole call, as the scheduler has them.
    """

    given: dict[str, Any]
    timesteps: Tensor


def first_forward(pipeline: DiffusionPipeline, texts: Sequence[str], steps: int = 1, **given: Any) -> FirstForward:
    """The first forward of a call of these texts, which is stopped before it runs; the pipeline stays as it was.

    Args:
        given: further arguments of the pipeline's own call.

    Raises:
        ModelError: the pipeline has no denoiser whose attention can be seen.
    """
    denoiser = denoiser_of(pipeline)
    signature = inspect.signature(type(denoiser).forward)
    kept: list[FirstForward] = []

    def arrive(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found = dict(signature.bind_partial(denoiser, *args, **kwargs).arguments)
        found.pop("self")
        kept.append(FirstForward(found, cast(Any, pipeline).scheduler.timesteps.clone()))
        raise _Arrived

    call = cast(Callable[..., Any], pipeline)  # every text-to-image pipeline has its own signature
    options = {
        "prompt": list(texts),
        "num_inference_steps": steps,
        "generator": [torch.Generator("cpu").manual_seed(0) for _ in texts],
        "output_type": "latent",
        **({} if tells_guidance(pipeline) else {"guidance_scale": 1.0}),
    }
    handle = denoiser.register_forward_pre_hook(arrive, with_kwargs=True, prepend=True)
    try:
        with torch.no_grad(), unchanged(pipeline), contextlib.suppress(_Arrived):
            call(**(options | call_of(call).switched_off | given))
    finally:
        handle.remove()
    return kept[0]


def text_inputs(pipeline: DiffusionPipeline, texts: Sequence[str], **given: Any) -> dict[str, Tensor]:
    """The denoiser's arguments that carry these texts, one row a text, by flat names.

    The pipeline's own call encodes them. Of ``added_cond_kwargs`` only the pooled text is taken; sizes stay what the
    picture has.

    Args:
        given: further arguments of the pipeline's own call.

    Raises:
        ModelError: the pipeline has no denoiser whose attention can be seen.
    """
    kept = first_forward(pipeline, texts, **given).given
    found = {name: kept[name] for name in TEXT_ARGUMENTS[:3] if isinstance(kept.get(name), Tensor)}
    pooled = (kept.get("added_cond_kwargs") or {}).get(_TEXT_EMBEDS)
    if isinstance(pooled, Tensor):
        found[_TEXT_EMBEDS] = pooled
    return found


def with_texts(given: dict[str, Any], rows: Sequence[int], texts: dict[str, Tensor], pooled: bool = True) -> None:
    """Puts other texts into these rows of a denoiser's arguments, which are changed in place, tensors copied.

    Args:
        rows: of the batch, one a row of the texts.
        pooled: whether the pooled text, which is of the whole picture, is put there, too.
    """
    where = list(rows)
    for name, value in texts.items():
        if name == _TEXT_EMBEDS:
            more = dict(given.get("added_cond_kwargs") or {})
            if pooled and isinstance(more.get(name), Tensor):
                more[name] = _put(more[name], where, value)
                given["added_cond_kwargs"] = more
        elif isinstance(given.get(name), Tensor) and (pooled or name != "pooled_projections"):
            given[name] = _put(given[name], where, value)


def _put(given: Tensor, rows: list[int], value: Tensor) -> Tensor:
    changed = given.clone()
    changed[rows] = value.to(changed)
    return changed
