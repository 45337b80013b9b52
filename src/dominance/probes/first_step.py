"""The first denoising step, as far as it must be run to read its attention: one branch, and no further than needed."""

import contextlib
import inspect
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from dominance.errors import InputError, ModelError
from dominance.models.calls import call_of
from dominance.probes.calls import AttentionCall, Forward
from dominance.probes.interception import Probe, intercept
from dominance.probes.reduction import reduced_attention
from dominance.probes.sites import AttentionSite, attention_sites, chosen_sites, denoiser_of
from dominance.probes.unchanged import unchanged
from dominance.probes.unseen import why_unseen


@dataclass(frozen=True, eq=False)
class FirstStep:
    """What was seen in the first step.

    Attributes:
        layers: in forward order.
        attention: softmax probability of every token of the text sequence, averaged over positions and heads.
        share: of the multiply-adds that a whole generation spends in its denoiser, one image for one image.
    """

    layers: tuple[int, ...]
    attention: Float[Tensor, "image layer token"]
    share: float


def first_step(
    pipeline: DiffusionPipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    layers: Collection[int] | None = None,
    *,
    steps: int = 50,
    guidance: float = 7.5,
    height: int | None = None,
    width: int | None = None,
    **given: Any,
) -> FirstStep:
    """Runs the conditional branch of the first step, up to the last of the layers, and leaves the pipeline unchanged.

    The pipeline's own call encodes the prompts, draws the same initial latents as it would for an image of that
    prompt and seed, and is stopped by an exception behind the last site; nothing is decoded.

    The share is ``f / (b · n)``: f is the part of one forward's multiply-adds (matrix products, convolutions and
    attention) that ran, n the forwards a branch of the whole generation (``steps`` with DDIM), b its branches, 2 under
    classifier-free guidance. Text encoder and decoder are not counted. A denoiser that cannot be traced without data
    is counted as run in full, f = 1.

    Args:
        prompts, seeds: one an image.
        layers: attention layers, numbered from 1 in forward order; None for all.
        steps, guidance, height, width: of the whole generation that this is the beginning of.
        given: further arguments of the pipeline's own call.

    Raises:
        InputError: no prompts, not one seed a prompt, or a layer that the model does not have.
        ModelError: the model's attention cannot be seen.
    """
    if not prompts or len(prompts) != len(seeds):
        raise InputError(
            f"{len(prompts)} prompts but {len(seeds)} seeds; give at least one prompt, and one seed per prompt"
        )
    denoiser = denoiser_of(pipeline)
    sites = chosen_sites(attention_sites(pipeline), layers)
    seen, inputs = _Means(sites), _Inputs(denoiser, pipeline)
    call = cast(Callable[..., Any], pipeline)  # every text-to-image pipeline has its own signature
    options: dict[str, Any] = {
        "prompt": list(prompts),
        "num_inference_steps": steps,
        "guidance_scale": guidance if tells_guidance(pipeline) else 1.0,
        "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
        "output_type": "latent",
        **{name: side for name, side in (("height", height), ("width", width)) if side is not None},
    }
    with torch.no_grad(), unchanged(pipeline), intercept(pipeline, seen), inputs, _ended_after(denoiser, sites[-1]):
        call(**(options | call_of(call).switched_off | given))
    seen.check_complete(pipeline)
    branches = 2 if guidance > 1 and not tells_guidance(pipeline) else 1
    return FirstStep(
        layers=tuple(site.layer for site in sites),
        attention=torch.stack([seen.means[site.layer] for site in sites], dim=1),
        share=_part_run(denoiser, sites[-1], inputs) / (inputs.forwards * branches),
    )


class _Means(Probe):
    """Keeps each site's attention, averaged over positions and heads."""

    def __init__(self, sites: Sequence[AttentionSite]) -> None:
        self.means: dict[int, Float[Tensor, "image token"]] = {}
        self._sites = {site.layer: site for site in sites}

    def wants(self, site: AttentionSite, forward: Forward) -> bool:  # noqa: ARG002  (a Probe's signature)
        return site.layer in self._sites

    def read(self, call: AttentionCall) -> None:
        self.means[call.site.layer] = reduced_attention(call)[0].mean(dim=1).cpu()

    def check_complete(self, pipeline: DiffusionPipeline) -> None:
        """Raises a ModelError if a site was passed without its attention being seen."""
        unseen = [site for layer, site in self._sites.items() if layer not in self.means]
        if unseen:
            raise ModelError(why_unseen(pipeline, unseen, 0, ran=True))


class _Inputs:
    """What the denoiser is first called with, without its data, and how many forwards a branch is to have."""

    def __init__(self, denoiser: nn.Module, pipeline: DiffusionPipeline) -> None:
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}
        self.forwards = 0
        self._denoiser, self._pipeline = denoiser, pipeline

    def __enter__(self) -> None:
        self._handle = self._denoiser.register_forward_pre_hook(self._keep, with_kwargs=True)

    def __exit__(self, *_: object) -> None:
        self._handle.remove()

    def _keep(self, _denoiser: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = _without_data(args), _without_data(kwargs)
        self.forwards = len(cast(Any, self._pipeline).scheduler.timesteps)

    @property
    def shape(self) -> tuple[object, ...]:
        """What decides the share of the multiply-adds: all sizes but the batch's."""
        return _sizes((self.args, self.kwargs))


class _Ended(Exception):  # noqa: N818  (no error)
    """The forward has come as far as it must; never leaves this module."""


@contextlib.contextmanager
def _ended_after(denoiser: nn.Module, site: AttentionSite) -> Generator[None]:
    """Ends the block as soon as the site has been passed.

    Raises:
        ModelError: the block ended without that.
    """

    def end(*_: object) -> None:
        raise _Ended

    handle = denoiser.get_submodule(site.name).register_forward_hook(end)
    try:
        yield
    except _Ended:
        return
    finally:
        handle.remove()
    raise ModelError(f"layer {site.layer} ({site.name}) was not reached in the first step; choose other layers")


def tells_guidance(pipeline: DiffusionPipeline) -> bool:
    """Whether the denoiser takes the guidance scale as an input and so needs no second branch, as FLUX does."""
    if "true_cfg_scale" in inspect.signature(type(pipeline).__call__).parameters:
        return True
    return getattr(cast(Any, denoiser_of(pipeline)).config, "time_cond_proj_dim", None) is not None


_PARTS: WeakKeyDictionary[nn.Module, dict[tuple[object, ...], float]] = WeakKeyDictionary()


def _part_run(denoiser: nn.Module, last: AttentionSite, inputs: _Inputs) -> float:
    """The part of a forward's multiply-adds that is done when the last site has been passed; traced once a shape."""
    known = _PARTS.setdefault(denoiser, {})
    key = (last.layer, *inputs.shape)
    if key not in known:
        try:
            known[key] = _traced_part(denoiser, last, inputs)
        except Exception:  # a denoiser may look at data that is not there, in any way it likes
            known[key] = 1.0
    return known[key]


def _traced_part(denoiser: nn.Module, last: AttentionSite, inputs: _Inputs) -> float:
    """The same, from a forward on tensors that have sizes but no data."""
    weights = {name: _without_data(value) for name, value in (*denoiser.named_parameters(), *denoiser.named_buffers())}
    counter = FlopCounterMode(display=False)
    done = []
    handle = denoiser.get_submodule(last.name).register_forward_hook(lambda *_: done.append(counter.get_total_flops()))
    try:
        with torch.no_grad(), _without_fetching(denoiser), counter:
            functional_call(denoiser, weights, inputs.args, inputs.kwargs)
    finally:
        handle.remove()
    return done[0] / counter.get_total_flops()


@contextlib.contextmanager
def _without_fetching(denoiser: nn.Module) -> Generator[None]:
    """Without the forwards that offloading puts in front of the modules' own, which would fetch weights and inputs."""
    fetching = [(module, vars(module).pop("forward")) for module in denoiser.modules() if "forward" in vars(module)]
    try:
        yield
    finally:
        for module, forward in fetching:
            module.forward = forward


def _without_data(value: Any) -> Any:
    """The value with every tensor in it replaced by one of its size on the meta device."""
    if isinstance(value, Tensor):
        return torch.empty_like(value, device="meta")
    if isinstance(value, dict):
        return {name: _without_data(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_without_data(entry) for entry in value)
    return value


def _sizes(value: Any) -> tuple[object, ...]:
    if isinstance(value, Tensor):
        return tuple(value.shape[1:])
    if isinstance(value, dict):
        return tuple((name, _sizes(entry)) for name, entry in value.items())
    return tuple(_sizes(entry) for entry in value) if isinstance(value, list | tuple) else ()
